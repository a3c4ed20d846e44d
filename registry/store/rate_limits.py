"""How much of a kind somebody may still do at once: token buckets that every process shares."""

from __future__ import annotations

import datetime as dt

from registry.store.database import Connection
from registry.store.sql import statement


async def spend(
    connection: Connection,
    kind: str,
    who: str,
    *,
    capacity: float,
    per_second: float,
    cost: float,
    now: dt.datetime,
) -> tuple[bool, float]:
    """Take `cost` out of a bucket; give whether it held that much, and what it holds now."""
    row = await connection.fetchrow(
        statement("allowances", "spend"), kind, who, capacity, per_second, cost, now
    )
    # No row: another process made the bucket while this one asked, and has emptied it.
    return (False, 0.0) if row is None else (bool(row["granted"]), float(row["remaining"]))


async def forget(connection: Connection, before: dt.datetime) -> None:
    """Remove the buckets that nobody has used since a time at which all would be full again."""
    await connection.execute(statement("allowances", "forget"), before)
