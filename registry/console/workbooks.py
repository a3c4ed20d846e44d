"""Filing by workbook in the console: take one, send it, read or take back what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile

from registry.api.workbooks import workbook_file
from registry.clock import utc_now
from registry.console.page import ConsoleRequest, console_page, filing_agency, page_headers
from registry.errors import InvalidParameter, UnreadableDocument
from registry.pages.reader import Reader, label
from registry.record.ids import agency_of, is_id
from registry.services.filing.drafts import draft_not_found
from registry.services.filing.working_records import list_agency_records
from registry.services.operations import limits
from registry.workbooks.answer import WorkbookRecord, finding_lines, write_answer
from registry.workbooks.cells import WorkbookWords
from registry.workbooks.file import MAX_BYTES, UnreadableWorkbook
from registry.workbooks.filing import file_workbook
from registry.workbooks.reading import ReadSheet, read_workbook
from registry.workbooks.writing import WorkbookLayout, make_workbook, new_source, read_sources

_BESIDE_FILE = 64 * 1024
"""Bytes of a form beside the file that it brings."""

_LEVELS = ("minimal", "limited", "high", "unacceptable")


@get("/{lang:str}/workbooks")
async def workbooks_page(request: ConsoleRequest) -> Response[bytes]:
    """Show which workbooks can be taken, and the form that sends one."""
    return await _page(request)


@get("/{lang:str}/workbooks/new.xlsx")
async def take_new_workbook(request: ConsoleRequest) -> Response[bytes]:
    """Return a workbook for a new record of the member's agency."""
    agency = filing_agency(request)
    risk = request.query_params.get("risk") or None
    if risk is not None and risk not in _LEVELS:
        raise InvalidParameter(f"risk: {risk!r} is no risk level")
    words = _words(request)
    sources = [new_source(words, agency=agency, risk=risk)]
    name = f"{agency}-{risk}" if risk else agency
    return await _made(request, sources, words, name=name)


@get("/{lang:str}/workbooks/record.xlsx")
async def take_record_workbook(request: ConsoleRequest) -> Response[bytes]:
    """Return a record of the member's agency as a workbook: its draft, or what is published."""
    record = request.query_params.get("record") or ""
    if not is_id(record) or agency_of(record) != filing_agency(request):
        raise draft_not_found(record[:100])
    words = _words(request)
    sources = await read_sources(request.context, [record], lambda _: request.actor)
    return await _made(request, sources, words, name=record)


@get("/{lang:str}/workbooks/all.xlsx")
async def take_all_workbook(request: ConsoleRequest) -> Response[bytes]:
    """Return all records of the member's agency as a table."""
    agency = filing_agency(request)
    words = _words(request)
    found = await list_agency_records(request.context, agency)
    sources = await read_sources(request.context, list(found), lambda _: request.actor)
    return await _made(request, sources, words, name=agency, layout="table")


@post("/{lang:str}/workbooks", status_code=200, request_max_body_size=MAX_BYTES + _BESIDE_FILE)
async def send_workbook(request: ConsoleRequest) -> Response[bytes]:
    """Save the records of a workbook as drafts, and show what became of each."""
    words = _words(request)
    try:
        _, results = await _filed(request, words)
    except UnreadableDocument as error:
        return await _page(request, fault=error)
    view = partial(_result_view, results=results, words=words)
    return await console_page(request, "workbook_result.html", view)


@post(
    "/{lang:str}/workbooks/answer.xlsx",
    status_code=200,
    request_max_body_size=MAX_BYTES + _BESIDE_FILE,
)
async def send_and_take_workbook(request: ConsoleRequest) -> Response[bytes]:
    """Save the records of a workbook as drafts, and give it back with its findings."""
    words = _words(request)
    try:
        sheets, results = await _filed(request, words)
    except UnreadableDocument as error:
        return await _page(request, fault=error)
    content = await request.shared.workbooks.run(write_answer, sheets, results, words)
    return workbook_file(content, f"answer-{filing_agency(request)}", page_headers())


async def _filed(
    request: ConsoleRequest, words: WorkbookWords
) -> tuple[list[ReadSheet], list[WorkbookRecord]]:
    filing_agency(request)
    given = (await request.form()).get("file")
    raw = await given.read() if isinstance(given, UploadFile) else b""
    if not raw:
        raise UnreadableDocument("the form has no file")
    sheets = await request.shared.workbooks.run(read_workbook, raw, words)
    results = await file_workbook(request.context, request.actor, sheets, words, now=utc_now())
    return sheets, results


async def _page(
    request: ConsoleRequest, *, fault: UnreadableDocument | None = None
) -> Response[bytes]:
    agency = filing_agency(request)
    found = await list_agency_records(request.context, agency)
    words = _words(request)
    said = words.render(fault.saying) if isinstance(fault, UnreadableWorkbook) else None

    def view(reader: Reader) -> Mapping[str, Any]:
        return {
            "levels": [(code, label(reader, "risk_level", code)) for code in _LEVELS],
            "records": [
                (record, words.pick(name) if name else record) for record, name in found.items()
            ],
            "said": said,
            "no_file": fault is not None and said is None,
        }

    return await console_page(request, "workbooks.html", view, status=422 if fault else 200)


def _result_view(
    _: Reader, *, results: Sequence[WorkbookRecord], words: WorkbookWords
) -> Mapping[str, Any]:
    return {
        "results": [
            {
                "record": one.record,
                "has_draft": one.tag is not None and one.record is not None,
                "sheet": one.sheet,
                "cell": one.cell,
                "outcome": one.outcome,
                "detail": one.detail,
                "publishable": one.publishable,
                "findings": finding_lines(one, words),
                "more": one.findings_total - len(one.findings),
            }
            for one in results
        ],
        "refused": sum(one.outcome == "refused" for one in results),
    }


async def _made(
    request: ConsoleRequest,
    sources: Sequence[Any],
    words: WorkbookWords,
    *,
    name: str,
    layout: WorkbookLayout = "form",
) -> Response[bytes]:
    limit = request.settings.limit_exports
    await limits.spend(
        request.context.database,
        "exports",
        f"member {request.user.id}",
        per_minute=limit,
        now=utc_now(),
    )
    content = await request.shared.workbooks.run(make_workbook, sources, words, layout=layout)
    return workbook_file(content, name, page_headers())


def _words(request: ConsoleRequest) -> WorkbookWords:
    return WorkbookWords(
        request.context.pack, request.language, request.context.pack.day(utc_now())
    )
