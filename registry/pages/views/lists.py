"""Rows of records, counts by code, agencies and histories, as several pages show them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from registry.pages.cards import Card, copied, counted
from registry.pages.reader import Reader, as_it_is, label, say
from registry.pages.site import Site
from registry.store.records import StoredRecord, VersionLine
from registry.store.withdrawals import Withdrawal


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
        "found": None,
    }


def count_rows(
    reader: Reader, cards: Sequence[Card], codelist: str, kind: str
) -> list[dict[str, Any]]:
    """Return counts by code, of this register and of those copied from others."""
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
    """Return the name and origin of an agency; an unknown one is named by its id."""
    known: dict[str, Any] | None = reader.kept.get((agency_view, agency_id))
    if known is None:
        agency = site.snapshot.agencies.get(agency_id)
        known = reader.kept[agency_view, agency_id] = {
            "id": agency_id,
            "name": (agency and say(reader, agency.name)) or as_it_is(reader, agency_id),
            "website": agency and agency.website,
            "fictitious": bool(agency and agency.fictitious),
            **origin_view(reader, site, agency.origin if agency else None),
        }
    return known


def origin_view(reader: Reader, site: Site, code: str | None) -> dict[str, Any]:
    """Return the name of the other register that something was copied from, and its addresses.

    `origin_page` is the page here about it, `origin_url` its own address.
    """
    known = site.snapshot.origins.get(code) if code else None
    return {
        "origin": code,
        "origin_name": (known and say(reader, known.name)) or as_it_is(reader, code or ""),
        "origin_page": f"registers/{code}",
        "origin_url": (known and known.homepage) or None,
    }


def change_view(reader: Reader, change: VersionLine | Withdrawal) -> dict[str, Any]:
    """Return the view of one change; a withdrawal has a `reason`, a version has none."""
    if isinstance(change, Withdrawal):
        at, note = change.withdrawn_at, change.note
        reason = label(reader, "withdrawal_reason", change.reason)
    else:
        at, note, reason = change.published_at, change.change_note, None
    return {
        "version": change.version,
        "entry": change.entry,
        "day": at.date().isoformat(),
        "note": say(reader, note),
        "reason": reason,
    }


def history_view(
    reader: Reader, record: StoredRecord, withdrawals: Sequence[Withdrawal]
) -> list[dict[str, Any]]:
    """Return all changes of a record, newest first."""
    changes: list[VersionLine | Withdrawal] = [*record.versions, *withdrawals]
    changes.sort(key=lambda change: -change.entry)
    return [change_view(reader, change) for change in changes]
