"""Taking the answers to a question away as one file."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Annotated, Any, TypeAlias
from urllib.parse import quote

from litestar import get
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from registry.api.authentication import limit_exports, spend_of_address
from registry.api.conditional import is_unread
from registry.api.operations import answers, describes
from registry.api.parameters import CodeParameter
from registry.api.records import RecordAnswer
from registry.api.request import ApiRequest, ApiState, client_address
from registry.api.search_filters import SearchFilters, provide_search_filters, read_query
from registry.errors import TooManyRequests
from registry.exports.columns import COLUMN_SETS, ColumnSet
from registry.exports.export import MEDIA_TYPES, Export, ExportFormat, prepare, write
from registry.store.as_of import read_as_of

Columns: TypeAlias = Annotated[
    ColumnSet,
    CodeParameter(
        description="`summary`, or `full`: every field of the format", codes=lambda _: COLUMN_SETS
    ),
]
Labels: TypeAlias = Annotated[
    str | None,
    CodeParameter(
        description="The language of the words beside codes; without it that of `lang`",
        codes=lambda pack: pack.languages,
    ),
]


_AT_ONCE = 2
"""Exports that a worker writes for one address at a time."""

_LATER_SECONDS = 5


def _taking_away(
    form: ExportFormat, summary: str, described: str = "", kind: Any = bytes
) -> Callable[[Callable[..., Any]], HTTPRouteHandler]:
    """Make a handler of what answers with a file of a form."""
    return get(
        f"/api/v1/exports/records.{form}",
        summary=summary,
        tags=["records"],
        guards=[limit_exports],
        dependencies={"sought": Provide(provide_search_filters, sync_to_thread=False)},
        responses=answers(kind, media_type=MEDIA_TYPES[form], description=described),
        opt=describes(download=True),
    )


@_taking_away("csv", "Take records away as CSV", "A table with a line a record.")
async def export_csv(
    *,
    request: ApiRequest,
    state: ApiState,
    sought: NamedDependency[SearchFilters],
    columns: Columns = "summary",
    labels: Labels = None,
    safe: Annotated[
        str,
        CodeParameter(
            description="`false`: raw, for programs rather than spreadsheets",
            codes=lambda _: ("true", "false"),
        ),
    ] = "true",
) -> Stream:
    """Write every record found as a line of a table, in the order of ids."""
    return await _answer(
        request, state, sought, "csv", columns=columns, labels=labels, safe=safe == "true"
    )


@_taking_away(
    "xlsx",
    "Take records away as a workbook",
    "A workbook with a row a record, and a sheet that says of what it is.",
)
async def export_xlsx(
    *,
    request: ApiRequest,
    state: ApiState,
    sought: NamedDependency[SearchFilters],
    columns: Columns = "summary",
    labels: Labels = None,
) -> Stream:
    """Write every record found as a row of a sheet, from right to left where its labels are."""
    return await _answer(request, state, sought, "xlsx", columns=columns, labels=labels)


@_taking_away("jsonl", "Take records away whole", kind=RecordAnswer)
async def export_jsonl(
    *, request: ApiRequest, state: ApiState, sought: NamedDependency[SearchFilters]
) -> Stream:
    """Write every record found as a line of JSON, as reading it alone answers it."""
    return await _answer(request, state, sought, "jsonl")


@_taking_away("jsonld", "Take records away as linked data", "A document of JSON-LD.")
async def export_jsonld(
    *, request: ApiRequest, state: ApiState, sought: NamedDependency[SearchFilters]
) -> Stream:
    """Write every record found as a node of a JSON-LD document, a line each."""
    return await _answer(request, state, sought, "jsonld")


async def _answer(
    request: ApiRequest,
    state: ApiState,
    sought: SearchFilters,
    form: ExportFormat,
    *,
    columns: ColumnSet = "summary",
    labels: str | None = None,
    safe: bool = True,
) -> Stream:
    context, now = state.context, state.clock()
    question = await read_query(context.database, state.index, sought, context.pack, now=now)
    async with context.database.connection() as connection:
        moment = await read_as_of(connection, sought.as_of, now=now)
    export = await prepare(
        context.database,
        state.index,
        question,
        moment,
        form=form,
        query=sought.pairs,
        pack=context.pack,
        site=state.settings.base_url,
        columns=columns,
        labels=labels,
        safe=safe,
    )
    tag = f'W/"{export.digest}"'
    mended = {} if export.mended is None else {"x-register-mended": quote(export.mended)}
    unread = is_unread(request.scope, tag)
    who = client_address(request.scope, state.settings.proxies)
    if not unread and state.exporting[who] >= _AT_ONCE:
        raise TooManyRequests(
            f"{_AT_ONCE} exports at a time are written for one address; wait for them to end",
            retry_after=_LATER_SECONDS,
        )
    parts = _nothing() if unread else _counted(state, who, write(context.database, export))
    # From here on it counts, before anything else is waited for.
    await anext(parts)
    if not unread:
        try:
            await spend_of_address(
                request,
                "exported records",
                state.settings.limit_export_records,
                cost=len(export.selection.entries),
            )
        except BaseException:
            await parts.aclose()
            raise
    return Stream(
        parts,
        # The framework names the character set of texts itself.
        media_type=MEDIA_TYPES[form].partition(";")[0],
        headers={
            "cache-control": "no-cache",
            "content-disposition": _disposition(export),
            "etag": tag,
            "link": ", ".join(f'<{address}>; rel="{of}"' for of, address in export.links),
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


async def _counted(
    state: ApiState, who: str, parts: AsyncGenerator[bytes, None]
) -> AsyncGenerator[bytes, None]:
    """Yield nothing, then the parts of an export.

    It counts as one of its address from the first step until it ends, or nobody has it any more.
    """
    state.exporting[who] += 1
    try:
        async with aclosing(parts):
            yield b""
            async for part in parts:
                yield part
    finally:
        state.exporting[who] -= 1
        if not state.exporting[who]:
            del state.exporting[who]


async def _nothing() -> AsyncGenerator[bytes, None]:
    """Yield nothing, then a body that nobody reads, in a part that does not look like all of it."""
    yield b""
    yield b""
