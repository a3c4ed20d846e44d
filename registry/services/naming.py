"""Naming agencies in the log: what is public of an agency gets an entry once it has filed anything.

An agency that has an entry changes together with the next one. One that has none yet, new or of a
log of an earlier release, gets it before the log is published next, so that whoever verifies what
is published finds the names in it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from registry.ledger.agency_entries import AgencyEntry
from registry.ledger.append import append
from registry.ledger.guard import LogGuard
from registry.record.entry import Previous
from registry.record.pack import Agency
from registry.services.context import ServiceContext
from registry.services.reindexing import store_agencies
from registry.store import agencies
from registry.store.database import Connection


async def save_agencies(
    connection: Connection,
    given: Sequence[Agency],
    *,
    guard: LogGuard,
    actor: str,
    now: dt.datetime,
) -> None:
    """Insert or replace agencies; of those that have an entry in the log, append what changed.

    Raises `Unavailable` where something would have to be appended, and nothing may be.
    """
    if await _changed(connection, given):
        state = await guard.lock(connection, now=now)
        # Another process may have been first.
        entries = await _changed(connection, given, actor=actor)
        await append(connection, guard, state, entries)
    await store_agencies(connection, given)


async def name_agencies(context: ServiceContext, *, now: dt.datetime) -> int:
    """Append an entry for each agency that has something in the log and no entry; return how many.

    Raises `Unavailable` where nothing may be appended.
    """
    async with context.transaction() as connection:
        if not await agencies.read_unnamed(connection):
            return 0
        state = await context.guard.lock(connection, now=now)
        entries = [
            AgencyEntry(actor=context.pack.code, agency=one, previous=None)
            for one in await agencies.read_unnamed(connection)
        ]
        await append(connection, context.guard, state, entries)
    return len(entries)


async def _changed(
    connection: Connection, given: Sequence[Agency], *, actor: str = ""
) -> list[AgencyEntry]:
    """Return the entries of those agencies that are other than their last entries say."""
    known = await agencies.read_named_by_log(connection, [one.id for one in given])
    return [
        AgencyEntry(
            actor=actor,
            agency=one,
            previous=Previous(index=known[one.id].entry, leaf=known[one.id].leaf),
        )
        for one in given
        if one.id in known and known[one.id].agency != one
    ]
