"""Records in the console: the agency's list, a new one, the task list, and what is done to it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from registry.api.request_context import ApiRequest
from registry.clock import utc_now
from registry.errors import InvalidRecord
from registry.exchange.identity import words
from registry.pages.labels import message
from registry.record.model import Document
from registry.services import drafts, review
from registry.services.context import ServiceContext
from registry.services.drafts import Precondition
from registry.services.working_records import (
    WorkingRecord,
    read_agency_work,
    read_working_record,
)
from registry.web.console.acts import BLOCKED
from registry.web.console.form_pages import record_head
from registry.web.console.form_reading import Typed, gather, typed_once
from registry.web.console.page import ConsoleState, SignedIn, console_page, see_other
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
async def home_page(
    request: ApiRequest,
    state: ConsoleState,
    lang: FromPath[str],
    signed_in: NamedDependency[SignedIn],
) -> Response[bytes]:
    """Show what the member's agency works on and has filed; who files nothing sees her own work."""
    scopes = signed_in.actor.scopes
    if "file" not in scopes:
        return await see_other(request, "review/" if "review" in scopes else "members")
    now, agency = utc_now(), signed_in.actor.agency or ""
    begun, filed = await read_agency_work(state.context, agency, now=now, language=lang)
    view = partial(home_view, agency=agency, drafts=begun, filed=filed, today=now.date())
    return await console_page(request, "records.html", view)


@get("/{lang:str}/records/new")
async def show_new(
    request: ApiRequest,
    state: ConsoleState,
    lang: FromPath[str],
    signed_in: NamedDependency[SignedIn],
) -> Response[bytes]:
    """Show the page on which a record begins."""
    return await _show_new(request, state.context, lang, signed_in, typed={}, faults={})


@post("/{lang:str}/records/new", status_code=200)
async def begin_record(
    request: ApiRequest,
    state: ConsoleState,
    lang: FromPath[str],
    signed_in: NamedDependency[SignedIn],
) -> Response[bytes]:
    """Begin a draft, with what the agency has said before."""
    typed = gather(await read_fields(request))
    actor, context, now = signed_in.actor, state.context, utc_now()
    agency = _agency_of(signed_in)
    begun, filed = await read_agency_work(context, agency, now=now, language=lang)
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
        return await _show_new(request, context, lang, signed_in, typed=typed, faults=faults)
    record = f"{agency}/{slug}" if slug else _free_id(agency, name, taken)

    async def document_of(record: str) -> Document:
        working = await read_working_record(context, actor, record, now=now, language=lang)
        return working.document

    copied = typed_once("from", typed)
    latest = max(filed, key=lambda one: one.published_at, default=None)
    said_before = (
        begun[-1].document
        if begun
        else await document_of(latest.id)
        if latest is not None and latest.state == "published"
        else {}
    )
    document = first_document(
        record,
        name=name,
        source=source,
        languages=[tag for tag in typed.get("language", ()) if tag in context.pack.languages],
        like=await document_of(copied) if copied else None,
        contact=said_before.get("contact"),
    )
    await drafts.save_draft(
        context,
        actor,
        record,
        document,
        precondition=Precondition(new=True),
        now=now,
        language=lang,
    )
    return await see_other(request, f"records/{record}/system")


@get("/{lang:str}/records/{agency:str}/{slug:str}/")
async def show_record(
    *,
    request: ApiRequest,
    state: ConsoleState,
    lang: FromPath[str],
    agency: FromPath[str],
    slug: FromPath[str],
    signed_in: NamedDependency[SignedIn],
) -> Response[bytes]:
    """Show the task list of a record."""
    working = await read_working_record(
        state.context, signed_in.actor, f"{agency}/{slug}", now=utc_now(), language=lang
    )
    return await _show_record(request, state.context, working)


@post("/{lang:str}/records/{agency:str}/{slug:str}/submit", status_code=200)
async def submit_record(
    *,
    request: ApiRequest,
    state: ConsoleState,
    lang: FromPath[str],
    agency: FromPath[str],
    slug: FromPath[str],
    signed_in: NamedDependency[SignedIn],
) -> Response[bytes]:
    """Publish a draft or put it into review, or show every reason why not."""
    record, context, now = f"{agency}/{slug}", state.context, utc_now()
    typed = gather(await read_fields(request))
    try:
        receipt = await review.submit(
            context,
            signed_in.actor,
            record,
            precondition=Precondition(tag=typed_once("tag", typed)),
            now=now,
            language=lang,
        )
    except InvalidRecord:
        working = await read_working_record(
            context, signed_in.actor, record, now=now, language=lang
        )
        return await _show_record(request, context, working, refused=True)
    said = {"in_review": _SAVED_FOR_REVIEW, "unchanged": _UNCHANGED}
    if context.guard.is_blocked:
        said["published"] = BLOCKED
    return await see_other(request, f"records/{record}/", said.get(receipt.outcome, _PUBLISHED))


@post("/{lang:str}/records/{agency:str}/{slug:str}/take-back", status_code=200)
async def take_back_record(
    *,
    request: ApiRequest,
    state: ConsoleState,
    agency: FromPath[str],
    slug: FromPath[str],
    signed_in: NamedDependency[SignedIn],
) -> Response[bytes]:
    """Take a draft back from review, with everything that is in it."""
    record = f"{agency}/{slug}"
    await review.take_back(state.context, signed_in.actor, record, now=utc_now())
    return await see_other(request, f"records/{record}/", _TAKEN_BACK)


@get("/{lang:str}/records/{agency:str}/{slug:str}/delete")
async def show_deletion(
    *,
    request: ApiRequest,
    state: ConsoleState,
    lang: FromPath[str],
    agency: FromPath[str],
    slug: FromPath[str],
    signed_in: NamedDependency[SignedIn],
) -> Response[bytes]:
    """Ask whether a draft is to be thrown away."""
    working = await read_working_record(
        state.context, signed_in.actor, f"{agency}/{slug}", now=utc_now(), language=lang
    )
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
async def delete_record(
    *,
    request: ApiRequest,
    state: ConsoleState,
    agency: FromPath[str],
    slug: FromPath[str],
    signed_in: NamedDependency[SignedIn],
) -> Response[bytes]:
    """Throw a draft away; what is published stays."""
    typed = gather(await read_fields(request))
    await drafts.delete_draft(
        state.context,
        signed_in.actor,
        f"{agency}/{slug}",
        precondition=Precondition(tag=typed_once("tag", typed)),
        now=utc_now(),
    )
    return await see_other(request, "", _THROWN_AWAY)


async def _show_record(
    request: ApiRequest, context: ServiceContext, working: WorkingRecord, *, refused: bool = False
) -> Response[bytes]:
    def view(reader: Any) -> dict[str, Any]:
        shown = task_list_view(reader, working, refused=refused)
        return {**shown, "review": context.review == "required"}

    return await console_page(request, "record.html", view, status=422 if refused else 200)


async def _show_new(
    request: ApiRequest,
    context: ServiceContext,
    lang: str,
    signed_in: SignedIn,
    *,
    typed: Typed,
    faults: Mapping[str, str],
) -> Response[bytes]:
    agency = _agency_of(signed_in)
    _, filed = await read_agency_work(context, agency, now=utc_now(), language=lang)
    view = partial(new_view, agency=agency, filed=filed, typed=typed, faults=faults)
    return await console_page(request, "new.html", view, status=422 if faults else 200)


def _agency_of(signed_in: SignedIn) -> str:
    """Return the agency that a member files for; the authority's own file for none."""
    signed_in.actor.require("file")
    return signed_in.actor.agency or ""


def _free_id(agency: str, name: str, taken: Collection[str]) -> str:
    """Return an identifier made of the name, that no record of the agency has."""
    slug, _ = words(name, _LONGEST_SLUG)
    numbered = (f"{agency}/{slug or 'system'}-{number}" for number in range(2, len(taken) + 3))
    first = f"{agency}/{slug}" if slug else f"{agency}/system-1"
    return first if first not in taken else next(one for one in numbered if one not in taken)
