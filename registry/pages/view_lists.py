"""What lists and counts show: rows of records, how many there are of each kind, whose they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from heapq import nlargest
from typing import Any

from registry.pages.cards import Card, copied, counted
from registry.pages.history import change_view
from registry.pages.reader import Reader, as_it_is, label, say
from registry.pages.site import Site


def card_row(reader: Reader, site: Site, card: Card) -> dict[str, Any]:
    """Build the row of one record in a list."""
    return {
        "id": card.id,
        "name": say(reader, card.name),
        "summary": say(reader, card.summary),
        "agency": agency_view(reader, site, card.agency),
        "risk": label(reader, "risk_level", card.risk),
        "status": label(reader, "status", card.status),
        "sector": label(reader, "sector", card.sector),
        "origin": card.origin,
        "fictitious": card.fictitious,
    }


def count_rows(
    reader: Reader, cards: Sequence[Card], codelist: str, kind: str
) -> list[dict[str, Any]]:
    """Count records by code: those of this register, and those copied from others."""
    here = Counter(card.code(codelist) for card in counted(cards))
    elsewhere = Counter(card.code(codelist) for card in copied(cards))
    return [
        {
            "path": f"{kind}/{code}",
            "name": label(reader, codelist, code),
            "badge": codelist == "risk_level",
            "here": here[code],
            "copied": elsewhere[code],
        }
        for code in reader.labels[codelist]
    ]


def home_view(reader: Reader, site: Site) -> dict[str, Any]:
    """Build the first page."""
    cards = list(site.cards.values())
    here, elsewhere = counted(cards), copied(cards)
    first = sorted(
        (code for code in site.lists["sector"].values() if "priority" in code.extra),
        key=lambda code: code.extra["priority"],
    )
    high = Counter(card.sector for card in here if card.risk in ("high", "unacceptable"))
    in_sector = Counter(card.sector for card in here)
    return {
        "examples_only": bool(here) and all(card.fictitious for card in here),
        "total": len(here),
        "copied_total": len(elsewhere),
        "risks": count_rows(reader, cards, "risk_level", "risk"),
        "sectors": [
            row
            for row in count_rows(reader, cards, "sector", "sectors")
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
    """List what agencies did here last, newest first: versions in force, and withdrawals."""
    changes = [
        (change, name)
        for name, record in site.known.items()
        if record.card.origin is None
        for change in (
            *(record.versions if not record.card.withdrawn else ()),
            *record.withdrawals,
        )
    ]
    return [
        {"id": record, "name": say(reader, site.cards[record].name), **change_view(reader, change)}
        for change, record in nlargest(limit, changes, key=lambda item: item[0].entry)
    ]


def agency_view(reader: Reader, site: Site, agency_id: str) -> dict[str, Any]:
    """Name an agency and say where it is from; one that is not known is shown by its id."""
    known: dict[str, Any] | None = reader.kept.get((agency_view, agency_id))
    if known is None:
        known = reader.kept[agency_view, agency_id] = _agency_view(reader, site, agency_id)
    return known


def _agency_view(reader: Reader, site: Site, agency_id: str) -> dict[str, Any]:
    agency = site.corpus.agencies.get(agency_id)
    return {
        "id": agency_id,
        "name": (agency and say(reader, agency.name)) or as_it_is(reader, agency_id),
        "website": agency and agency.website,
        "fictitious": bool(agency and agency.fictitious),
        **origin_view(reader, site, agency.origin if agency else None),
    }


def origin_view(reader: Reader, site: Site, code: str | None) -> dict[str, Any]:
    """Name the other register that something was copied from."""
    known = site.corpus.origins.get(code) if code else None
    return {
        "origin": code,
        "origin_name": (known and say(reader, known.name)) or as_it_is(reader, code or ""),
        "origin_url": known and known.url,
    }
