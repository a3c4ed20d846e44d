"""Agencies: those of the country pack and those that were added, stored and named in the log.

What is public of an agency gets an entry once it has filed anything, and changes together with the
next one. An agency that has no entry yet gets it before the log is published next, so that whoever
verifies what is published finds the names in it.

Agencies that were added to a register are kept in the database, so no update of the package loses
one. Where a pack has an agency of the same code, that one counts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from registry.ledger.append import append
from registry.ledger.entries import StatedEntry
from registry.ledger.guard import LogGuard
from registry.log.entry import named_agency, previous_entry
from registry.record.pack import Agency, Pack, check_agency
from registry.services.context import ServiceContext
from registry.services.operations import audit_trail
from registry.services.people.access import OPERATOR
from registry.settings import Settings
from registry.store import agencies, search_rows
from registry.store.database import Connection, Database


async def complete_pack(database: Database, pack: Pack) -> Pack:
    """Return a pack with the agencies that were added to the register."""
    async with database.connection() as connection:
        local = await agencies.read_local(connection)
    return pack.with_agencies(local)


async def add_agency(
    context: ServiceContext, settings: Settings, row: Mapping[str, str], *, now: dt.datetime
) -> Agency:
    """Add an agency to the register; `row` is as in a pack's `agencies.csv`.

    Raises `ConfigurationError`, and writes nothing, if the pack would be invalid with it.
    """
    async with context.transaction() as connection:
        local = await agencies.read_local(connection)
        added = check_agency(settings.pack, row, local, settings.packs)
        await save_agencies(
            connection, [added], guard=context.guard, actor=context.pack.code, now=now
        )
        await audit_trail.note(connection, OPERATOR, "add_agency", added.id, before=None, now=now)
    return added


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
            StatedEntry(entry=named_agency(context.pack.code, one, None))
            for one in await agencies.read_unnamed(connection)
        ]
        await append(connection, context.guard, state, entries)
    return len(entries)


async def _changed(
    connection: Connection, given: Sequence[Agency], *, actor: str = ""
) -> list[StatedEntry]:
    """Return the entries of those agencies that are other than their last entries say."""
    known = await agencies.read_named_by_log(connection, [one.id for one in given])
    return [
        StatedEntry(
            entry=named_agency(actor, one, previous_entry(known[one.id].entry, known[one.id].leaf))
        )
        for one in given
        if one.id in known and known[one.id].agency != one
    ]


async def restore_named(connection: Connection) -> None:
    """Bring agencies back to what the last of their entries in the log says of them."""
    logged = await agencies.read_named_by_log(connection)
    await store_agencies(connection, [one.agency for one in logged.values()])


async def store_agencies(connection: Connection, given: Sequence[Agency]) -> None:
    """Insert or replace agencies, and make the search rows anew, which have their names."""
    changed = await agencies.save(connection, given)
    entries = await agencies.read_versions(connection, changed) if changed else []
    if entries:
        await search_rows.lock_state(connection)
        await search_rows.rewrite(connection, entries)
        await search_rows.begin_epoch(connection)
