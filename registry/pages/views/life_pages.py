"""What happened to people: an event leads to the systems that may have had a part in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import msgspec

from registry.pages.cards import Card
from registry.pages.labels import event_row
from registry.pages.page import Page, digest
from registry.pages.reader import Reader, label, say
from registry.pages.site import Site, pages
from registry.pages.views.lists import agency_view, card_row, has_letter
from registry.record.life_events import LifeEvent, life_events
from registry.record.model import COMING, ENDED, RUNNING
from registry.text.folding import sort_key

_MOST_AGENCIES = 12


def life_pages(site: Site) -> Iterator[Page]:
    """Yield the page of all events and that of each."""
    shown = [card for card in site.cards.values() if not card.withdrawn]
    filed = {card.agency for card in shown}
    found = {
        event.code: [
            card for card in shown if event.covers(card.sector, card.function, card.affected)
        ]
        for event in life_events()
    }
    number = {
        code: sum(card.status in RUNNING for card in _here(site, cards))
        for code, cards in found.items()
    }
    view = partial(_index, number=number)
    key = digest(msgspec.json.encode(number))
    yield from pages(site, "life/", template="life.html", key=key, view=view)
    for event in life_events():
        here = _here(site, found[event.code])
        others: dict[str, Any] = {
            "abroad": len(found[event.code]) - len(here),
            "agencies": [(agency, agency in filed) for agency in _agencies(site, event)],
        }
        facts = [(card.digest, card.role, card.contestation, card.deadline_days) for card in here]
        yield from pages(
            site,
            f"life/{event.code}",
            template="life_event.html",
            key=digest(msgspec.json.encode([facts, others])),
            view=partial(_event, site=site, event=event, here=here, **others),
        )


def _here(site: Site, cards: Sequence[Card]) -> list[Card]:
    """Return the records of this country: only its authorities can have decided."""
    return [card for card in cards if has_letter(site, card)]


def _index(reader: Reader, *, number: dict[str, int]) -> dict[str, Any]:
    events = [event_row(reader, event) | {"here": number[event.code]} for event in life_events()]
    return {"events": events}


def _event(
    reader: Reader,
    *,
    site: Site,
    event: LifeEvent,
    here: Sequence[Card],
    abroad: int,
    agencies: Sequence[tuple[str, bool]],
) -> dict[str, Any]:
    levels = list(site.lists["risk_level"])

    def place(card: Card) -> tuple[bool, int, str, str]:
        level = levels.index(card.risk) if card.risk in levels else len(levels)
        name = say(reader, card.name, card.written)
        return (
            card.origin is not None,
            level,
            sort_key(name.text) if name else "",
            card.id,
        )

    return event_row(reader, event) | {
        "groups": [
            (part, [_system(reader, site, card) for card in sorted(cards, key=place)])
            for part, cards in _by_part(here).items()
        ],
        "abroad": abroad,
        "sectors": [
            {"path": f"sectors/{code}", "name": label(reader, "sector", code)}
            for code in event.sectors
        ],
        "agencies": [
            agency_view(reader, site, agency) | {"filed": filed} for agency, filed in agencies
        ],
    }


def _by_part(cards: Sequence[Card]) -> dict[str, list[Card]]:
    """Return the records by the part that their systems can have had in a decision.

    One that runs may have had one, one that ended may have before, one that is being prepared
    none; of one whose status is not stated nobody knows.
    """
    parts: dict[str, list[Card]] = {"running": [], "unknown": [], "ended": [], "coming": []}
    kinds = {**dict.fromkeys(RUNNING, "running"), **dict.fromkeys(ENDED, "ended")}
    kinds |= dict.fromkeys(COMING, "coming")
    for card in cards:
        parts[kinds.get(card.status, "unknown")].append(card)
    return {part: found for part, found in parts.items() if found}


def _system(reader: Reader, site: Site, card: Card) -> dict[str, Any]:
    """Return a record with what somebody wants to know first who received a decision."""
    return card_row(reader, site, card) | {
        "role": label(reader, "decision_role", card.role),
        "contestation": card.contestation,
        "deadline_days": card.deadline_days,
    }


def _agencies(site: Site, event: LifeEvent) -> list[str]:
    """Return the agencies that people come to for services of the event's sectors."""
    named = {
        service.agency: None
        for service in site.snapshot.pack.services
        if service.agency and service.sector in event.sectors
    }
    return [agency for agency in named if agency][:_MOST_AGENCIES]
