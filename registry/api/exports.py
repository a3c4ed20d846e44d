"""Taking the answers to a question away as one file."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, TypeAlias
from urllib.parse import quote

import msgspec
from litestar import Request, get
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter
from litestar.response import Stream

from registry.api import parameters
from registry.api.authentication import limit_exports
from registry.api.conditional import is_unread
from registry.api.search_filters import SearchFilters, provide_search_filters, read_query
from registry.exchange.export import MEDIA_TYPES, Export, ExportFormat, prepare, write
from registry.exchange.export_columns import COLUMN_SETS
from registry.record.pack import Pack
from registry.search.engine import SearchIndex
from registry.settings import Settings
from registry.store.as_of import read_as_of
from registry.store.database import Database

SAFE = ("true", "false")

Columns: TypeAlias = Annotated[
    str, QueryParameter(description="`summary`, or `full`: every field of the format")
]
Labels: TypeAlias = Annotated[
    str | None,
    QueryParameter(description="The language of the words beside codes; without it that of `lang`"),
]


class ExportRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is sought, of what, and by whom; `pairs` become the query that the export names."""

    request: Request[Any, Any, Any]
    database: Database
    index: SearchIndex
    pack: Pack
    site: str
    now: dt.datetime
    sought: SearchFilters


async def provide_export_request(
    *,
    request: Request[Any, Any, Any],
    database: NamedDependency[Database],
    index: NamedDependency[SearchIndex],
    pack: NamedDependency[Pack],
    settings: NamedDependency[Settings],
    now: NamedDependency[dt.datetime],
    sought: NamedDependency[SearchFilters],
) -> ExportRequest:
    """Gather what every export needs; a dependency of litestar's."""
    return ExportRequest(
        request=request,
        database=database,
        index=index,
        pack=pack,
        site=settings.base_url,
        now=now,
        sought=sought,
    )


def _taking_away(
    form: ExportFormat, summary: str
) -> Callable[[Callable[..., Any]], HTTPRouteHandler]:
    """Make a handler of what answers with a file of a form."""
    return get(
        f"/api/v1/exports/records.{form}",
        summary=summary,
        tags=["records"],
        guards=[limit_exports],
        dependencies={
            "sought": Provide(provide_search_filters, sync_to_thread=False),
            "asked": Provide(provide_export_request),
        },
    )


@_taking_away("csv", "Take records away as CSV")
async def export_csv(
    *,
    asked: NamedDependency[ExportRequest],
    columns: Columns = "summary",
    labels: Labels = None,
    safe: Annotated[
        str, QueryParameter(description="`false`: raw, for programs rather than spreadsheets")
    ] = "true",
) -> Stream:
    """Write every record found as a line of a table, in the order of ids."""
    parameters.once(asked.request, "safe")
    parameters.codes("safe", [safe], SAFE)
    return await _answer(asked, "csv", columns=columns, labels=labels, safe=safe == "true")


@_taking_away("xlsx", "Take records away as a workbook")
async def export_xlsx(
    *, asked: NamedDependency[ExportRequest], columns: Columns = "summary", labels: Labels = None
) -> Stream:
    """Write every record found as a row of a sheet, from right to left where its labels are."""
    return await _answer(asked, "xlsx", columns=columns, labels=labels)


@_taking_away("jsonl", "Take records away whole")
async def export_jsonl(*, asked: NamedDependency[ExportRequest]) -> Stream:
    """Write every record found as a line of JSON, as reading it alone answers it."""
    return await _answer(asked, "jsonl")


@_taking_away("jsonld", "Take records away as linked data")
async def export_jsonld(*, asked: NamedDependency[ExportRequest]) -> Stream:
    """Write every record found as a node of a JSON-LD document, a line each."""
    return await _answer(asked, "jsonld")


async def _answer(
    asked: ExportRequest,
    form: ExportFormat,
    *,
    columns: str = "summary",
    labels: str | None = None,
    safe: bool = True,
) -> Stream:
    parameters.once(asked.request, "columns", "labels")
    parameters.codes("columns", [columns], COLUMN_SETS)
    if labels is not None:
        parameters.codes("labels", [labels], asked.pack.languages)
    question = await read_query(
        asked.database, asked.index, asked.sought, asked.pack, now=asked.now
    )
    async with asked.database.connection() as connection:
        moment = await read_as_of(connection, asked.sought.as_of, now=asked.now)
    export = await prepare(
        asked.database,
        asked.index,
        question,
        moment,
        form=form,
        query=asked.sought.pairs,
        pack=asked.pack,
        site=asked.site,
        columns=next(known for known in COLUMN_SETS if known == columns),
        labels=labels,
        safe=safe,
    )
    tag = f'W/"{export.digest}"'
    mended = {} if export.mended is None else {"x-register-mended": quote(export.mended)}
    unread = is_unread(asked.request.scope, tag)
    return Stream(
        _nothing() if unread else write(asked.database, export),
        # The framework names the character set of texts itself.
        media_type=MEDIA_TYPES[form].partition(";")[0],
        headers={
            "cache-control": "no-cache",
            "content-disposition": _disposition(export),
            "etag": tag,
            "link": f'<{export.address}>; rel="canonical"',
            "x-register-size": str(export.selection.size),
            **mended,
        },
    )


def _disposition(export: Export) -> str:
    """Name the file (RFC 6266), with the letters of every script for who reads them."""
    plain = f'attachment; filename="{export.name}"'
    if export.full_name == export.name:
        return plain
    return f"{plain}; filename*=UTF-8''{quote(export.full_name)}"


async def _nothing() -> AsyncIterator[bytes]:
    """Give a body that nobody reads, and that does not look like a whole one."""
    yield b""
