"""Records in the console: the agency's list, a new one, the task list, and what is done to it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from litestar import Response, get, post

from registry.api.parameters import RecordPath
from registry.clock import utc_now
from registry.errors import InvalidRecord
from registry.exchange.identity import words
from registry.pages.labels import message
from registry.services import drafts, policy, review
from registry.services.drafts import Precondition
from registry.services.working_records import WorkingRecord, read_agency_work
from registry.web.console.acts import BLOCKED
from registry.web.console.form_pages import record_head
from registry.web.console.form_reading import Typed, gather, typed_once
from registry.web.console.page import ConsoleRequest, console_page, filing_agency, see_other
from registry.web.console.record_pages import (
    first_document,
    home_view,
    new_view,
    task_list_view,
)
from registry.web.console.sessions import read_fields

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_SLUG = 60

_SAVED_FOR_REVIEW = message(
    "Submitted. Another person reads it now; you are told what becomes of it."
)
_PUBLISHED = message("Published. The public page follows within seconds.")
_UNCHANGED = message("Nothing has changed since the last version, so nothing was published.")
_THROWN_AWAY = message("Thrown away.")
_TAKEN_BACK = message("Taken back. You can change it again.")


@get("/{lang:str}/")
async def home_page(request: ConsoleRequest) -> Response[bytes]:
    """Show what the member's agency works on and has filed; who files nothing sees her own work."""
    actor = request.actor
    if not policy.allows(actor, "file", actor.agency):
        return await see_other(request, "review/" if "review" in actor.scopes else "members")
    agency, today = actor.agency or "", utc_now().date()
    begun, filed = await read_agency_work(request.context, agency, **request.options)
    view = partial(home_view, agency=agency, drafts=begun, filed=filed, today=today)
    return await console_page(request, "records.html", view)


@get("/{lang:str}/records/new")
async def show_new(request: ConsoleRequest) -> Response[bytes]:
    """Show the page on which a record begins."""
    return await _show_new(request, typed={}, faults={})


@post("/{lang:str}/records/new", status_code=200)
async def begin_record(request: ConsoleRequest) -> Response[bytes]:
    """Begin a draft, with what the agency has said before."""
    typed = gather(await read_fields(request))
    context, agency = request.context, filing_agency(request)
    begun, filed = await read_agency_work(context, agency, **request.options)
    name, source = typed_once("name", typed), typed_once("source", typed)
    slug = typed_once("slug", typed)
    taken = {one.draft.record for one in begun} | {one.id for one in filed}
    faults = {}
    if not name:
        faults["name"] = "missing"
    if source not in context.pack.languages:
        faults["source"] = "missing"
    if slug and not _SLUG.fullmatch(slug):
        faults["slug"] = "malformed"
    elif f"{agency}/{slug}" in taken:
        faults["slug"] = "taken"
    if faults:
        return await _show_new(request, typed=typed, faults=faults)
    record = f"{agency}/{slug}" if slug else _free_id(agency, name, taken)
    copied = typed_once("from", typed)
    latest = max(filed, key=lambda one: one.published_at, default=None)
    said_before = (
        begun[-1].document
        if begun
        else (await request.working(latest.id)).document
        if latest is not None and latest.state == "published"
        else {}
    )
    document = first_document(
        record,
        name=name,
        source=source,
        languages=[tag for tag in typed.get("language", ()) if tag in context.pack.languages],
        like=(await request.working(copied)).document if copied else None,
        contact=said_before.get("contact"),
    )
    await drafts.save_draft(
        context,
        request.actor,
        record,
        document,
        precondition=Precondition(new=True),
        **request.options,
    )
    return await see_other(request, f"records/{record}/system")


@get("/{lang:str}/records/{agency:str}/{slug:str}/")
async def show_record(request: ConsoleRequest, record: RecordPath) -> Response[bytes]:
    """Show the task list of a record."""
    return await _show_record(request, await request.working(record))


@post("/{lang:str}/records/{agency:str}/{slug:str}/submit", status_code=200)
async def submit_record(request: ConsoleRequest, record: RecordPath) -> Response[bytes]:
    """Publish a draft or put it into review, or show every reason why not."""
    context = request.context
    tag = typed_once("tag", gather(await read_fields(request)))
    try:
        receipt = await review.submit(context, request.actor, record, **request.tagged(tag))
    except InvalidRecord:
        return await _show_record(request, await request.working(record), refused=True)
    said = {"in_review": _SAVED_FOR_REVIEW, "unchanged": _UNCHANGED}
    if context.guard.is_blocked:
        said["published"] = BLOCKED
    return await see_other(request, f"records/{record}/", said.get(receipt.outcome, _PUBLISHED))


@post("/{lang:str}/records/{agency:str}/{slug:str}/take-back", status_code=200)
async def take_back_record(request: ConsoleRequest, record: RecordPath) -> Response[bytes]:
    """Take a draft back from review, with everything that is in it."""
    await review.take_back(request.context, request.actor, record, now=utc_now())
    return await see_other(request, f"records/{record}/", _TAKEN_BACK)


@get("/{lang:str}/records/{agency:str}/{slug:str}/delete")
async def show_deletion(request: ConsoleRequest, record: RecordPath) -> Response[bytes]:
    """Ask whether a draft is to be thrown away."""
    working = await request.working(record)
    if working.draft is None:
        raise drafts.draft_not_found(working.record)
    return await console_page(
        request,
        "delete.html",
        lambda reader: {
            "r": record_head(reader, working.document),
            "tag": working.tag,
            "amends": working.amends,
        },
    )


@post("/{lang:str}/records/{agency:str}/{slug:str}/delete", status_code=200)
async def delete_record(request: ConsoleRequest, record: RecordPath) -> Response[bytes]:
    """Throw a draft away; what is published stays."""
    typed = gather(await read_fields(request))
    await drafts.delete_draft(
        request.context,
        request.actor,
        record,
        precondition=Precondition(tag=typed_once("tag", typed)),
        now=utc_now(),
    )
    return await see_other(request, "", _THROWN_AWAY)


async def _show_record(
    request: ConsoleRequest, working: WorkingRecord, *, refused: bool = False
) -> Response[bytes]:
    def view(reader: Any) -> dict[str, Any]:
        shown = task_list_view(reader, working, refused=refused)
        return {**shown, "review": request.context.takes_review}

    return await console_page(request, "record.html", view, status=422 if refused else 200)


async def _show_new(
    request: ConsoleRequest, *, typed: Typed, faults: Mapping[str, str]
) -> Response[bytes]:
    agency = filing_agency(request)
    _, filed = await read_agency_work(request.context, agency, **request.options)
    view = partial(new_view, agency=agency, filed=filed, typed=typed, faults=faults)
    return await console_page(request, "new.html", view, status=422 if faults else 200)


def _free_id(agency: str, name: str, taken: Collection[str]) -> str:
    """Return an identifier made of the name, that no record of the agency has."""
    slug, _ = words(name, _LONGEST_SLUG)
    numbered = (f"{agency}/{slug or 'system'}-{number}" for number in range(2, len(taken) + 3))
    first = f"{agency}/{slug}" if slug else f"{agency}/system-1"
    return first if first not in taken else next(one for one in numbered if one not in taken)
