"""The form of a record, a page at a time: shown, saved, and what was typed never lost."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from registry.api.parameters import RecordPath
from registry.clock import utc_now
from registry.console.form_layout import PAGES, FormPage, page_at, pages, units_of
from registry.console.form_reading import Typed, gather, read_page, typed_once, units_typed
from registry.console.form_view import FormField, FormReader, form_languages, page_fields
from registry.console.page import ConsoleRequest, console_page, see_other
from registry.console.sessions import kept_fields, read_fields
from registry.errors import Conflict, Finding, InvalidRecord, NotFound, PreconditionFailed
from registry.pages.labels import message
from registry.pages.reader import Reader, Text, in_language, label, say, translated
from registry.pages.views.diff_view import value_view
from registry.record.canonical import canonical
from registry.record.law import Law
from registry.record.messages import Message, render
from registry.record.model import NOT_STATED, Document, LangText
from registry.record.pack import Pack, law_of
from registry.record.pointers import dig, pointer
from registry.record.requirements import (
    RISK_LEVEL,
    RequirementStatus,
    asked_of,
    covers,
    requirement_status,
    units,
)
from registry.record.risk_floor import LEVELS, floor_of
from registry.record.rule_context import make_rule_context
from registry.record.values import source_language
from registry.services.filing import drafts, review
from registry.services.filing.working_records import WorkingRecord, examine
from registry.text.dates import duration_words

PageState: TypeAlias = Literal["to_mend", "complete", "partly", "empty", "not_asked"]

_RISK = "risk"
_LACKS_LANGUAGE = "R02"
"""The rule of the findings that say in which language an answer is still asked for."""


class FormProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a page of the form is: `met` of `asked` units, and `faults` in what is stated."""

    page: FormPage
    state: PageState
    asked: int
    met: int
    faults: int


class FindingLink(msgspec.Struct, frozen=True, kw_only=True):
    """A finding with the page of the form on which its field is."""

    page: str
    anchor: str
    finding: Finding


def seen_digest(document: Document, slug: str) -> str:
    """Return the digest of what a page shows, by which a later change of it is noticed."""
    content = canonical(units_typed(document, units_of(slug)))
    return hashlib.sha256(content).hexdigest()[:32]


def progress(
    document: Document, findings: Iterable[Finding], pack: Pack, today: dt.date
) -> list[FormProgress]:
    """Return how far each page of a record's form is."""
    status = requirement_status(document, law_of(pack, today))
    findings = tuple(findings)
    absent = status.requirements.demanded.intersection((*status.absent, *half_answered(findings)))
    faults: dict[str, int] = {}
    for finding in findings:
        if (
            finding.severity == "error"
            and finding.pointer not in absent
            and finding.rule != _LACKS_LANGUAGE
        ):
            page = page_at(finding.pointer)
            faults[page] = faults.get(page, 0) + 1
    return [_progress(page, document, status, absent, faults.get(page.slug, 0)) for page in PAGES]


def half_answered(findings: Iterable[Finding]) -> set[str]:
    """Return the pointers of the units with a text that is still asked for in another language."""
    lacking = [one.pointer for one in findings if one.rule == _LACKS_LANGUAGE]
    return {unit.pointer for unit in units() for place in lacking if covers(unit.pointer, place)}


def following(document: Document, slug: str, pack: Pack, today: dt.date) -> str | None:
    """Return the next page on which an answer is missing, or None if none is."""
    steps = progress(document, (), pack, today)
    at = next(number for number, step in enumerate(steps) if step.page.slug == slug)
    return next((step.page.slug for step in steps[at + 1 :] if step.met < step.asked), None)


def open_places(document: Document, findings: Iterable[Finding], slug: str, law: Law) -> list[str]:
    """Return the pointers on a page of answers that are missing, or wrong by the rule beside it."""
    status = requirement_status(_readable(document), law)
    missing = status.requirements.demanded.intersection(status.absent)
    return [
        *(unit.pointer for unit in units_of(slug) if unit.pointer in missing),
        *(
            f"{one.pointer}:{one.rule}"
            for one in _of_page(findings, slug)
            if one.severity == "error"
            and one.rule != _LACKS_LANGUAGE
            and one.pointer not in missing
        ),
    ]


def finding_links(findings: Iterable[Finding]) -> list[FindingLink]:
    """Return findings, errors first, each with the place of the field that it is about."""
    return [
        FindingLink(
            page=page_at(finding.pointer),
            anchor="f" + finding.pointer.replace("/", "-"),
            finding=finding,
        )
        for finding in sorted(findings, key=lambda one: one.severity != "error")
    ]


def form_page_view(
    reader: Reader,
    slug: str,
    document: Document,
    findings: Sequence[Finding],
    *,
    today: dt.date,
    extended: Collection[str] = (),
    comments: Mapping[str, str | LangText] | None = None,
    theirs: Document | None = None,
) -> dict[str, Any]:
    """Build a page of fields from what is saved or typed; `extended` lists get a new entry.

    `comments` are a reviewer's by pointer.
    `theirs` is the document that somebody else saved meanwhile, shown where it differs.
    """
    pack = reader.pack
    form = FormReader(
        reader=reader,
        languages=form_languages(document, pack.languages),
        source=source_language(document, pack.languages[0]),
        document=document,
        extended=frozenset(extended),
    )
    shown = _with_floor(document, pack, today) if slug == _RISK else document
    status = requirement_status(_readable(shown), law_of(pack, today))
    absent = (*status.absent, *half_answered(findings))
    if shown is not document:
        # The form proposes a level; the record has none until it is saved.
        absent = (*absent, pointer(RISK_LEVEL))
    status = msgspec.structs.replace(status, absent=absent)
    fields = page_fields(
        form,
        shown,
        units_of(slug),
        status,
        findings=_of_page(findings, slug),
        comments={place: comment_text(reader, said) for place, said in (comments or {}).items()},
    )
    for field in fields:
        months = pack.review_months.get(dig(shown, *RISK_LEVEL) or "")
        if field.pointer == _NEXT_REVIEW and months is not None:
            asked = translated(reader, _REVIEWED_WITHIN)
            latest = duration_words(f"P{months}M", asked.lang)
            field.hint = in_language(reader, asked.text % {"period": latest}, asked.lang)
    if theirs is not None:
        _show_theirs(reader, fields, document, theirs)
    return {
        "page": next(page for page in PAGES if page.slug == slug),
        "asked": [field for field in fields if field.asked],
        "more": [field for field in fields if not field.asked],
        "faults": [
            link
            for link in finding_links(_of_page(findings, slug))
            if link.finding.severity == "error" and not _is_missing(link.finding, fields)
        ],
        "missing": sum(field.missing for field in fields),
        "open": " ".join(open_places(shown, findings, slug, law_of(pack, today))),
        "floor": risk_floor_view(reader, shown, today) if slug == _RISK else None,
    }


def risk_floor_view(reader: Reader, document: Document, today: dt.date) -> dict[str, Any]:
    """Return the least level that follows from the facts, why, and how much each level asks."""
    pack = reader.pack
    level, reasons = _floor(document, pack, today)
    return {
        "level": label(reader, "risk_level", level),
        "reasons": [render(reason, reader.tag, pack.fallback) for reason in reasons],
        "asks": [
            (label(reader, "risk_level", one), _asked_at(document, one, law_of(pack, today)))
            for one in LEVELS[:3]
        ],
    }


def record_head(reader: Reader, document: Document) -> dict[str, Any]:
    """Return what the head of every page of a record shows of it."""
    level = dig(document, "risk", "level") or NOT_STATED
    return {
        "id": document["id"],
        "name": say(reader, document.get("name") or None),
        "risk": label(reader, "risk_level", level),
        "status": label(reader, "status", dig(document, "lifecycle", "status") or NOT_STATED),
    }


def comment_text(reader: Reader, said: str | LangText) -> Text:
    """Return what a reviewer said, in one language or several, for this reader."""
    chosen = None if isinstance(said, str) else say(reader, said)
    return chosen or Text(text=str(said), lang="", dir="auto", differs=True)


def _progress(
    page: FormPage,
    document: Document,
    status: RequirementStatus,
    absent: Collection[str],
    faults: int,
) -> FormProgress:
    units = units_of(page.slug)
    asked = [unit for unit in units if unit.pointer in status.requirements.demanded]
    met = sum(unit.pointer not in absent for unit in asked)
    state: PageState
    if faults:
        state = "to_mend"
    elif met < len(asked):
        state = "partly" if units_typed(document, units) else "empty"
    else:
        state = "complete" if asked else "not_asked"
    return FormProgress(page=page, state=state, asked=len(asked), met=met, faults=faults)


def _with_floor(document: Document, pack: Pack, today: dt.date) -> Document:
    """Return the document with the least level where it states none."""
    if dig(document, "risk", "level") is not None:
        return document
    level, _ = _floor(document, pack, today)
    return {**document, "risk": {**(document.get("risk") or {}), "level": level}}


def _floor(document: Document, pack: Pack, today: dt.date) -> tuple[str, tuple[Message, ...]]:
    status = requirement_status(_readable(document), law_of(pack, today))
    return floor_of(make_rule_context(document, status, pack, today))


def _asked_at(document: Document, level: str, law: Law) -> int:
    supposed = {**document, "risk": {"level": level}}
    return len(asked_of(supposed, law).required)


def _readable(document: Document) -> Document:
    """Return the document in the newest version, which is that of the form.

    Entries of which nothing follows are left out, since they name no field.
    """
    publication = dig(document, "publication") or {}
    listed = [one for one in publication.get("withheld_fields", ()) if "pointer" in one]
    return {**document, "publication": {**publication, "withheld_fields": listed}}


def _of_page(findings: Iterable[Finding], slug: str) -> list[Finding]:
    return [finding for finding in findings if page_at(finding.pointer) == slug]


def _is_missing(finding: Finding, fields: Iterable[FormField]) -> bool:
    return finding.rule == _LACKS_LANGUAGE or any(
        field.missing and field.pointer == finding.pointer for field in fields
    )


def _show_theirs(
    reader: Reader, fields: Iterable[FormField], mine: Document, theirs: Document
) -> None:
    for field in fields:
        path = tuple(field.pointer.split("/")[1:])
        saved = dig(theirs, *path)
        if saved is not None and saved != dig(mine, *path):
            field.theirs = value_view(reader, saved, path)


_NEXT_REVIEW = "/lifecycle/next_review_on"
_REVIEWED_WITHIN = message(
    "When it will be checked again, at this level of risk at the latest %(period)s after the last "
    "review."
)
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
    return await _next(request, working, document, page, typed)


async def _next(
    request: ConsoleRequest, working: WorkingRecord, document: Document, page: str, typed: Typed
) -> Response[bytes]:
    """Go where the person asked to go: on, to the overview, or to a new entry of a list.

    Nobody goes on before what her answers ask for besides, or what is wrong with them, was shown
    to her on the same page: `open` are the places at which the page that she sent did so.
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
    verdict = await examine(request.context, working.register_context, document, **request.options)
    shown = typed_once("open", typed).split()
    today = request.context.pack.day(utc_now())
    places = open_places(document, verdict.findings, page, law_of(request.context.pack, today))
    newly = [one for one in places if one not in shown]
    if newly:
        anchor = "f" + newly[0].partition(":")[0].replace("/", "-")
        return await see_other(request, f"{here}{page}#{anchor}", _ASKS_MORE)
    after = following(document, page, request.context.pack, today)
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
        verdict = await examine(request.context, working.register_context, typed, **request.options)
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
                today=request.context.pack.day(utc_now()),
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
