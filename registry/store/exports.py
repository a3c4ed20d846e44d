"""Reading for exports: first the selected versions, then their documents in batches.

A version does not change, so batches that are read one after another are of one state of the
register, and a slow reader holds no connection.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import msgspec

from registry.log.register import StoredRecord
from registry.store import redactions
from registry.store.as_of import AsOf
from registry.store.database import Connection, statement
from registry.store.records import record_of

_PREFETCH = 10_000
_SORTING_SECONDS = 60.0


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Versions by their entries, in the order of their records' ids, eight bytes each.

    `moment` is the last entry of the log that is included, `leaf` its leaf hash; `erasures` counts
    the redactions carried out, each of which may change documents.
    """

    entries: array[int]
    moment: AsOf
    leaf: bytes
    erasures: int = 0

    @property
    def size(self) -> int:
        """The size of the log at that moment."""
        return self.moment.entry + 1


async def select(connection: Connection, entries: Sequence[int], moment: AsOf) -> Selection:
    """Return versions in the order of their records' ids; needs a transaction."""
    sorted_entries = array("q")
    rows = connection.cursor(
        statement("exports", "by_id"), entries, prefetch=_PREFETCH, timeout=_SORTING_SECONDS
    )
    async for row in rows:
        sorted_entries.append(row["entry"])
    leaf: bytes = await connection.fetchval(statement("exports", "leaf"), moment.entry)
    erasures = await redactions.count(connection)
    return Selection(entries=sorted_entries, moment=moment, leaf=leaf, erasures=erasures)


async def read(connection: Connection, entries: Sequence[int], *, as_of: int) -> list[StoredRecord]:
    """Return versions in the order of the given entries, as they were in force at another entry."""
    rows = await connection.fetch(statement("exports", "versions"), entries, as_of)
    return [record_of(row, []) for row in rows]


async def select_versions(connection: Connection, moment: AsOf) -> list[tuple[int, int | None]]:
    """Return each version up to a moment, by record and version: its entry, and what ended it."""
    rows = await connection.fetch(statement("exports", "panel"), moment.entry)
    return [(row["entry"], row["until_entry"]) for row in rows]


async def read_leaf(connection: Connection, entry: int) -> bytes:
    """Return the leaf hash of an entry."""
    leaf: bytes = await connection.fetchval(statement("exports", "leaf"), entry)
    return leaf
