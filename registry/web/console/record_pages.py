"""What the pages about records show: the agency's list, a new record, and the task list of one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from registry.pages.reader import Reader, label, language, say
from registry.pages.views.document_view import field_name
from registry.record.model import Document
from registry.record.pointers import dig
from registry.record.schema import SCHEMA_VERSION
from registry.record.short_code import spaced
from registry.services.drafts import SavedDraft
from registry.services.review import comments_of
from registry.services.working_records import WorkingRecord
from registry.store.records import AgencyRecord
from registry.web.console.form_layout import page_at
from registry.web.console.form_pages import (
    comment_text,
    finding_links,
    progress,
    record_head,
)


def home_view(
    reader: Reader,
    agency: str,
    drafts: Iterable[SavedDraft],
    filed: Iterable[AgencyRecord],
    *,
    today: dt.date,
) -> dict[str, Any]:
    """Build the list of what an agency works on, and of what it has filed."""
    named = reader.pack.agencies.get(agency)
    begun = [_draft_line(reader, one) for one in drafts]
    amended = {line["id"] for line in begun}
    in_force = [one for one in filed if one.state == "published"]
    return {
        "agency": say(reader, named.name) if named is not None else None,
        "drafts": begun,
        "records": [
            _record_line(reader, one, today=today, amended=one.id in amended)
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
    reader: Reader, working: WorkingRecord, *, refused: bool = False
) -> dict[str, Any]:
    """Build the page of a record that is worked on; `refused` if a submission was."""
    draft, verdict, current = working.draft, working.verdict, working.around.current
    steps = progress(working.document, verdict.findings)
    return {
        "r": record_head(reader, working.document),
        "steps": steps,
        "open": sum(step.asked - step.met for step in steps),
        "faults": sum(step.faults for step in steps),
        "completeness": verdict.completeness / 100,
        "publishable": verdict.publishable,
        "findings": finding_links(verdict.findings),
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
    steps = progress(document, verdict.findings)
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
