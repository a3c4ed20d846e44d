"""Entries on agencies: the public facts of one, by which the log binds the names that are shown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from registry.ledger.entries import NewEntry
from registry.record.agency_entry import agency_entry
from registry.record.entry import EntryKind, Previous
from registry.record.pack import Agency
from registry.store.log import Entry, TableRow


class AgencyEntry(NewEntry, frozen=True, kw_only=True):
    """What an agency is called, and what else is public of it; `previous` is its entry before."""

    kind: ClassVar[EntryKind] = "agency"
    agency: Agency
    previous: Previous | None

    def write(self, at: dt.datetime) -> bytes:
        """Return the bytes of the entry at a time."""
        return agency_entry(actor=self.actor, at=at, agency=self.agency, previous=self.previous)

    def project(self, entry: Entry) -> Mapping[str, Sequence[TableRow]]:
        """Return the agency as the log has it from there on."""
        row = {
            "entry": entry.index,
            "agency": self.agency.id,
            "document": msgspec.json.encode(self.agency).decode(),
        }
        return {"agency_entry": [row]}
