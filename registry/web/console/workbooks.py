"""Filing by workbook in the console: take one, send it, read or take back what became of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath

from registry.api.operations import XLSX
from registry.api.request_context import ApiRequest
from registry.clock import utc_now
from registry.errors import InvalidParameter, UnreadableDocument
from registry.exchange.workbooks.answer import finding_lines, write_answer
from registry.exchange.workbooks.file import UnreadableWorkbook
from registry.exchange.workbooks.filing import file_workbook
from registry.exchange.workbooks.making import (
    WorkbookLayout,
    make_workbook,
    new_source,
    read_sources,
)
from registry.exchange.workbooks.reading import ReadSheet, read_workbook
from registry.exchange.workbooks.results import WorkbookRecord
from registry.exchange.workbooks.sheets import MAX_BYTES
from registry.exchange.workbooks.words import WorkbookWords
from registry.pages.reader import Reader, label
from registry.record.ids import is_id
from registry.services import limits
from registry.services.drafts import draft_not_found
from registry.services.workbooks import list_agency_records
from registry.web.console.page import (
    ConsoleState,
    SignedIn,
    console_page,
    page_headers,
)
from registry.work import in_thread

_BESIDE_FILE = 64 * 1024
"""Bytes of a form beside the file that it brings."""

_LEVELS = ("minimal", "limited", "high", "unacceptable")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


@get("/{lang:str}/workbooks")
async def workbooks_page(
    request: ApiRequest,
    state: ConsoleState,
    lang: FromPath[str],
    signed_in: NamedDependency[SignedIn],
) -> Response[bytes]:
    """Show which workbooks can be taken, and the form that sends one."""
    return await _page(request, state, signed_in, lang)


@get("/{lang:str}/workbooks/new.xlsx")
async def take_new_workbook(
    request: ApiRequest,
    state: ConsoleState,
    lang: FromPath[str],
    signed_in: NamedDependency[SignedIn],
) -> Response[bytes]:
    """Return a workbook for a new record of the member's agency."""
    agency = _agency_of(signed_in)
    risk = request.query_params.get("risk") or None
    if risk is not None and risk not in _LEVELS:
        raise InvalidParameter(f"risk: {risk!r} is no risk level")
    words = WorkbookWords(state.context.pack, lang)
    sources = [new_source(words, agency=agency, risk=risk)]
    name = f"{agency}-{risk}" if risk else agency
    return await _made(state, signed_in, sources, words, name=name)


@get("/{lang:str}/workbooks/record.xlsx")
async def take_record_workbook(
    request: ApiRequest,
    state: ConsoleState,
    lang: FromPath[str],
    signed_in: NamedDependency[SignedIn],
) -> Response[bytes]:
    """Return a record of the member's agency as a workbook: its draft, or what is published."""
    record = request.query_params.get("record") or ""
    if not is_id(record) or record.partition("/")[0] != _agency_of(signed_in):
        raise draft_not_found(record[:100])
    words = WorkbookWords(state.context.pack, lang)
    sources = await read_sources(state.context, [record], lambda _: signed_in.actor)
    return await _made(state, signed_in, sources, words, name=record)


@get("/{lang:str}/workbooks/all.xlsx")
async def take_all_workbook(
    state: ConsoleState, lang: FromPath[str], signed_in: NamedDependency[SignedIn]
) -> Response[bytes]:
    """Return all records of the member's agency as a table."""
    agency = _agency_of(signed_in)
    words = WorkbookWords(state.context.pack, lang)
    found = await list_agency_records(state.context, agency)
    sources = await read_sources(state.context, list(found), lambda _: signed_in.actor)
    return await _made(state, signed_in, sources, words, name=agency, layout="table")


@post("/{lang:str}/workbooks", status_code=200, request_max_body_size=MAX_BYTES + _BESIDE_FILE)
async def send_workbook(
    request: ApiRequest,
    state: ConsoleState,
    lang: FromPath[str],
    signed_in: NamedDependency[SignedIn],
) -> Response[bytes]:
    """Save the records of a workbook as drafts, and show what became of each."""
    words = WorkbookWords(state.context.pack, lang)
    try:
        _, results = await _filed(request, state, signed_in, words)
    except UnreadableDocument as error:
        return await _page(request, state, signed_in, lang, fault=error)
    view = partial(_result_view, results=results, words=words)
    return await console_page(request, "workbook_result.html", view)


@post(
    "/{lang:str}/workbooks/answer.xlsx",
    status_code=200,
    request_max_body_size=MAX_BYTES + _BESIDE_FILE,
)
async def send_and_take_workbook(
    request: ApiRequest,
    state: ConsoleState,
    lang: FromPath[str],
    signed_in: NamedDependency[SignedIn],
) -> Response[bytes]:
    """Save the records of a workbook as drafts, and give it back with its findings."""
    words = WorkbookWords(state.context.pack, lang)
    try:
        sheets, results = await _filed(request, state, signed_in, words)
    except UnreadableDocument as error:
        return await _page(request, state, signed_in, lang, fault=error)
    async with state.workbooks:
        content = await in_thread(write_answer, sheets, results, words)
    return _file(content, f"answer-{_agency_of(signed_in)}")


async def _filed(
    request: ApiRequest, state: ConsoleState, signed_in: SignedIn, words: WorkbookWords
) -> tuple[list[ReadSheet], list[WorkbookRecord]]:
    _agency_of(signed_in)
    given = (await request.form()).get("file")
    raw = await given.read() if isinstance(given, UploadFile) else b""
    if not raw:
        raise UnreadableDocument("the form has no file")
    async with state.workbooks:
        sheets = await in_thread(read_workbook, raw, words)
    results = await file_workbook(state.context, signed_in.actor, sheets, words, now=utc_now())
    return sheets, results


async def _page(
    request: ApiRequest,
    state: ConsoleState,
    signed_in: SignedIn,
    language: str,
    *,
    fault: UnreadableDocument | None = None,
) -> Response[bytes]:
    agency = _agency_of(signed_in)
    found = await list_agency_records(state.context, agency)
    words = WorkbookWords(state.context.pack, language)
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
    state: ConsoleState,
    signed_in: SignedIn,
    sources: Sequence[Any],
    words: WorkbookWords,
    *,
    name: str,
    layout: WorkbookLayout = "form",
) -> Response[bytes]:
    limit = state.settings.limit_exports
    await limits.spend(
        state.context.database,
        "exports",
        f"member {signed_in.member.id}",
        per_minute=limit,
        burst=limit,
        now=utc_now(),
    )
    async with state.workbooks:
        content = await in_thread(make_workbook, sources, words, layout=layout)
    return _file(content, name)


def _file(content: bytes, name: str) -> Response[bytes]:
    plain = _NOT_IN_NAMES.sub("-", name)
    headers = {**page_headers(), "content-disposition": f'attachment; filename="{plain}.xlsx"'}
    return Response(content, media_type=XLSX, headers=headers)


def _agency_of(signed_in: SignedIn) -> str:
    """Return the agency that a member files for; the authority's own file for none."""
    signed_in.actor.require("file")
    return signed_in.actor.agency or ""
