"""Giving records their short codes: what was published before there were any gets an entry."""

from __future__ import annotations

import datetime as dt

from registry.ledger.append import append
from registry.ledger.code_entries import CodeEntry
from registry.ledger.entries import after
from registry.services.context import ServiceContext
from registry.store import codes, records

_AT_ONCE = 200


async def give_codes(context: ServiceContext, *, now: dt.datetime) -> int:
    """Append an entry for each record that was filed here and has no code; return how many.

    Withdrawn records get one as well. Raises `Unavailable` where nothing may be appended.
    """
    given = 0
    while count := await _give_some(context, now=now):
        given += count
    return given


async def _give_some(context: ServiceContext, *, now: dt.datetime) -> int:
    async with context.transaction() as connection:
        waiting = await codes.read_uncoded(connection, _AT_ONCE)
        if not waiting:
            return 0
        await records.lock_records(connection, waiting)
        state = await context.guard.lock(connection, now=now)
        waiting = await codes.read_uncoded(connection, _AT_ONCE)
        latest = await records.read_latest(connection, waiting)
        chosen: dict[str, str] = {}
        for record in waiting:
            code = await codes.find_free(connection, record, besides=chosen.values())
            chosen[record] = code
        entries = [
            CodeEntry(actor=context.pack.code, id=record, code=code, previous=after(latest[record]))
            for record, code in chosen.items()
        ]
        await append(connection, context.guard, state, entries)
    return len(entries)
