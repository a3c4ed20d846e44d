"""What waits for review, one draft of it, and the page of a record made from a draft."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec import to_builtins

from registry.errors import Finding
from registry.log.register import StoredRecord
from registry.pages.assets import Assets
from registry.pages.cards import read_card
from registry.pages.editions import Edition
from registry.pages.labels import message, read_lists
from registry.pages.reader import Reader, Text, as_it_is, in_language, label, say
from registry.pages.site import Site
from registry.pages.snapshot import RegisterState, Snapshot
from registry.pages.views.diff_view import FieldDiff, SectionDiff, changes_view
from registry.pages.views.document_view import field_title
from registry.pages.views.record_view import read_languages, record_view
from registry.record.pack import Pack
from registry.record.pointers import parts, pointer
from registry.record.risk_floor import LEVELS
from registry.record.schema import fields
from registry.record.validate import findings_in
from registry.services.filing.review import ReviewedDraft, WaitingDraft
from registry.text.folding import sort_key

SORTS = {
    "level": message("highest risk first"),
    "waiting": message("longest waiting first"),
    "agency": message("by agency"),
    "findings": message("most findings first"),
}
"""The orders of the queue; the first is taken where none is asked for."""

LATE_DAYS = 7
"""What waits for longer is late."""

_NOTE = "/publication/change_note"
_UNREAD = ("/id", "/schema_version")
"""What a reviewer is not shown as a change: the address stands above, the format follows."""

_MATTERS = (
    "/risk/level",
    "/risk/rationale",
    "/sector/function",
    "/lifecycle/status",
    "/decision/role",
    "/decision/legal_effect",
    "/decision/human_oversight",
    "/data/sensitive",
    "/rights/contestation",
    "/publication/visibility",
    "/publication/restriction",
    "/publication/withheld_fields",
)
"""What is read first: what decides on people, and what they can do about it."""

_MOST_OPEN = 12
"""So many changes all stand open; of more, those that matter less are folded."""


class QueueFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What a reviewer wants to see of the queue, and in which order; empty is any.

    `level` is the higher of before and now, `late` is `1` for what is late alone.
    """

    sort: str = ""
    agency: str = ""
    level: str = ""
    late: str = ""

    @property
    def query(self) -> str:
        """The query of an address with this filter, without what is empty."""
        return urlencode({name: value for name, value in to_builtins(self).items() if value})


def arrange_queue(
    waiting: Iterable[WaitingDraft],
    wanted: QueueFilter,
    findings: Mapping[str, int],
    *,
    today: dt.date,
) -> list[WaitingDraft]:
    """Return what a filter lets through, in its order; within it what waits longest comes first.

    Of a level that would change the higher counts, and what falls from it comes before what stays.
    """
    orders: dict[str, Callable[[WaitingDraft], Any]] = {
        "waiting": lambda _: 0,
        "agency": lambda one: one.draft.agency,
        "findings": lambda one: -findings.get(one.draft.record, 0),
    }
    return sorted(
        (
            one
            for one in waiting
            if wanted.agency in {"", one.draft.agency}
            and wanted.level in {"", _higher(one)}
            and (not wanted.late or _days(one, today) > LATE_DAYS)
        ),
        key=orders.get(wanted.sort, lambda one: (-max(_ranks(one)), not _falls(one))),
    )


def queue_view(
    reader: Reader,
    waiting: Sequence[WaitingDraft],
    shown: Iterable[WaitingDraft],
    wanted: QueueFilter,
    findings: Mapping[str, int],
    *,
    today: dt.date,
) -> dict[str, Any]:
    """Build the page of the queue: the rows `shown` of all that is `waiting`, and its filters."""
    agencies = {one.draft.agency: _agency(reader, one) for one in waiting}
    late = [one for one in waiting if _days(one, today) > LATE_DAYS]
    return {
        "rows": [
            _row(reader, one)
            | {
                "days": _days(one, today),
                "is_late": one in late,
                "findings": findings.get(one.draft.record, 0),
            }
            for one in shown
        ],
        "total": len(waiting),
        "late": len(late),
        "late_days": LATE_DAYS,
        "wanted": wanted,
        "sorts": SORTS,
        "agencies": sorted(agencies.items(), key=lambda one: sort_key(one[1].text)),
        "levels": [
            (level, label(reader, "risk_level", level))
            for level in reversed(LEVELS)
            if level in {_higher(one) for one in waiting}
        ],
    }


def review_view(reader: Reader, reviewed: ReviewedDraft) -> dict[str, Any]:
    """Build the page of one draft in review."""
    document = msgspec.json.decode(reviewed.draft.document)
    publication = document.get("publication") or {}
    sections = _sections(reader, reviewed)
    changes = [change for section in sections for change in section.changes]
    first = {id(one) for one in changes if one.pointer.startswith(_MATTERS)}
    return _row(reader, reviewed, sections) | {
        "tag": reviewed.draft.tag,
        "matter": _of(sections, lambda change: id(change) in first),
        "rest": _of(sections, lambda change: id(change) not in first),
        "folds": len(changes) > _MOST_OPEN,
        "refusal": reviewed.refusal,
        "submitted_by": reviewed.draft.submitted_by,
        "sections": sections,
        "note": say(reader, publication.get("change_note")),
        "note_pointer": _NOTE,
        "findings": [
            {
                "error": one.severity == "error",
                "message": in_language(reader, one.message, one.lang),
            }
            for one in reviewed.verdict.findings
        ],
        "more_findings": reviewed.verdict.findings_total - len(reviewed.verdict.findings),
        "publishable": reviewed.verdict.publishable,
        "completeness": reviewed.verdict.completeness / 100,
        "comment": _texts(msgspec.json.decode(reviewed.draft.comment or "{}")),
        "comments": comments_view(reviewed.draft.comments),
        "others": _fields(reader, (change.pointer for change in changes)),
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
    levels = one.levels
    sections = _sections(reader, one) if sections is None else sections
    return {
        "id": one.draft.record,
        "name": say(reader, document.get("name")),
        "agency": _agency(reader, one),
        "risk": label(reader, "risk_level", levels[1]),
        "risk_before": label(reader, "risk_level", levels[0])
        if one.current is not None and levels[0] != levels[1]
        else None,
        "lowered": _falls(one),
        "waits_since": one.since.date().isoformat(),
        "state": "new" if one.current is None else one.current.state,
        "version": None if one.current is None else one.current.version,
        "changed": sum(len(section.changes) for section in sections),
        "where": [section.title for section in sections],
        "is_own": one.is_own,
    }


def _ranks(one: WaitingDraft) -> tuple[int, int]:
    before, after = (LEVELS.index(level) if level in LEVELS else -1 for level in one.levels)
    return before, after


def _higher(one: WaitingDraft) -> str:
    before, after = _ranks(one)
    return one.levels[before <= after]


def _falls(one: WaitingDraft) -> bool:
    before, after = _ranks(one)
    return one.current is not None and -1 < after < before


def _days(one: WaitingDraft, today: dt.date) -> int:
    return (today - one.since.date()).days


def _agency(reader: Reader, one: WaitingDraft) -> Text:
    agency = reader.pack.agencies.get(one.draft.agency)
    return (agency and say(reader, agency.name)) or as_it_is(reader, one.draft.agency)


def _sections(reader: Reader, one: WaitingDraft) -> list[SectionDiff]:
    found = changes_view(reader, one.before, one.draft.document.encode())
    return _of(found, lambda change: change.pointer not in _UNREAD)


def _of(sections: Iterable[SectionDiff], belongs: Callable[[FieldDiff], bool]) -> list[SectionDiff]:
    """Return the sections with those of their changes that belong, without empty ones."""
    kept = (
        msgspec.structs.replace(one, changes=[*filter(belongs, one.changes)]) for one in sections
    )
    return [one for one in kept if one.changes]


def _fields(reader: Reader, changed: Iterable[str]) -> list[tuple[Text, list[tuple[str, Text]]]]:
    """Return the fields that can be commented on beside those that changed, by section."""
    known = {*changed, *_UNREAD}
    groups: dict[str, list[tuple[str, Text]]] = {}
    for field in fields():
        place = pointer(field.path)
        if "*" not in field.path and "title" in field.schema and place not in known:
            groups.setdefault(field.path[0], []).append((place, field_title(reader, field.path)))
    return [(field_title(reader, (name,)), several) for name, several in groups.items()]


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
