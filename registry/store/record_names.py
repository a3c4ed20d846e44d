"""The names of published records of this country, and the blocking keys to find them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from registry.record.likeness import (
    DESCRIBING,
    BlockingKeys,
    NameParts,
    SystemTraits,
    blocking_keys,
    name_parts,
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
_NAME_BYTES = 1_500

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


class HigherRecord(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A record of an agency at a higher level than a new one, withdrawn or in force.

    All is that of its last version; it has neither names nor a source id where it is restricted.
    """

    record: str
    names: dict[str, NameParts]
    source_id: str | None
    risk: str
    sector: str
    is_withdrawn: bool
    traits: SystemTraits


# By the leaf hash of a version's entry, how much of it is erased, and whether it is withdrawn.
_higher: LruCache[tuple[bytes, int, bool], HigherRecord] = LruCache(room=16 << 20)


async def read_higher(
    connection: Connection, agency: str, levels: Sequence[str]
) -> list[HigherRecord]:
    """Return the last that an agency has published at some levels; at most 500.

    What is withdrawn comes first. Each is read once in the life of a process.
    """
    if not levels:
        return []
    rows = await connection.fetch(statement("names", "higher"), agency, levels, _BATCH)
    keys = {row["entry"]: (row["leaf"], row["erased"], row["is_withdrawn"]) for row in rows}
    found = {entry: _higher.get(key) for entry, key in keys.items()}
    unread = [entry for entry, one in found.items() if one is None]
    if unread:
        sections = ("name", "source_id", *DESCRIBING)
        for row in await connection.fetch(statement("names", "described"), unread, sections):
            entry = row["entry"]
            one = found[entry] = _higher_record(row, is_withdrawn=keys[entry][-1])
            _higher.put(keys[entry], one, one.traits.size + _NAME_BYTES * len(one.names))
    return [one for one in found.values() if one is not None]


def _higher_record(row: Any, *, is_withdrawn: bool) -> HigherRecord:
    document = msgspec.json.decode(row["document"])
    name: LangText = document.get("name") or {}
    return HigherRecord(
        record=row["record"],
        names={tag: name_parts(text) for tag, text in name.items()},
        source_id=document.get("source_id") if name else None,
        risk=row["risk"],
        sector=row["sector"],
        is_withdrawn=is_withdrawn,
        traits=system_traits(document),
    )


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


def _record_name(row: Any) -> RecordName | None:
    """Return the name of a row; None if the record never had a name, or it was erased."""
    name = None if row["name"] is None else _name.decode(row["name"])
    if not name:
        return None
    source_id = None if row["source_id"] is None else msgspec.json.decode(row["source_id"])
    return RecordName(record=row["record"], agency=row["agency"], name=name, source_id=source_id)
