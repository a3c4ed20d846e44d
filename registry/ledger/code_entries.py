"""Short codes in the log: entries that give one, and the rows of all that do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import ClassVar

from registry.ledger.entries import RecordEntry
from registry.record.entry import EntryKind, Previous, code_entry
from registry.store.log import Entry, TableRow


class CodeEntry(RecordEntry, frozen=True, kw_only=True):
    """The code of a record whose first publication stated none."""

    kind: ClassVar[EntryKind] = "code"
    code: str
    previous: Previous | None

    def write(self, at: dt.datetime) -> bytes:
        """Return the bytes of the entry at a time; raises `ValueError` without an entry before."""
        if self.previous is None:
            raise ValueError(f"{self.id} was not published before")
        return code_entry(
            actor=self.actor, at=at, record=self.id, code=self.code, previous=self.previous
        )

    def project(self, entry: Entry) -> Mapping[str, Sequence[TableRow]]:
        """Return the code."""
        return {"short_code": [code_row(entry, self.id, self.code)]}


def code_row(entry: Entry, record: str, code: str) -> TableRow:
    """Return the row of a code that an entry gives to a record."""
    return {"entry": entry.index, "record": record, "code": code}
