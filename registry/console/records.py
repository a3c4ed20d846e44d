"""Records in the console: the agency's list, a new one, the task list, and what is done to it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from litestar import Response, get, post

from registry.api.parameters import RecordPath
from registry.clock import utc_now
from registry.console.acts import BLOCKED
from registry.console.form import comment_text, finding_links, progress, record_head
from registry.console.form_layout import page_at
from registry.console.form_reading import Typed, gather, typed_once
from registry.console.page import ConsoleRequest, console_page, filing_agency, see_other
from registry.console.sessions import FOR_EVER, kept_fields, read_fields
from registry.errors import InvalidRecord, PreconditionFailed
from registry.imports.identity import words
from registry.pages.labels import message
from registry.pages.reader import Reader, label, language, say
from registry.pages.views.document_view import field_name
from registry.record.ids import agency_of, is_id
from registry.record.model import Document
from registry.record.pack import law_of
from registry.record.pointers import dig
from registry.record.schema import SCHEMA_VERSION, links_of
from registry.record.short_code import spaced
from registry.services import policy
from registry.services.filing import drafts, review
from registry.services.filing.drafts import Precondition, RecordTaken, SavedDraft
from registry.services.filing.review import comments_of
from registry.services.filing.working_records import WorkingRecord, read_agency_work
from registry.store.links import BrokenLink, digest_of, read_broken
from registry.store.records import AgencyRecord
from registry.text.arabizi import transliterate


def home_view(
    reader: Reader,
    agency: str,
    drafts: Iterable[SavedDraft],
    filed: Iterable[AgencyRecord],
    *,
    broken: Iterable[BrokenLink],
    today: dt.date,
) -> dict[str, Any]:
    """Build the list of what an agency works on, and of what it has filed."""
    broken_in = Counter(one.record for one in broken)
    named = reader.pack.agencies.get(agency)
    begun = [_draft_line(reader, one) for one in drafts]
    amended = {line["id"] for line in begun}
    in_force = [one for one in filed if one.state == "published"]
    return {
        "agency": say(reader, named.name) if named is not None else None,
        "law_changes": agency
        if in_force and law_of(reader.pack, today, ahead=True).demands
        else None,
        "drafts": begun,
        "records": [
            _record_line(reader, one, today=today, amended=one.id in amended)
            | {"broken_links": broken_in[one.id]}
            for one in sorted(in_force, key=_by_review)
        ],
        "withdrawn": [
            _record_line(reader, one, today=today, amended=one.id in amended)
            for one in filed
            if one.state == "withdrawn"
        ],
    }


def new_view(
    reader: Reader,
    agency: str,
    filed: Iterable[AgencyRecord],
    *,
    typed: Mapping[str, Sequence[str]],
    faults: Mapping[str, str],
) -> dict[str, Any]:
    """Build the page on which a record begins; `faults` are messages by the name of the field."""
    pack = reader.pack
    source = next(iter(typed.get("source", ())), None) or (
        reader.tag if reader.tag in pack.languages else pack.languages[0]
    )
    chosen = typed.get("language", ()) if typed else {*pack.required_any, source}
    return {
        "agency_code": agency,
        "languages": [(language(reader, tag), tag in chosen, tag) for tag in pack.languages],
        "source": source,
        "needed": [language(reader, tag) for tag in pack.required_at_high],
        "copied": next(iter(typed.get("from", ())), ""),
        "earlier": [(one.id, say(reader, one.name)) for one in filed if one.state == "published"],
        "name": next(iter(typed.get("name", ())), ""),
        "slug": next(iter(typed.get("slug", ())), ""),
        "faults": faults,
    }


def task_list_view(
    reader: Reader,
    working: WorkingRecord,
    *,
    broken: Iterable[BrokenLink] = (),
    refused: bool = False,
) -> dict[str, Any]:
    """Build the page of a record that is worked on; `refused` if a submission was."""
    fault_of = {one.digest: one for one in broken}
    draft, verdict, current = working.draft, working.verdict, working.register_context.current
    steps = progress(working.document, verdict.findings, reader.pack, reader.pack.day(utc_now()))
    return {
        "r": record_head(reader, working.document),
        "steps": steps,
        "open": sum(step.asked - step.met for step in steps),
        "faults": sum(step.faults for step in steps),
        "completeness": verdict.completeness / 100,
        "publishable": verdict.publishable,
        "findings": finding_links(verdict.findings),
        "upcoming": finding_links(verdict.upcoming),
        "broken_links": [
            {
                "page": page_at(place),
                "anchor": "f" + place.replace("/", "-"),
                "field": field_name(reader, place),
                "url": url,
                "fault": fault_of[digest],
            }
            for place, url in links_of(working.document)
            for digest in [digest_of(url)]
            if digest in fault_of
        ],
        "refused": refused,
        "tag": working.tag,
        "draft": draft,
        "in_review": draft is not None and draft.state == "in_review",
        "comment": comment_text(reader, msgspec.json.decode(draft.comment))
        if draft is not None and draft.state == "draft" and draft.comment is not None
        else None,
        "remarks": [
            {
                "page": page_at(place),
                "anchor": "f" + place.replace("/", "-"),
                "field": field_name(reader, place),
                "text": comment_text(reader, said),
            }
            for place, said in comments_of(draft).items()
        ]
        if draft is not None and draft.state == "draft"
        else [],
        "version": current.version if current is not None else None,
        "amends": working.amends,
        "code": None if current is None or current.code is None else spaced(current.code),
    }


def _draft_line(reader: Reader, one: SavedDraft) -> dict[str, Any]:
    draft, document, verdict = one.draft, one.document, one.verdict
    steps = progress(document, verdict.findings, reader.pack, reader.pack.day(utc_now()))
    return {
        **record_head(reader, document),
        "state": "returned" if draft.state == "draft" and draft.returned_at else draft.state,
        "since": (draft.submitted_at or draft.saved_at)
        if draft.state == "in_review"
        else draft.saved_at,
        "open": sum(step.asked - step.met for step in steps),
        "faults": sum(step.faults for step in steps),
        "completeness": verdict.completeness / 100,
        "amends": draft.base is not None,
    }


def _record_line(
    reader: Reader, one: AgencyRecord, *, today: dt.date, amended: bool
) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": say(reader, one.name or None),
        "risk": label(reader, "risk_level", one.risk),
        "status": label(reader, "status", one.status),
        "version": one.version,
        "completeness": one.completeness / 100,
        "findings": one.findings,
        "review": one.next_review_on.isoformat() if one.next_review_on else None,
        "overdue": one.next_review_on is not None
        and one.next_review_on < today
        and one.status != "retired",
        "amended": amended,
    }


def _by_review(record: AgencyRecord) -> tuple[str, str]:
    due = record.next_review_on
    return ("9999" if due is None else due.isoformat(), record.id)


def first_document(
    record: str,
    *,
    name: str,
    source: str,
    languages: Iterable[str],
    like: Document | None,
    contact: Document | None,
) -> Document:
    """Return the document that a record begins with: a copy of another one, or its first answers.

    What the agency has said already, such as whom to write to, is not asked again in the record's
    languages.
    """
    among = dict.fromkeys((source, *languages))
    begun: Document = {
        "id": record,
        "schema_version": SCHEMA_VERSION,
        "name": {source: name},
        "languages": {"source": source, "translation_status": dict.fromkeys(among, "authored")},
        "publication": {"visibility": "public"},
    }
    status = dict.fromkeys(among, "authored")
    if like is not None:
        status = (dig(like, "languages", "translation_status") or {}) | status
        begun["languages"]["translation_status"] = status
    if contact is not None:
        begun["contact"] = _in_languages(contact, status)
    if like is None:
        return begun
    publication = {
        key: value
        for key, value in like.get("publication", {}).items()
        if key not in {"change_note", "changed_on"}
    }
    return {
        **{key: value for key, value in like.items() if key != "source_id"},
        **begun,
        "publication": {"visibility": "public", **publication},
    }


def _in_languages(section: Document, among: Collection[str]) -> Document:
    """Return a section without its texts in other languages, which would be the record's too."""
    kept = {
        name: {tag: text for tag, text in value.items() if tag in among}
        if isinstance(value, dict)
        else value
        for name, value in section.items()
    }
    return {name: value for name, value in kept.items() if value != {}}


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
        own = "members" if policy.manages(actor) else "privacy"
        return await see_other(request, "review/" if "review" in actor.scopes else own)
    agency, today = actor.agency or "", utc_now().date()
    begun, filed = await read_agency_work(request.context, agency, **request.options)
    async with request.context.database.connection() as connection:
        broken = await read_broken(connection, agency)
    view = partial(home_view, agency=agency, drafts=begun, filed=filed, broken=broken, today=today)
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
    if slug and not is_id(f"{agency}/{slug}"):
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


@get("/{lang:str}/records/{agency:str}/{slug:str}/submit")
async def show_submission(request: ConsoleRequest, record: RecordPath) -> Response[bytes]:
    """Ask whether a draft is to be submitted, and under which address if that is its first time."""
    working = await request.working(record)
    if working.draft is None:
        raise drafts.draft_not_found(working.record)
    if not working.verdict.publishable:
        return await _show_record(request, working, refused=True)
    kept = gather(await kept_fields(request) or ())
    return await _ask(request, working, slug=typed_once("slug", kept))


@post("/{lang:str}/records/{agency:str}/{slug:str}/submit", status_code=200, opt={FOR_EVER: True})
async def submit_record(request: ConsoleRequest, record: RecordPath) -> Response[bytes]:
    """Publish a draft or put it into review, or show every reason why not.

    Before the first publication the record takes the address that was typed, if that is another.
    """
    context = request.context
    typed = gather(await read_fields(request))
    tag, slug = typed_once("tag", typed), typed_once("slug", typed)
    renamed = f"{agency_of(record)}/{slug}" if slug else record
    is_renamed = renamed != record
    if is_renamed:
        working = await request.working(record)
        if not is_id(renamed):
            return await _ask(request, working, slug=slug, fault="malformed")
        try:
            tag = await drafts.rename_draft(
                context,
                request.actor,
                record,
                renamed,
                precondition=Precondition(tag=tag),
                now=utc_now(),
            )
        except RecordTaken:
            return await _ask(request, working, slug=slug, fault="taken")
        record = renamed
    try:
        receipt = await review.submit(context, request.actor, record, **request.tagged(tag))
    except (InvalidRecord, PreconditionFailed) as error:
        if is_renamed:
            # There is nothing at the address of this page any more.
            return await see_other(request, f"records/{record}/submit")
        if isinstance(error, PreconditionFailed):
            raise
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
    async with request.context.database.connection() as connection:
        broken = await read_broken(connection, agency_of(working.record), working.record)

    def view(reader: Any) -> dict[str, Any]:
        shown = task_list_view(reader, working, broken=broken, refused=refused)
        return {**shown, "review": request.context.takes_review}

    return await console_page(request, "record.html", view, status=422 if refused else 200)


async def _ask(
    request: ConsoleRequest, working: WorkingRecord, *, slug: str = "", fault: str | None = None
) -> Response[bytes]:
    agency, _, own = working.record.partition("/")
    view = {
        "agency_code": agency,
        "slug": slug or own,
        "fault": fault,
        "tag": working.tag,
        "amends": working.amends,
        "is_new": working.register_context.current is None,
        "review": request.context.takes_review,
        "public": f"{request.settings.base_url}/{request.language}/records/",
    }
    return await console_page(
        request,
        "submit.html",
        lambda reader: {"r": record_head(reader, working.document), **view},
        status=422 if fault else 200,
    )


async def _show_new(
    request: ConsoleRequest, *, typed: Typed, faults: Mapping[str, str]
) -> Response[bytes]:
    agency = filing_agency(request)
    _, filed = await read_agency_work(request.context, agency, **request.options)
    view = partial(new_view, agency=agency, filed=filed, typed=typed, faults=faults)
    return await console_page(request, "new.html", view, status=422 if faults else 200)


def _free_id(agency: str, name: str, taken: Collection[str]) -> str:
    """Return an identifier made of the name in Latin letters, that no record of the agency has."""
    slug, _ = words(transliterate(name), _LONGEST_SLUG)
    first = f"{agency}/{slug or 'system'}"
    numbered = (f"{first}-{number}" for number in range(2, len(taken) + 3))
    return first if first not in taken else next(one for one in numbered if one not in taken)
