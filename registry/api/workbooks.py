"""Filing by workbook: one to fill in, and what was filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, TypeAlias

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter

from registry.api.authentication import limit_exports, limit_validations
from registry.api.operations import WORKBOOKS, XLSX, answers, describes, token
from registry.api.parameters import CodeParameter, Lang, RecordPath, language_of
from registry.api.request import ApiRequest, ApiState, read_body, require_one_of
from registry.api.writes import ActorRequest, Call, private
from registry.clock import utc_now
from registry.errors import InvalidParameter, NotFound, PayloadTooLarge
from registry.record.codelists import codelists
from registry.services import policy
from registry.services.filing import drafts
from registry.workbooks.answer import WorkbookRecord, write_answer
from registry.workbooks.cells import WorkbookWords
from registry.workbooks.file import MAX_BYTES, UnreadableWorkbook, too_large
from registry.workbooks.filing import file_workbook
from registry.workbooks.reading import ReadSheet, read_workbook
from registry.workbooks.writing import (
    LAYOUTS,
    WorkbookLayout,
    make_workbook,
    new_source,
    read_sources,
)

Layout: TypeAlias = Annotated[
    WorkbookLayout,
    CodeParameter(
        description="`form`: a sheet a record; `table`: a row a record", codes=lambda _: LAYOUTS
    ),
]

_MOST_RECORDS = 20
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_NOT_STORED = {"cache-control": "no-store"}
_TO_FILL_IN = "A workbook to fill in."
_FOLLOWING = ("file_workbook_records", "answer_workbook")


class WorkbookAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each record of a workbook, in the order of its sheets and rows."""

    items: list[WorkbookRecord]


@get(
    "/api/v1/workbooks/template.xlsx",
    summary="Take a workbook to fill in",
    tags=["workbooks"],
    guards=[limit_exports],
    responses=answers(bytes, media_type=XLSX, description=_TO_FILL_IN),
    opt=describes(problems=(NotFound,), named=True, follows=_FOLLOWING),
)
async def make_template(
    *,
    request: ApiRequest,
    state: ApiState,
    agency: Annotated[
        str | None,
        CodeParameter(
            description="Whose new record it is", codes=lambda pack: sorted(pack.agencies)
        ),
    ] = None,
    risk: Annotated[
        str | None,
        CodeParameter(
            description="The risk level of the new record",
            codes=lambda _: codelists()["risk_level"],
        ),
    ] = None,
    records: Annotated[
        list[str] | None,
        QueryParameter(
            name="record", description=f"Records instead of a new one, at most {_MOST_RECORDS}"
        ),
    ] = None,
    layout: Layout = "form",
    lang: Lang = None,
) -> Response[bytes]:
    """Make a workbook to fill in: of a new record, or of others as they stand.

    It has what is asked at the record's level, and codes to pick from. Records come as they are
    published.
    """
    pack = state.context.pack
    words = WorkbookWords(pack, language_of(request, lang, pack), pack.day(utc_now()))
    if records is None:
        sources = [new_source(words, agency=agency, risk=risk)]
        name = "-".join(["record", *([agency] if agency else []), *([risk] if risk else [])])
    else:
        if agency is not None or risk is not None:
            raise InvalidParameter("record: agency and risk are for a new record; leave them out")
        if len(records) > _MOST_RECORDS:
            raise InvalidParameter(f"record: at most {_MOST_RECORDS} records")
        sources = await read_sources(state.context, records, lambda _: None)
        name = "records" if len(records) > 1 else records[0]
    content = await state.workbooks.run(make_workbook, sources, words, layout=layout)
    return workbook_file(content, name)


@get(
    "/api/v1/filings/{agency:str}/{slug:str}/workbook.xlsx",
    summary="Take a draft as a workbook",
    tags=["workbooks"],
    security=token("file"),
    responses=answers(bytes, media_type=XLSX, description=_TO_FILL_IN),
    opt=describes(named=True),
)
async def get_draft_workbook(
    *, record: RecordPath, layout: Layout = "form", call: Call
) -> Response[bytes]:
    """Make a workbook of a record of yours, as its draft is or else as it is published."""
    words = WorkbookWords(call.context.pack, call.language, call.context.pack.day(utc_now()))
    drafts.own_agency(call.context, call.actor, record)
    sources = await read_sources(call.context, [record], lambda _: call.actor)
    content = await call.state.workbooks.run(make_workbook, sources, words, layout=layout)
    return workbook_file(content, record)


@post(
    "/api/v1/workbooks",
    status_code=200,
    summary="File a workbook",
    tags=["workbooks"],
    guards=[limit_validations],
    security=token("file"),
    request_max_body_size=2 * MAX_BYTES,
    responses=answers(WorkbookAnswer),
    opt=describes(body="workbook", follows=("list_drafts",)),
)
async def file_workbook_records(call: Call) -> Response[bytes]:
    """Save each record of a workbook as a draft, and learn what is wrong in which cell.

    Each stands for itself: one that cannot be read whole, or was changed since its sheet was made,
    is not saved, and stops nothing. Sending the same file again changes nothing.
    """
    _, results, _ = await _file(call)
    return private(WorkbookAnswer(items=results))


@post(
    "/api/v1/workbooks/answer.xlsx",
    status_code=200,
    summary="File a workbook, and take it back with its findings",
    tags=["workbooks"],
    guards=[limit_validations],
    security=token("file"),
    request_max_body_size=2 * MAX_BYTES,
    responses=answers(bytes, media_type=XLSX, description="The workbook, with its findings."),
    opt=describes(body="workbook", named=True, follows=("list_drafts",)),
)
async def answer_workbook(call: Call) -> Response[bytes]:
    """Save each record of a workbook as a draft, and take the workbook back.

    Each finding stands in its cell and beside its row, and what was saved can be changed there and
    sent again. Otherwise as filing a workbook.
    """
    sheets, results, words = await _file(call)
    return workbook_file(
        await call.state.workbooks.run(write_answer, sheets, results, words), "workbook-answer"
    )


async def _file(
    call: ActorRequest,
) -> tuple[list[ReadSheet], list[WorkbookRecord], WorkbookWords]:
    policy.require_scope(call.actor, "file")
    require_one_of(call.request, WORKBOOKS)
    words = WorkbookWords(call.context.pack, call.language, call.context.pack.day(utc_now()))
    try:
        raw = await read_body(call.request, MAX_BYTES)
    except PayloadTooLarge as error:
        size = int(call.request.headers.get("content-length", 0))
        raise PayloadTooLarge(words.render(too_large(max(size, MAX_BYTES + 1)))) from error
    try:
        sheets = await call.state.workbooks.run(read_workbook, raw, words)
    except UnreadableWorkbook as error:
        order = (call.language, *call.context.pack.fallback)
        raise UnreadableWorkbook(error.name, error.saying, *order) from error
    results = await file_workbook(call.context, call.actor, sheets, words, now=utc_now())
    return sheets, results, words


def workbook_file(
    content: bytes, name: str, headers: Mapping[str, str] = _NOT_STORED
) -> Response[bytes]:
    """Return a workbook as a file to keep, under a name of plain letters."""
    plain = _NOT_IN_NAMES.sub("-", name)
    disposition = f'attachment; filename="{plain}.xlsx"'
    return Response(
        content, media_type=XLSX, headers={**headers, "content-disposition": disposition}
    )
