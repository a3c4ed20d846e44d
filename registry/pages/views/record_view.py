"""The page of a record: the document, notices, findings, links, and the register's own facts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from registry.errors import Finding
from registry.log.register import SourceFacts, StoredRecord
from registry.pages.cards import Card, gone_since
from registry.pages.labels import message, steps_view
from registry.pages.observations import WORDS
from registry.pages.reader import Reader, Text, in_language, label, language, say, translated
from registry.pages.short_links import kit_view
from registry.pages.site import Site
from registry.pages.views.consequences import consequences, facts_of
from registry.pages.views.diff_view import DiffValue, value_view
from registry.pages.views.document_view import (
    ABSENT,
    LazyViewObject,
    ViewObject,
    field_name,
    field_title,
    show,
)
from registry.pages.views.lists import (
    agency_view,
    card_row,
    card_tag,
    card_words,
    erased_view,
    has_card,
    has_letter,
    history_view,
    origin_view,
)
from registry.pages.views.machine_files import record_script
from registry.record.facts import AnswerKind, facts, silence
from registry.record.model import NOT_STATED, Document
from registry.record.observations import observe, observed
from registry.record.pointers import dig, parts, pointer
from registry.record.requirements import RISK_LEVEL, Unit, requirement_status, units
from registry.record.schema import readable_languages

_BY_RULE = frozenset(("/evaluation/outcomes",))
"""What is shown so beside the voluntary fields."""
_BY_HAND = frozenset(("/publication/answers",))
"""The voluntary fields that a template places: beside what they answer."""


def findings_view(reader: Reader, record: StoredRecord, site: Site) -> list[dict[str, Any]]:
    """Return the findings kept with a version, errors first."""
    kept = record.register.noticed()
    told = _told(reader, record, site, kept) if kept else {}
    return [
        {
            "error": finding.severity == "error",
            "rule": finding.rule,
            "pointer": finding.pointer,
            "message": in_language(reader, said.message, said.lang),
        }
        for finding in sorted(kept, key=lambda finding: finding.severity != "error")
        for said in (told.get(finding, finding),)
    ]


def _told(
    reader: Reader, record: StoredRecord, site: Site, kept: Sequence[Finding]
) -> dict[Finding, Finding]:
    """Return the same finding in the reader's language for each that is found again."""
    found = site.findings(record.document, reader.pack.day(record.register.published_at))
    again = _by_place(found[reader.tag])
    return {
        finding: other
        for place, findings in _by_place(kept).items()
        if len(findings) == len(again.get(place, ()))
        for finding, other in zip(findings, again[place], strict=True)
    }


def _by_place(findings: Iterable[Finding]) -> dict[tuple[str, str], list[Finding]]:
    found: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        found.setdefault((finding.pointer, finding.rule), []).append(finding)
    return found


_SECTIONS = (
    "organisation",
    "purpose",
    "decision",
    "rights",
    "data",
    "technical",
    "procurement",
    "risks",
    "assessments",
    "evaluation",
    "documents",
    "registrations",
    "waivers",
)
"""The sections that a record of which only the existence is public does without."""
_ERROR = message("Error in the record %(record)s, version %(version)s")
_WRONG = message("What is wrong:")
_RIGHT = message("What would be right, and how you know:")

_WITHIN_LINES = frozenset(
    (
        "name",
        "unit",
        "accountable_role",
        "tags",
        "title",
        "role",
        "who",
        "group",
        "purpose",
        "postal_address",
        "opening_hours",
        "provider",
        "recipient",
        "reference",
        "conducted_by",
        "dataset",
        "architecture",
        "task",
        "authority",
    )
)
"""The members with a text that a page shows within a line, all others as paragraphs."""


def record_page_view(
    reader: Reader, versions: Sequence[StoredRecord], site: Site, *, alike: Sequence[Card]
) -> dict[str, Any]:
    """Build the page of a record in force with its versions; `alike` are to look at next."""
    record = versions[-1]
    view = record_view(reader, record, site)
    view["r"]["public_before"] = public_before(reader, versions)
    view["similar"] = [card_row(reader, site, card) for card in alike]
    view["structured"] = record_script(
        reader, site, site.cards[record.id], read_document(record.document).get("contact") or {}
    )
    return view


def record_view(reader: Reader, record: StoredRecord, site: Site) -> dict[str, Any]:
    """Build everything that one version of a record says to this reader; `d` is the document."""
    document = read_document(record.document)
    languages = document.get("languages") or {}
    written = read_languages(record.document)
    shown = _main_language(reader, document, written)
    source = languages.get("source")
    register = record.register
    d = show(reader, document, record.whole, written)
    withheld = _gaps(reader, record, d)
    made = {
        "id": record.id,
        "shown": shown,
        "agency": agency_view(reader, site, record.agency),
        "notices": register_notices(record, origin_view(reader, site, record.register.origin)),
        "language": language(reader, shown) if shown != reader.locale.tag else None,
        "machine": (languages.get("translation_status") or {}).get(shown) == "machine",
        "source": language(reader, source) if source not in (None, shown) else None,
        "withheld": withheld,
        "overdue": is_overdue(document, site.snapshot.as_of.date()),
        "observations": _observations(reader, record, document, site),
        "related": _related(reader, document, site),
        "links": links(reader, record, document, site.base_url),
        "register": _register(record),
        "kit": kit_of(site, record),
        "card": _card(reader, site, record.id),
        "there": _at_source(record, document),
        "whole": _further_texts(reader, record.whole),
        "compared": register.version > 1,
        "letter": (card := site.cards.get(record.id)) is not None and has_letter(site, card),
        "consequences": list(
            consequences(facts_of(document, is_foreign=register.origin is not None))
        ),
    }
    makes: dict[str, Callable[[], Any]] = {
        "missing": lambda: _silent(reader, record, document, "asked_not_stated"),
        "unasked": lambda: _silent(reader, record, document, "not_asked"),
        "languages": lambda: _languages(reader, document),
        "findings": lambda: findings_view(reader, record, site),
        "history": lambda: history_view(reader, site, record),
        "redress_steps": lambda: steps_view(reader, site.day),
        "further": lambda: partial(further_facts, reader, document, d, withheld),
        "left_out": lambda: [
            field_title(reader, (name,)) for name in _SECTIONS if name not in document
        ],
    }
    return {
        "r": LazyViewObject(made, lambda name: makes[name]() if name in makes else ABSENT),
        "d": d,
    }


@lru_cache(maxsize=16)
def read_document(document: bytes) -> dict[str, Any]:
    """Read a document once for the readers of all languages, who come one after the other."""
    read: dict[str, Any] = msgspec.json.decode(document)
    return read


@lru_cache(maxsize=16)
def read_languages(document: bytes) -> list[str]:
    """Read which languages all of a document can be read in, once for all readers."""
    return readable_languages(read_document(document))


def public_before(reader: Reader, versions: Sequence[StoredRecord]) -> dict[str, Any] | None:
    """Return the last version that was public, where the last of some versions is restricted.

    None where it is not, or where nothing was public before.
    """
    documents = [read_document(one.document) for one in versions]
    if dig(documents[-1], "publication", "visibility") != "restricted":
        return None
    for version, document in zip(reversed(versions), reversed(documents), strict=True):
        if dig(document, "publication", "visibility") != "restricted":
            then, now = (dig(one, *RISK_LEVEL) or NOT_STATED for one in (document, documents[-1]))
            return {
                "number": version.register.version,
                "date": version.register.published_at.date().isoformat(),
                "risk": label(reader, "risk_level", then),
                "risk_now": label(reader, "risk_level", now) if then != now else None,
            }
    return None


def _observations(
    reader: Reader, record: StoredRecord, document: Document, site: Site
) -> list[dict[str, Any]]:
    """Return what a version itself shows on the day of the pages."""
    erased = [one.pointer for one in record.register.redacted]
    codes = observed(observe(document, erased), site.snapshot.as_of.date())
    return [{"code": code, "words": translated(reader, WORDS[code][0])} for code in codes]


def is_overdue(document: Mapping[str, Any], today: dt.date) -> bool:
    """Return whether the review that the agency promised is late on that day."""
    lifecycle = document.get("lifecycle") or {}
    due = lifecycle.get("next_review_on")
    return due is not None and lifecycle.get("status") != "retired" and due < today.isoformat()


def register_notices(record: StoredRecord, source: Mapping[str, Any]) -> dict[str, Any]:
    """Return the notices of the register itself: an example, a copy, an erasure.

    `source` is the view of the register that it comes from. A copy that another version followed,
    or that was withdrawn, is not said to be gone.
    """
    register = record.register
    return {
        "gone_since": None if register.superseded_at else gone_since(register),
        "copied_on": register.published_at.date().isoformat(),
        "fictitious": register.fictitious,
        "redacted": bool(register.redacted),
        **source,
    }


def _card(reader: Reader, site: Site, name: str) -> dict[str, str] | None:
    """Return the file of what others show of a record, and its words; None without one."""
    card = site.cards.get(name)
    if card is None or not has_card(card):
        return None
    file = f"{card_tag(reader, card)}/records/{name}/card.png"
    return {"file": file, "words": card_words(reader, site, card)[2]}


def kit_of(site: Site, record: StoredRecord) -> dict[str, Any] | None:
    """Return the short code of a record, with its address, as its pages show it; None without."""
    kit = kit_view(site.base_url, record.register.code)
    card = site.cards.get(record.id)
    return None if kit is None else kit | {"notice": card is not None and not card.withdrawn}


def links(
    reader: Reader, record: StoredRecord, document: dict[str, Any], base_url: str
) -> dict[str, str | None]:
    """Return whom to write to about a record, as links.

    The pack's are None for foreign records, and where they need a mailbox that the record lacks.
    The register's own to report an error writes to the operator, and to the agency where it can.
    """
    pack, version = reader.pack, record.register.version
    local = record.register.origin is None
    email = ((document.get("contact") or {}).get("email") or "") if local else ""

    def filled(link: str) -> str | None:
        if not local or ("{email}" in link and not email):
            return None
        return link.format(
            id=quote(record.id, safe=""),
            version=version,
            email=quote(email, safe="@"),
            operator=quote(pack.operator.email, safe="@"),
        )

    report: str | None
    if pack.report_error_url is None:
        boxes = ",".join(quote(one, safe="@") for one in (email, pack.operator.email) if one)
        subject = translated(reader, _ERROR).text % {"record": record.id, "version": version}
        page = f"{base_url}/{reader.tag}/records/{record.id}"
        lines = (page, "", translated(reader, _WRONG).text, "", translated(reader, _RIGHT).text, "")
        said = {"subject": subject, "body": "\r\n".join(lines)}
        report = f"mailto:{boxes}?{urlencode(said, quote_via=quote, safe='')}"
    else:
        report = filled(pack.report_error_url)
    return {"report_error": report, "ask_more": filled(pack.ask_more_url)}


def _gaps(reader: Reader, record: StoredRecord, d: ViewObject) -> dict[str, ViewObject]:
    """Return by pointer what is kept from the public: withheld by the agency, or erased here."""
    document = msgspec.json.decode(record.document)
    erased = {
        one["pointer"]: ViewObject(
            one | {"marked": dig(document, *parts(one["pointer"])) is not None},
            title=field_name(reader, one["pointer"]),
        )
        for one in erased_view(reader, record.register.redacted)
    }
    withheld = {
        field["pointer"]: ViewObject(field, title=field_name(reader, field["pointer"]))
        for field in d["publication"]["withheld_fields"]
    }
    return withheld | erased


def _languages(reader: Reader, document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the languages that the document is written in or translated into, the source first."""
    stated = document.get("languages") or {}
    source, status = stated.get("source"), stated.get("translation_status") or {}
    tags = sorted({*status, *([source] if source else [])}, key=lambda tag: (tag != source, tag))
    return [
        {
            "name": language(reader, tag),
            "source": tag == source,
            "status": label(reader, "translation_status", status[tag]) if tag in status else None,
        }
        for tag in tags
    ]


def _main_language(reader: Reader, document: dict[str, Any], written: Sequence[str]) -> str:
    """Return the language that most of the page's texts are in."""
    goal = (document.get("purpose") or {}).get("goal")
    for candidate in (goal, document.get("summary"), document.get("name")):
        chosen = say(reader, candidate, written)
        if chosen is not None:
            return chosen.lang
    return reader.tag


def _related(reader: Reader, document: dict[str, Any], site: Site) -> list[dict[str, Any]]:
    return [
        {
            "relation": label(reader, "relation", related["relation"]),
            "id": card.id,
            "name": say(reader, card.name, card.written),
            "withdrawn": card.withdrawn,
        }
        for related in document.get("related_records") or ()
        if (card := site.cards.get(related["record"])) is not None
    ]


def _silent(
    reader: Reader, record: StoredRecord, document: Document, kind: AnswerKind
) -> list[Text]:
    """Return the names of the facts that a version does not state, in one of the kinds.

    Those that it must not state, as why it is retired where it is in use, are left out.
    """
    known, erased = facts(), [one.pointer for one in record.register.redacted]
    excluded = requirement_status(document).requirements.excluded
    return [
        field_title(reader, known[name].field.path)
        for name in silence(document, erased).get(kind, ())
        if known[name].unit.pointer not in excluded
    ]


def _register(record: StoredRecord) -> dict[str, Any]:
    register = record.register
    return {
        "version": register.version,
        "published_on": register.published_at.date().isoformat(),
        "entry": register.entry,
        "hash": register.hash,
        "completeness": None if register.completeness is None else register.completeness / 100,
        "superseded_on": register.superseded_at and register.superseded_at.date().isoformat(),
    }


def _at_source(record: StoredRecord, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a foreign record has at its source: id, day of the last change, place in its log.

    The last is there for what was harvested from that.
    """
    source = record.register.source
    known = source if isinstance(source, SourceFacts) else None
    return {
        "id": (known.id if known else "") or document.get("source_id"),
        "changed_on": known.changed_on if known else None,
        "proof": (known and known.proof) or None,
        "index": known and known.index,
        "leaf": known and known.leaf,
        "version": known and known.version,
    }


def _further_texts(reader: Reader, whole: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return whole texts of what the page shows within a line, where there is no room for them.

    Each has the names that lead to its field, but for that of its section.
    """
    found = []
    for place, text in whole.items():
        *path, tag = parts(place)
        names = [place for place, part in enumerate(path, start=1) if not part.isdecimal()]
        if path[names[-1] - 1] in _WITHIN_LINES or is_shown_in_part(path):
            own = in_language(reader, text, tag)
            trail = [field_name(reader, pointer(path[:place])) for place in names[1:] or names]
            found.append({"trail": trail, "text": own})
    return found


class FactTable(msgspec.Struct, frozen=True, kw_only=True):
    """A list of objects: a column for each member that one of them states."""

    columns: Sequence[Text]
    rows: Sequence[Sequence[DiffValue | None]]


class FurtherFact(msgspec.Struct, frozen=True, kw_only=True):
    """A field with what it says: a value, a table, or the `answer` to a question.

    Nothing of them where it is withheld.
    """

    pointer: str
    value: DiffValue | None = None
    table: FactTable | None = None
    answer: Any = None


def is_shown_in_part(place: Sequence[str]) -> bool:
    """Return whether a text at a place is shown so, where there is no room for the whole of it."""
    return any(
        unit.voluntary and not unit.is_question and tuple(place[: len(unit.path)]) == unit.path
        for unit in units()
        if unit.pointer not in _BY_HAND
    )


def further_facts(
    reader: Reader,
    document: Document,
    shown: Mapping[str, Any],
    withheld: Collection[str],
    section: str,
) -> list[FurtherFact]:
    """Return the facts of a section, or of the record itself ("").

    `shown` is the document as this reader sees it, `withheld` the pointers of what it withholds.
    """
    found = []
    for unit in units():
        if unit.section != section or not (unit.voluntary or unit.pointer in _BY_RULE):
            continue
        value = dig(document, *unit.path)
        if value is not None:
            found.append(_stated(reader, document, shown, unit, value))
        elif unit.pointer in withheld:
            found.append(FurtherFact(pointer=unit.pointer))
    return found


def _stated(
    reader: Reader, document: Document, shown: Mapping[str, Any], unit: Unit, value: Any
) -> FurtherFact:
    source = dig(document, "languages", "source")
    if unit.is_question:
        return FurtherFact(pointer=unit.pointer, answer=shown[unit.section][unit.name])
    if unit.field.holds == "list" and isinstance(value, list):
        members = unit.field.entry.members
        names = [name for name in members if any(name in one for one in value)]
        path = unit.field.entry.path
        table = FactTable(
            columns=[field_title(reader, (*path, name)) for name in names],
            rows=[
                [
                    value_view(reader, one[name], (*path, name), source) if name in one else None
                    for name in names
                ]
                for one in value
            ],
        )
        return FurtherFact(pointer=unit.pointer, table=table)
    return FurtherFact(pointer=unit.pointer, value=value_view(reader, value, unit.path, source))
