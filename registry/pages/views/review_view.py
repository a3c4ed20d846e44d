"""What waits for review, one draft of it, and the page of a record made from a draft."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from registry.errors import Finding
from registry.log.register import StoredRecord
from registry.pages.assets import Assets
from registry.pages.cards import read_card
from registry.pages.editions import Edition
from registry.pages.labels import read_lists
from registry.pages.reader import Reader, Text, as_it_is, in_language, label, say
from registry.pages.site import Site
from registry.pages.snapshot import RegisterState, Snapshot
from registry.pages.views.diff_view import SectionDiff, changes_view
from registry.pages.views.document_view import field_title
from registry.pages.views.record_view import read_languages, record_view
from registry.record.model import NOT_STATED
from registry.record.pack import Pack
from registry.record.pointers import parts, pointer
from registry.record.risk_floor import LEVELS
from registry.record.schema import fields
from registry.record.validate import findings_in
from registry.services.filing.review import ReviewedDraft, WaitingDraft

SORTS = ("waiting", "level", "agency")
"""The orders of the queue; the first is taken where none is asked for."""

_NOTE = "/publication/change_note"


def queue_rows(reader: Reader, waiting: Iterable[WaitingDraft], sort: str) -> list[dict[str, Any]]:
    """Return the rows of the queue; within an order, what waits longest comes first.

    Of a level that would change the higher counts: one that falls is not at the end.
    """
    rows = [_row(reader, one) for one in waiting]
    if sort == "level":
        rows.sort(key=lambda row: -row["rank"])
    elif sort == "agency":
        rows.sort(key=lambda row: row["agency"].text)
    return rows


def review_view(reader: Reader, reviewed: ReviewedDraft) -> dict[str, Any]:
    """Build the page of one draft in review."""
    document = msgspec.json.decode(reviewed.draft.document)
    publication = document.get("publication") or {}
    sections = _sections(reader, reviewed)
    changed = {change.pointer for section in sections for change in section.changes}
    return _row(reader, reviewed, sections) | {
        "tag": reviewed.draft.tag,
        "refusal": reviewed.refusal,
        "submitted_by": reviewed.draft.submitted_by,
        "sections": sections,
        "note": say(reader, publication.get("change_note")),
        "note_pointer": _NOTE,
        "findings": [_finding(reader, one) for one in reviewed.verdict.findings],
        "more_findings": reviewed.verdict.findings_total - len(reviewed.verdict.findings),
        "publishable": reviewed.verdict.publishable,
        "completeness": reviewed.verdict.completeness / 100,
        "comment": _said(reviewed.draft.comment),
        "comments": comments_view(reviewed.draft.comments),
        "others": _fields(reader, changed),
    }


def comments_view(comments: str | None) -> dict[str, Sequence[tuple[str, str]]]:
    """Return what a reviewer said of each field, by pointer: (language or nothing, text).

    `comments` is the JSON that a draft keeps.
    """
    known: Mapping[str, Any] = {} if comments is None else msgspec.json.decode(comments)
    return {place: _texts(said) for place, said in known.items()}


def _row(
    reader: Reader, one: WaitingDraft, sections: Sequence[SectionDiff] | None = None
) -> dict[str, Any]:
    document = msgspec.json.decode(one.draft.document)
    before = msgspec.json.decode(one.before)
    levels = [(of.get("risk") or {}).get("level", NOT_STATED) for of in (before, document)]
    ranks = [LEVELS.index(level) if level in LEVELS else -1 for level in levels]
    agency = reader.pack.agencies.get(one.draft.agency)
    sections = _sections(reader, one) if sections is None else sections
    waits = one.draft.submitted_at or one.draft.saved_at
    return {
        "id": one.draft.record,
        "name": say(reader, document.get("name")),
        "agency": (agency and say(reader, agency.name)) or as_it_is(reader, one.draft.agency),
        "risk": label(reader, "risk_level", levels[1]),
        "rank": max(ranks),
        "risk_before": label(reader, "risk_level", levels[0])
        if one.current is not None and levels[0] != levels[1]
        else None,
        "lowered": one.current is not None and -1 < ranks[1] < ranks[0],
        "waits_since": waits.date().isoformat(),
        "state": "new" if one.current is None else one.current.state,
        "version": None if one.current is None else one.current.version,
        "changed": sum(len(section.changes) for section in sections),
        "where": [section.title for section in sections],
        "is_own": one.is_own,
    }


def _sections(reader: Reader, one: WaitingDraft) -> list[SectionDiff]:
    return changes_view(reader, one.before, one.draft.document.encode())


def _finding(reader: Reader, finding: Finding) -> dict[str, Any]:
    return {
        "error": finding.severity == "error",
        "message": in_language(reader, finding.message, finding.lang),
    }


def _fields(reader: Reader, changed: Iterable[str]) -> list[tuple[Text, list[tuple[str, Text]]]]:
    """Return the fields that can be commented on beside those that changed, by section."""
    known = set(changed)
    groups: dict[str, list[tuple[str, Text]]] = {}
    for field in fields():
        place = pointer(field.path)
        if "*" not in field.path and "title" in field.schema and place not in known:
            groups.setdefault(field.path[0], []).append((place, field_title(reader, field.path)))
    return [(field_title(reader, (name,)), several) for name, several in groups.items()]


def _said(comment: str | None) -> Sequence[tuple[str, str]]:
    return () if comment is None else _texts(msgspec.json.decode(comment))


def _texts(said: str | Mapping[str, str]) -> Sequence[tuple[str, str]]:
    return (("", said),) if isinstance(said, str) else tuple(said.items())


def comment_field(place: str) -> str:
    """Return the id of the box for the comment on a field.

    >>> comment_field("/technical/models/0/name")
    'comment-technical-models-0-name'
    """
    return "-".join(("comment", *parts(place)))


def preview_site(
    record: StoredRecord,
    related: Sequence[StoredRecord],
    *,
    pack: Pack,
    editions: Mapping[str, Edition],
    assets: Assets,
    base_url: str,
    now: dt.datetime,
) -> Site:
    """Return the site of one record that is not published, and of those that it names."""

    def findings(document: bytes, day: dt.date) -> Mapping[str, Sequence[Finding]]:
        return findings_in(pack.languages, msgspec.json.decode(document), pack=pack, today=day)

    return Site(
        snapshot=Snapshot(
            pack=pack,
            register=RegisterState(size=0, root=""),
            agencies=pack.agencies,
            records=[record],
            as_of=now,
        ),
        base_url=base_url,
        assets=assets,
        lists=read_lists(pack),
        editions=editions,
        records={},
        cards={
            one.id: read_card(one, pack.agencies.get(one.agency), read_languages(one.document))
            for one in related
        },
        histories={},
        fingerprint="",
        findings=findings,
    )


def preview_view(
    reader: Reader,
    record: StoredRecord,
    site: Site,
    *,
    addresses: Mapping[str, str],
    errors: int,
    back: str | None = None,
    until: dt.date | None = None,
) -> dict[str, Any]:
    """Build the page of a record that is not published, without what only the log can give it.

    `addresses` are those of the preview by language, `errors` is the number of findings that
    prevent publication, `back` the address of the draft's own page for who works on it; a link for
    others is good `until` a day.
    """
    view = record_view(reader, record, site)
    view["r"]["preview"] = True
    return view | {
        "addresses": addresses,
        "errors": errors,
        "back": back,
        "until": until and until.isoformat(),
    }
