"""Agencies that were added to a register, beside those of its country pack.

They are kept in the database, so no update of the package loses one. Where a pack has an agency of
the same code, that one counts.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping
from contextlib import suppress

import msgspec

from registry.record.pack import Agency, Pack, check_agency
from registry.services import audit
from registry.services.access import OPERATOR
from registry.services.context import ServiceContext
from registry.services.naming import save_agencies
from registry.settings import Settings
from registry.store import agencies
from registry.store.database import Database

_EVERY_SECONDS = 10.0


async def complete_pack(database: Database, pack: Pack) -> Pack:
    """Return a pack with the agencies that were added to the register."""
    async with database.connection() as connection:
        local = await agencies.read_local(connection)
    return msgspec.structs.replace(
        pack, agencies={**{one.id: one for one in local}, **pack.agencies}
    )


async def keep_complete(database: Database, known: dict[str, Agency]) -> None:
    """Take agencies as they are added into those that a process knows; never return."""
    while True:
        # There may be no database now, or nothing in it yet.
        with suppress(Exception):
            await take_added(database, known)
        await asyncio.sleep(_EVERY_SECONDS)


async def take_added(database: Database, known: dict[str, Agency]) -> None:
    """Take the agencies that were added into those that a process knows."""
    async with database.connection() as connection:
        for one in await agencies.read_local(connection):
            known.setdefault(one.id, one)


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
        await audit.note(connection, OPERATOR, "add_agency", added.id, before=None, now=now)
    return added
