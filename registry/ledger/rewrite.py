"""Rows that follow from the log, written again: after an erasure, a repair, or entries given up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from registry.ledger.projection import derive
from registry.ledger.verify_rows import begin_check
from registry.store import log, log_checks, search_rows
from registry.store.database import Connection
from registry.store.log_checks import Span
from registry.tlog.hashing import leaf_hash

_TABLES = ("record", "figure", "search_version", "blocking_key")
_AT_ONCE = 64
_WHOLE = Span(start=None, end=None)


async def rewrite_records(
    connection: Connection,
    records: Collection[str],
    *,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> list[str]:
    """Write the rows of records again that follow from their entries, and begin a search epoch.

    Return the records that stay as they are, since something else of them does not follow from the
    log. The caller holds the locks of the log's state and of the search's.
    """
    check, state = await begin_check(connection), await log.read_state(connection)
    named, kept = sorted(records), list[str]()
    for start in range(0, len(named), _AT_ONCE):
        found = await log_checks.read_entries_of(connection, named[start : start + _AT_ONCE])
        derived = await asyncio.to_thread(derive, await check.read_part(_WHOLE, found))
        silent = {entry.record for entry in found if leaf_hash(entry.content) != entry.leaf}
        silent |= {fault.subject for fault in derived.faults}
        kept += [record for record in silent if record is not None]
        good = {entry.index: entry.record for entry in found if entry.record not in silent}
        names = {*good.values()}
        rows = {
            table: [
                row
                for row in derived.rows.get(table, [])
                if row.get("record", row.get("id")) in names or row.get("ord") in good
            ]
            for table in _TABLES
        }
        await log.rewrite_rows(connection, state, [*good], rows)
        progress(min(start + _AT_ONCE, len(named)), len(named))
    await search_rows.begin_epoch(connection)
    return kept
