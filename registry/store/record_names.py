"""The names of published records of this country, and the blocking keys to find them."""

from __future__ import annotations

from typing import Any

import msgspec

from registry.record.duplicate_names import BlockingKeys, blocking_keys
from registry.record.model import LangText
from registry.store.database import Connection
from registry.store.sql import statement

MOST_ALIKE = 20
"""The records with which one is compared."""

MOST_OF_A_KEY = 50
"""The records that are read of those that share a key."""

_BATCH = 500

_name = msgspec.json.Decoder(LangText | None)


class RecordName(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The names of another published record of this country; compared by identity."""

    record: str
    agency: str
    name: LangText
    source_id: str | None

    def keys(self) -> BlockingKeys:
        """Return the blocking keys of the record."""
        return blocking_keys(self.agency, self.name, self.source_id)


class WithdrawnRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record that its agency has withdrawn: its names, and the risk level of its last version."""

    named: RecordName
    risk: str


async def read_withdrawn(
    connection: Connection, agency: str, *, beside: str
) -> list[WithdrawnRecord]:
    """Return what an agency has withdrawn, `beside` a record, the last first; at most 500."""
    rows = await connection.fetch(statement("names", "withdrawn"), agency, beside, _BATCH)
    return [
        WithdrawnRecord(named=named, risk=row["risk"])
        for row in rows
        if (named := _record_name(row)) is not None
    ]


async def find_alike(connection: Connection, record: str, keys: BlockingKeys) -> list[RecordName]:
    """Return published records that one with these keys may be confused with, the nearest first.

    They are of its agency, or of others if their whole names look the same. At most `MOST_ALIKE`.
    """
    rows = await connection.fetch(
        statement("names", "alike"),
        record,
        list(keys.own | keys.anywhere),
        list(keys.words),
        MOST_ALIKE,
        MOST_OF_A_KEY,
    )
    return [one for row in rows if (one := _record_name(row)) is not None]


async def index(connection: Connection, record: str | None = None) -> None:
    """Insert the keys of a record, from what is left of it, or of all records without keys."""
    if record is not None:
        await connection.execute(statement("names", "delete"), record)
    after = ""
    while rows := await connection.fetch(statement("names", "in_force"), after, record, _BATCH):
        after = rows[-1]["record"]
        named = filter(None, map(_record_name, rows))
        pairs = [(key, one.record) for one in named for key in one.keys().all]
        keys, records = zip(*pairs, strict=True) if pairs else ((), ())
        await connection.execute(statement("names", "insert"), keys, records)


async def are_missing(connection: Connection) -> bool:
    """Return whether the keys were never written, as in a register of an older version."""
    return bool(await connection.fetchval(statement("names", "are_missing")))


def _record_name(row: Any) -> RecordName | None:
    """Return the name of a row; None if the record never had a name, or it was erased."""
    name = None if row["name"] is None else _name.decode(row["name"])
    if not name:
        return None
    source_id = None if row["source_id"] is None else msgspec.json.decode(row["source_id"])
    return RecordName(record=row["record"], agency=row["agency"], name=name, source_id=source_id)
