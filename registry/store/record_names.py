"""The names of published records of this country, and the blocking keys to find them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from registry.record.likeness import (
    DESCRIBING,
    BlockingKeys,
    SystemTraits,
    blocking_keys,
    system_traits,
)
from registry.record.model import LangText
from registry.store.database import Connection, statement
from registry.store.lru import LruCache

MOST_ALIKE = 20
"""The records with which one is compared."""

MOST_OF_A_KEY = 50
"""The records that are read of those that share a key."""

_BATCH = 500

_name = msgspec.json.Decoder(LangText | None)

# By the leaf hash of a version's entry, and how much of it is erased.
_traits: LruCache[tuple[bytes, int], SystemTraits] = LruCache(room=16 << 20)


class RecordName(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The names of another published record of this country; compared by identity."""

    record: str
    agency: str
    name: LangText
    source_id: str | None

    def keys(self) -> BlockingKeys:
        """Return the blocking keys of the record."""
        return blocking_keys(self.agency, self.name, self.source_id)


class HigherRecord(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A record of an agency at a higher level than a new one, withdrawn or in force.

    `risk`, `sector` and `traits` are those of its last version; it has no name where it is
    restricted.
    """

    record: str
    named: RecordName | None
    risk: str
    sector: str
    is_withdrawn: bool
    traits: SystemTraits


async def read_higher(
    connection: Connection, agency: str, *, beside: str, levels: Sequence[str]
) -> list[HigherRecord]:
    """Return what an agency has published at some levels, `beside` a record; at most 500.

    What is withdrawn comes first, then the last. Texts are read once in the life of a process.
    """
    if not levels:
        return []
    rows = await connection.fetch(statement("names", "higher"), agency, beside, _BATCH, levels)
    keys = [(row["leaf"], row["erased"]) for row in rows]
    known = {key: traits for key in keys if (traits := _traits.get(key)) is not None}
    unread = [(row, key) for row, key in zip(rows, keys, strict=True) if key not in known]
    described = (
        await connection.fetch(
            statement("names", "described"),
            [row["record"] for row, _ in unread],
            [row["version"] for row, _ in unread],
            DESCRIBING,
        )
        if unread
        else ()
    )
    documents = {row["record"]: row["document"] for row in described}
    for row, key in unread:
        known[key] = system_traits(msgspec.json.decode(documents.get(row["record"], "{}")))
        _traits.put(key, known[key], known[key].size)
    return [
        HigherRecord(
            record=row["record"],
            named=_record_name(row),
            risk=row["risk"],
            sector=row["sector"],
            is_withdrawn=row["is_withdrawn"],
            traits=known[key],
        )
        for row, key in zip(rows, keys, strict=True)
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


async def index(connection: Connection, record: str) -> None:
    """Write the keys of a record anew, from what is left of it."""
    await connection.execute(statement("names", "delete"), record)
    row = await connection.fetchrow(statement("names", "in_force"), record)
    named = None if row is None else _record_name(row)
    if named is not None:
        keys = list(named.keys().all)
        await connection.execute(statement("names", "insert"), keys, [record] * len(keys))


def _record_name(row: Any) -> RecordName | None:
    """Return the name of a row; None if the record never had a name, or it was erased."""
    name = None if row["name"] is None else _name.decode(row["name"])
    if not name:
        return None
    source_id = None if row["source_id"] is None else msgspec.json.decode(row["source_id"])
    return RecordName(record=row["record"], agency=row["agency"], name=name, source_id=source_id)
