"""Cards: the few facts about a record that lists and counts show, in every language at once."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from registry.log.register import Register, SourceFacts, StoredRecord
from registry.pages.page import digest
from registry.record.facts import KINDS, NOT_ASKED, FactCounts, facts
from registry.record.model import NOT_STATED, LangText
from registry.record.pack import Agency
from registry.record.schema import broader


class _Risk(msgspec.Struct, frozen=True):
    level: str = NOT_STATED


class _Sector(msgspec.Struct, frozen=True):
    primary: str = NOT_STATED
    function: str = NOT_STATED


class _Lifecycle(msgspec.Struct, frozen=True):
    status: str = NOT_STATED
    next_review_on: str | None = None


class _Purpose(msgspec.Struct, frozen=True):
    affected_groups: list[str] = []


class _Decision(msgspec.Struct, frozen=True):
    role: str = NOT_STATED


class _Contestation(msgspec.Struct, frozen=True):
    available: str = NOT_STATED
    deadline_days: int | None = None


class _Rights(msgspec.Struct, frozen=True):
    contestation: _Contestation = _Contestation()


class _Publication(msgspec.Struct, frozen=True):
    visibility: str = "public"
    withheld_fields: list[Any] = []


class _Related(msgspec.Struct, frozen=True):
    record: str


class _Document(msgspec.Struct):
    """The members of a document that cards are made of; the rest is not decoded."""

    name: LangText = {}
    summary: LangText = {}
    risk: _Risk = _Risk()
    sector: _Sector = _Sector()
    lifecycle: _Lifecycle = _Lifecycle()
    purpose: _Purpose = _Purpose()
    decision: _Decision = _Decision()
    rights: _Rights = _Rights()
    publication: _Publication = _Publication()
    related_records: list[_Related] = []
    territory: list[str] = []
    contact: dict[str, Any] = {}


HIGH = frozenset(("high", "unacceptable"))
"""The levels of risk at which most is asked of an agency."""

_READ = msgspec.json.Decoder(_Document).decode


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A record as a list shows it; `digest` covers all that a list can show of it.

    `written` are the languages that all of it can be read in, `gone_since` the day since which it
    is not at its source any more. `function` and `review_due` (null for what is retired) are for
    its own page; `function` too, with `affected`, `role`, `contestation` and `deadline_days`, for
    the pages of what happens to people, `territory` are the codes of where it applies.
    `withheld` is the number of fields that the agency withholds. `short_code` and `contact` are
    those of what was filed here. `answers` is how the record answers on each unit of requirements,
    by the first letters of the kinds. `unmet` are the places in the country's requirements of those
    with a first day that it does not meet, whether that day has come or not.
    """

    id: str
    agency: str
    name: LangText
    summary: LangText
    written: list[str]
    risk: str
    sector: str
    status: str
    origin: str | None
    gone_since: str | None
    fictitious: bool
    restricted: bool
    withdrawn: bool
    version: int
    published_on: str
    entry: int
    digest: str
    function: str = NOT_STATED
    review_due: str | None = None
    affected: list[str] = []
    role: str = NOT_STATED
    contestation: str = NOT_STATED
    deadline_days: int | None = None
    territory: Sequence[str] = ()
    short_code: str | None = None
    withheld: int = 0
    contact: dict[str, Any] = {}
    answers: str = ""
    unmet: Sequence[int] = ()

    def code(self, codelist: str) -> str:
        """Return the code of one of the lists risk_level, sector and status."""
        if codelist == "risk_level":
            return self.risk
        return self.sector if codelist == "sector" else self.status

    def is_overdue(self, today: dt.date) -> bool:
        """Return whether the review that the agency promised is late on that day."""
        return self.review_due is not None and self.review_due < today.isoformat()


def read_card(
    record: StoredRecord,
    agency: Agency | None,
    languages: Sequence[str],
    answers: str = "",
    unmet: Sequence[int] = (),
) -> Card:
    """Read the card of a record from its document, which can be read in `languages` as a whole."""
    document = _READ(record.document)
    register = record.register
    facts: dict[str, Any] = {
        "id": record.id,
        "agency": record.agency,
        "name": document.name,
        "summary": document.summary,
        "written": list(languages),
        "risk": document.risk.level,
        "sector": broader(document.sector.primary),
        "status": document.lifecycle.status,
        "origin": register.origin,
        "gone_since": gone_since(register),
        "fictitious": register.fictitious,
        "restricted": document.publication.visibility == "restricted",
        "withdrawn": register.state == "withdrawn",
        "version": register.version,
        "published_on": register.published_at.date().isoformat(),
        "entry": register.entry,
    }
    seen = digest(msgspec.json.encode(facts), msgspec.json.encode(agency))
    retired = document.lifecycle.status == "retired"
    return Card(
        **facts,
        digest=seen,
        function=document.sector.function,
        review_due=None if retired else document.lifecycle.next_review_on,
        affected=[*map(broader, document.purpose.affected_groups)],
        role=document.decision.role,
        contestation=document.rights.contestation.available,
        deadline_days=document.rights.contestation.deadline_days,
        territory=document.territory,
        short_code=register.code,
        withheld=len(document.publication.withheld_fields),
        contact=document.contact if register.origin is None else {},
        answers=answers,
        unmet=unmet,
    )


def gone_since(register: Register) -> str | None:
    """Return the day since which a record is not at its source any more; None where it is."""
    source = register.source
    if isinstance(source, SourceFacts) and source.state == "gone" and source.state_since:
        return source.state_since.isoformat()
    return None


def read_related(document: bytes) -> tuple[str, ...]:
    """Read which records a document names."""
    return tuple(named.record for named in _READ(document).related_records)


def counted(cards: Sequence[Card]) -> list[Card]:
    """Return the records filed here and in force, without examples once a real agency has filed."""
    local = [card for card in cards if card.origin is None and not card.withdrawn]
    real = [card for card in local if not card.fictitious]
    return real or local


def count_answers(cards: Sequence[Card]) -> list[FactCounts]:
    """Return of each unit of requirements how records answer on it."""
    alike = Counter((card.answers, card.risk == NOT_STATED) for card in cards)
    units = [fact for fact in facts().values() if fact.is_unit]
    found = []
    for place, fact in enumerate(units):
        counts: Counter[str] = Counter()
        unlevelled = 0
        for (answers, is_unlevelled), number in alike.items():
            counts[answers[place]] += number
            if is_unlevelled and fact.by_level and answers[place] == NOT_ASKED[0]:
                unlevelled += number
        kinds = {kind: counts[kind[0]] for kind in KINDS}
        found.append(FactCounts(fact=fact.name, **kinds, level_not_stated=unlevelled))
    return found


def copied(cards: Sequence[Card]) -> list[Card]:
    """Return the records in force that were copied from other registers."""
    return [card for card in cards if card.origin is not None and not card.withdrawn]
