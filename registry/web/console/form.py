"""The form of a record, a page at a time: shown, saved, and what was typed never lost."""

from __future__ import annotations

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from registry.api.parameters import RecordPath
from registry.clock import utc_now
from registry.errors import Conflict, InvalidRecord, NotFound, PreconditionFailed
from registry.pages.labels import message
from registry.record.model import Document
from registry.services import drafts, review
from registry.services.working_records import WorkingRecord, examine
from registry.web.console.form_layout import pages, units_of
from registry.web.console.form_pages import (
    following,
    form_page_view,
    newly_asked,
    record_head,
    seen_digest,
)
from registry.web.console.form_reading import Typed, gather, read_page, typed_once
from registry.web.console.page import ConsoleRequest, console_page, see_other
from registry.web.console.sessions import kept_fields, read_fields

_SAVED = message("Saved.")
_ASKS_MORE = message("Saved. Your answers ask for something more on this page.")


@get("/{lang:str}/records/{agency:str}/{slug:str}/{page:str}")
async def show_form(
    request: ConsoleRequest, record: RecordPath, page: FromPath[str]
) -> Response[bytes]:
    """Show a page of the form, with what was typed before a session ended."""
    _require_page(page)
    working = await request.working(record)
    kept = await kept_fields(request)
    first = request.context.pack.languages[0]
    document = (
        None if kept is None else read_page(working.document, units_of(page), gather(kept), first)
    )
    extended = request.query_params.getall("add", [])
    return await _show(request, working, page, typed=document, extended=extended)


@post("/{lang:str}/records/{agency:str}/{slug:str}/{page:str}", status_code=200)
async def save_form(
    request: ConsoleRequest, record: RecordPath, page: FromPath[str]
) -> Response[bytes]:
    """Save a page, whatever is still missing; show it again with what cannot be read.

    Others' changes of the same page are shown beside one's own before they are replaced.
    """
    _require_page(page)
    typed = gather(await read_fields(request))
    context = request.context
    for last_try in (False, True):
        working = await request.working(record)
        document = read_page(working.document, units_of(page), typed, context.pack.languages[0])
        if typed_once("seen", typed) != seen_digest(working.document, page):
            return await _show(request, working, page, typed=document, clash=True)
        try:
            if document != working.document:
                await drafts.save_draft(
                    context, request.actor, record, document, **request.tagged(working.tag)
                )
            break
        except PreconditionFailed:
            # Another page of the form was saved in between: what this one holds is as it was.
            if last_try:
                raise
        except (InvalidRecord, Conflict) as error:
            refused = error if isinstance(error, InvalidRecord) else None
            return await _show(request, working, page, typed=document, refused=refused)
    return await _next(request, working.document, document, page, typed)


async def _next(
    request: ConsoleRequest, before: Document, document: Document, page: str, typed: Typed
) -> Response[bytes]:
    """Go where the person asked to go: on, to the overview, or to a new entry of a list.

    Nobody goes on before what her answers ask for besides, on the same page, was shown to her.
    """
    here = f"records/{document['id']}/"
    if typed_once("then", typed) == "stay":
        answer = {"seen": seen_digest(document, page)}
        return Response(msgspec.json.encode(answer), media_type="application/json")
    if added := typed_once("add", typed):
        anchor = "f" + added.replace("/", "-")
        return await see_other(request, f"{here}{page}?add={added}#{anchor}")
    if typed_once("then", typed) != "next":
        return await see_other(request, here, _SAVED)
    if newly := newly_asked(before, document, page, request.context.pack, utc_now().date()):
        anchor = "f" + newly[0].replace("/", "-")
        return await see_other(request, f"{here}{page}#{anchor}", _ASKS_MORE)
    after = following(document, page)
    return await see_other(request, here + (after or ""), _SAVED)


async def _show(
    request: ConsoleRequest,
    working: WorkingRecord,
    page: str,
    *,
    typed: Document | None = None,
    extended: list[str] | None = None,
    refused: InvalidRecord | None = None,
    clash: bool = False,
) -> Response[bytes]:
    """Show a page of what is saved, or of what was typed and is not saved."""
    shown = working.document if typed is None else typed
    verdict = working.verdict
    if typed is not None:
        verdict = await examine(request.context, working.around, typed, **request.options)
    findings = verdict.findings
    if refused is not None:
        known = {(one.pointer, one.rule) for one in findings}
        findings += tuple(one for one in refused.findings if (one.pointer, one.rule) not in known)
    seen = seen_digest(working.document, page)
    draft = working.draft
    return await console_page(
        request,
        "page.html",
        lambda reader: {
            "r": record_head(reader, working.document),
            "seen": seen,
            "clash": clash,
            "in_review": draft is not None and draft.state == "in_review",
            **form_page_view(
                reader,
                page,
                shown,
                findings,
                today=utc_now().date(),
                extended=extended or (),
                comments=review.comments_of(draft) if draft is not None else None,
                theirs=working.document if clash else None,
            ),
        },
        status=409 if clash else 200 if typed is None else 422,
    )


def _require_page(page: str) -> None:
    if page not in pages():
        raise NotFound(f"the form has no page {page}")
