"""What lists and counts show: rows of records, how many there are of each kind, whose they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from registry.pages.cards import Card, copied, counted
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


def agency_view(reader: Reader, site: Site, agency_id: str) -> dict[str, Any]:
    """Name an agency and say where it is from; one that is not known is shown by its id."""
    known: dict[str, Any] | None = reader.kept.get((agency_view, agency_id))
    if known is None:
        known = reader.kept[agency_view, agency_id] = _agency_view(reader, site, agency_id)
    return known


def _agency_view(reader: Reader, site: Site, agency_id: str) -> dict[str, Any]:
    agency = site.snapshot.agencies.get(agency_id)
    return {
        "id": agency_id,
        "name": (agency and say(reader, agency.name)) or as_it_is(reader, agency_id),
        "website": agency and agency.website,
        "fictitious": bool(agency and agency.fictitious),
        **origin_view(reader, site, agency.origin if agency else None),
    }


def origin_view(reader: Reader, site: Site, code: str | None) -> dict[str, Any]:
    """Name the other register that something was copied from."""
    known = site.snapshot.origins.get(code) if code else None
    return {
        "origin": code,
        "origin_name": (known and say(reader, known.name)) or as_it_is(reader, code or ""),
        "origin_url": known and known.url,
    }
