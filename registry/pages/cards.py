"""Cards: the few facts about a record that lists and counts show, in every language at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from registry.pages.page import digest
from registry.record.entry import NOT_STATED
from registry.record.model import LangText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from registry.record.pack import Agency
    from registry.store.records import StoredRecord


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A record as a list shows it; `digest` covers all that a list can show of it."""

    id: str
    agency: str
    name: LangText
    summary: LangText
    risk: str
    sector: str
    status: str
    origin: str | None
    fictitious: bool
    restricted: bool
    withdrawn: bool
    version: int
    published_on: str
    entry: int
    digest: str

    def code(self, codelist: str) -> str:
        """Give the code by which one browses, of risk_level, sector or status."""
        return {"risk_level": self.risk, "sector": self.sector, "status": self.status}[codelist]


def read_card(record: StoredRecord, agency: Agency | None) -> Card:
    """Read the card of a record from its document and its register part."""
    document: dict[str, Any] = msgspec.json.decode(record.document)
    register = record.register
    facts: dict[str, Any] = {
        "id": record.id,
        "agency": record.agency,
        "name": document.get("name") or {},
        "summary": document.get("summary") or {},
        "risk": (document.get("risk") or {}).get("level", NOT_STATED),
        "sector": (document.get("sector") or {}).get("primary", NOT_STATED),
        "status": (document.get("lifecycle") or {}).get("status", NOT_STATED),
        "origin": register.origin,
        "fictitious": register.fictitious,
        "restricted": (document.get("publication") or {}).get("visibility") == "restricted",
        "withdrawn": register.state == "withdrawn",
        "version": register.version,
        "published_on": register.published_at.date().isoformat(),
        "entry": register.entry,
    }
    seen = digest(msgspec.json.encode(facts), msgspec.json.encode(agency))
    return Card(**facts, digest=seen)


def counted(cards: Sequence[Card]) -> list[Card]:
    """Keep what this register answers for, leaving examples out once a real agency has filed."""
    local = [card for card in cards if card.origin is None and not card.withdrawn]
    real = [card for card in local if not card.fictitious]
    return real or local


def copied(cards: Sequence[Card]) -> list[Card]:
    """Keep what was copied from other registers."""
    return [card for card in cards if card.origin is not None and not card.withdrawn]
