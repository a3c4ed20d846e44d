"""What lists and counts show: rows of records, and how many there are of each kind."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from registry.pages.cards import NOT_STATED, copied, counted
from registry.pages.reader import Text, label, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from registry.pages.cards import Card
    from registry.pages.reader import Reader
    from registry.pages.site import Site

LEVELS = ("unacceptable", "high", "limited", "minimal", NOT_STATED)


def card_row(reader: Reader, site: Site, card: Card) -> dict[str, Any]:
    """Build the row of one record in a list."""
    agency = site.corpus.agencies.get(card.agency)
    return {
        "id": card.id,
        "name": say(reader, card.name),
        "summary": say(reader, card.summary),
        "agency": card.agency,
        "agency_name": say(reader, agency.name) if agency else None,
        "risk": card.risk,
        "risk_label": label(reader, "risk_level", card.risk),
        "status_label": label(reader, "status", card.status),
        "sector_label": label(reader, "sector", card.sector),
        "origin": card.origin,
        "fictitious": card.fictitious,
    }


def count_rows(
    reader: Reader, cards: Sequence[Card], codes: Iterable[str], codelist: str, kind: str
) -> list[dict[str, Any]]:
    """Count records by code: those of this register, and those copied from others."""
    here = Counter(_code(card, codelist) for card in counted(cards))
    elsewhere = Counter(_code(card, codelist) for card in copied(cards))
    return [
        {
            "code": code,
            "path": f"{kind}/{code}",
            "name": label(reader, codelist, code),
            "badge": codelist == "risk_level",
            "here": here[code],
            "copied": elsewhere[code],
        }
        for code in codes
    ]


def home_view(reader: Reader, site: Site) -> dict[str, Any]:
    """Build the first page."""
    cards = list(site.cards.values())
    here, elsewhere = counted(cards), copied(cards)
    sectors = site.lists["sector"]
    first = sorted(
        (code for code in sectors.values() if "priority" in code.extra),
        key=lambda code: code.extra["priority"],
    )
    high = Counter(card.sector for card in here if card.risk in ("high", "unacceptable"))
    in_sector = Counter(card.sector for card in here)
    return {
        "examples_only": bool(here) and all(card.fictitious for card in here),
        "total": len(here),
        "copied_total": len(elsewhere),
        "risks": count_rows(reader, cards, LEVELS, "risk_level", "risk"),
        "sectors": [
            row
            for row in count_rows(reader, cards, [*sectors, NOT_STATED], "sector", "sectors")
            if row["here"] or row["copied"]
        ],
        "tiles": [
            {
                "path": f"sectors/{sector.code}",
                "name": label(reader, "sector", sector.code),
                "here": in_sector[sector.code],
                "high": high[sector.code],
            }
            for sector in first
        ],
        "latest": latest_changes(reader, site),
        "as_of": site.corpus.as_of.date().isoformat(),
        "log_size": site.corpus.log_size,
    }


def latest_changes(reader: Reader, site: Site, limit: int = 8) -> list[dict[str, Any]]:
    """List the newest versions that agencies filed here, newest first."""
    lines = sorted(
        (
            (line.entry, line, site.cards[record.id])
            for record in site.corpus.records
            if record.register.origin is None and record.register.state != "withdrawn"
            for line in record.versions
        ),
        key=lambda item: -item[0],
    )
    return [
        {
            "id": card.id,
            "name": say(reader, card.name),
            "version": line.version,
            "published_on": line.published_at.date().isoformat(),
            "note": say(reader, line.change_note),
        }
        for _, line, card in lines[:limit]
    ]


def origin_view(reader: Reader, site: Site, code: str | None) -> dict[str, Any]:
    """Name the other register that an agency's records come from."""
    known = site.corpus.origins.get(code) if code else None
    return {
        "origin": code,
        "origin_name": say(reader, known.name) if known else None,
        "origin_url": known.url if known else None,
    }


def agency_name(reader: Reader, names: Mapping[str, str] | None, agency_id: str) -> Text:
    """Name an agency; one that is not known by name is shown by its id."""
    named = say(reader, dict(names)) if names else None
    return named or Text(text=agency_id, lang="en", dir="ltr", differs=reader.tag != "en")


def _code(card: Card, codelist: str) -> str:
    return {"risk_level": card.risk, "sector": card.sector, "status": card.status}[codelist]
