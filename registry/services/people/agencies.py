"""Agencies: those of the country pack and those that were added, stored and named in the log.

The agencies of the country pack stand in the configuration that the log commits to; an agency that
was added here, or that is another register's, gets an entry of its own when it is stored. One of
the pack gets one too once it has filed anything. What is public of an agency changes together with
the next entry of it.

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
    """Insert or replace agencies, and append an entry of each that the log states otherwise.

    Raises `Unavailable` where something would have to be appended, and nothing may be.
    """
    if not await _changed(connection, given):
        await store_agencies(connection, given)
        return
    state = await guard.lock(connection, now=now)
    await store_agencies(connection, given)
    # Another process may have been first.
    await append(connection, guard, state, await _changed(connection, given, actor=actor))


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
    """Return the entries of those agencies that are other than the log states them."""
    known = await agencies.read_named_by_log(connection, [one.id for one in given])
    configured = {} if len(known) == len(given) else await agencies.read_configured(connection)
    entries = []
    for one in given:
        named = known.get(one.id)
        if one != (configured.get(one.id) if named is None else named.agency):
            prev = None if named is None else previous_entry(named.entry, named.leaf)
            entries.append(StatedEntry(entry=named_agency(actor, one, prev)))
    return entries


async def restore_named(connection: Connection) -> None:
    """Bring agencies back to what the log says of them last."""
    stated = await agencies.read_configured(connection)
    for name, one in (await agencies.read_named_by_log(connection)).items():
        stated[name] = one.agency
    await store_agencies(connection, list(stated.values()))


async def store_agencies(connection: Connection, given: Sequence[Agency]) -> None:
    """Insert or replace agencies, and make the search rows anew, which have their names."""
    changed = await agencies.save(connection, given)
    entries = await agencies.read_versions(connection, changed) if changed else []
    if entries:
        await search_rows.lock_state(connection)
        await search_rows.rewrite(connection, entries)
        await search_rows.begin_epoch(connection)
