"""The page of an agency: how to write to it, what it declared and what it did not, its systems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from heapq import nsmallest
from typing import Any
from urllib.parse import urlencode

import msgspec

from registry.log.register import Attestation
from registry.pages.cards import HIGH, Card
from registry.pages.reader import Reader, label, say
from registry.pages.site import Site
from registry.pages.views.document_view import ViewObject, show
from registry.pages.views.law_pages import demands_on, upcoming_view
from registry.pages.views.lists import (
    AGENCY_KINDS,
    agency_view,
    card_row,
    change_view,
    erased_view,
    has_letter,
)
from registry.record.facets import OVERDUE
from registry.record.model import NOT_STATED, RUNNING
from registry.record.pack import Agency

_MOST_ABROAD = 3


class AgencyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of an agency shows besides its records.

    `own` are its records in force, `gone` those that were withdrawn, `abroad` some that other
    countries declare for the same work.
    """

    agency_id: str
    agency: Agency | None
    own: Sequence[Card]
    gone: Sequence[Card]
    abroad: Sequence[Card]

    def key(self, site: Site) -> list[Any]:
        """Return all that the head of the page depends on."""
        return [
            self.agency,
            site.snapshot.attestations.get(self.agency_id),
            [(card.digest, card.is_overdue(site.day)) for card in self.own],
            [(card.withheld, card.contact) for card in self.own],
            [(card.id, card.name, site.records[card.id].withdrawals) for card in self.gone],
            [card.digest for card in self.abroad],
            [card.unmet for card in self.own],
        ]


def gather_facts(site: Site, cards: Iterable[Card]) -> list[AgencyFacts]:
    """Return the facts of all agencies, from all records."""
    own: dict[str, list[Card]] = {}
    gone: dict[str, list[Card]] = {}
    abroad: dict[str, list[Card]] = {}
    for card in cards:
        (gone if card.withdrawn else own).setdefault(card.agency, []).append(card)
        if card.sector != NOT_STATED and not card.withdrawn and not has_letter(site, card):
            abroad.setdefault(card.sector, []).append(card)
    agencies = site.snapshot.agencies
    return [
        AgencyFacts(
            agency_id=one,
            agency=(agency := agencies.get(one)),
            own=own.get(one, ()),
            gone=gone.get(one, ()),
            abroad=_same_work(site, one, own.get(one, ()), abroad)
            if agency is not None and agency.origin is None
            else (),
        )
        for one in dict.fromkeys((*agencies, *own))
    ]


def _same_work(
    site: Site, agency: str, own: Sequence[Card], abroad: Mapping[str, Sequence[Card]]
) -> list[Card]:
    """Return a few records of other countries in the sectors of an agency.

    These are the sectors of its records, or of what people come to it for. Records of the same
    function come first, then those at the highest level of risk.
    """
    sectors = dict.fromkeys(card.sector for card in own) or dict.fromkeys(
        service.sector
        for service in site.snapshot.pack.services
        if service.agency == agency and service.sector
    )
    functions, levels = {card.function for card in own}, list(site.lists["risk_level"])

    def place(card: Card) -> tuple[bool, int, str]:
        level = levels.index(card.risk) if card.risk in levels else len(levels)
        return (card.function not in functions, level, card.id)

    found = (card for sector in sectors for card in abroad.get(sector or "", ()))
    return nsmallest(_MOST_ABROAD, found, key=place)


def agency_head(reader: Reader, *, site: Site, facts: AgencyFacts) -> dict[str, Any]:
    """Return the view of all but the records in force; there is no letter but to our own ones."""
    code, agency = facts.agency_id, facts.agency
    view, said = agency_view(reader, site, code), site.snapshot.attestations.get(code)
    today, own = site.day, facts.own
    number = Counter(card.risk for card in own)
    is_own = agency is not None and agency.origin is None
    kind = agency.kind if agency and agency.kind in AGENCY_KINDS else "other"

    def search(**chosen: str) -> str:
        return f"search?{urlencode({'agency': code, **chosen})}"

    return {
        "name": view["name"],
        "description": None,
        "agency": view,
        "is_own": is_own,
        "kind_of": {"code": kind, "title": AGENCY_KINDS[kind]},
        "parent": agency_view(reader, site, agency.parent) if agency and agency.parent else None,
        "place": label(reader, "pack/regions", agency.region) if agency and agency.region else None,
        "reach": _contact(reader, site, facts),
        "statement": said and _attestation(reader, said),
        "running": sum(card.status in RUNNING for card in own),
        "high": sum(card.risk in HIGH for card in own),
        "overdue": sum(card.is_overdue(today) for card in own),
        "overdue_path": search(overdue=OVERDUE),
        "withheld": sum(card.withheld > 0 for card in own),
        "restricted": sum(card.restricted for card in own),
        "levels": [
            {"name": label(reader, "risk_level", level), "n": n, "path": search(risk=level)}
            for level in reader.labels["risk_level"]
            if (n := number[level])
        ],
        "will_ask": is_own and bool(demands_on(site.snapshot.pack, today, ahead=True)),
        "upcoming": upcoming_view(reader, own, today) if is_own else [],
        "abroad": [card_row(reader, site, card) for card in facts.abroad],
        "withdrawn": [
            {
                "id": card.id,
                "name": say(reader, card.name, card.written),
                **change_view(reader, site.records[card.id].withdrawals[-1]),
            }
            for card in facts.gone
        ],
    }


_CONTACT = ("phone", "postal_address", "email", "url", "opening_hours")


def _contact(reader: Reader, site: Site, facts: AgencyFacts) -> dict[str, Any]:
    """Return where an agency can be reached: as its last record says, or else as the pack has it.

    `record` is that record; the pack's is from `source`.
    """
    filed = [card for card in facts.own if card.contact]
    if filed:
        last = max(filed, key=lambda card: card.entry)
        shown = show(reader, {"contact": last.contact}, {}, last.written)["contact"]
        record = {"id": last.id, "name": say(reader, last.name, last.written)}
        return {name: shown.get(name) for name in _CONTACT} | {"record": record, "source": None}
    found = dict.fromkeys((*_CONTACT, "record", "source"))
    known = site.snapshot.pack.contacts.get(facts.agency_id)
    if known is None:
        return found
    post = say(reader, known.post)
    return found | {
        "phone": known.phone,
        "postal_address": post,
        "source": known.source,
        "read_on": known.read_on,
    }


def _attestation(reader: Reader, said: Attestation) -> dict[str, Any]:
    return {
        "day": said.day.isoformat(),
        "systems": said.systems_total,
        "contact": ViewObject(said.contact or {}),
        "note": say(reader, said.note),
        "erased": erased_view(reader, said.redacted),
        "filed_on": said.filed_at.date().isoformat(),
        "entry": said.entry,
    }
