"""Rate limits: token buckets that all processes share."""

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
    """Take `cost` out of a bucket; return whether it had that much, and what it has now."""
    row = await connection.fetchrow(
        statement("allowances", "spend"), kind, who, capacity, per_second, cost, now
    )
    # No row: another process created and emptied the bucket at the same time.
    return (False, 0.0) if row is None else (bool(row["granted"]), float(row["remaining"]))


async def charge(
    connection: Connection,
    kind: str,
    who: str,
    *,
    capacity: float,
    per_second: float,
    cost: float,
    now: dt.datetime,
) -> float:
    """Take `cost` out of a bucket whatever it has; return what it has now, negative for a debt."""
    return float(
        await connection.fetchval(
            statement("allowances", "charge"), kind, who, capacity, per_second, cost, now
        )
    )


async def forget(connection: Connection, before: dt.datetime) -> None:
    """Delete the buckets that were not used since a time at which all would be full again."""
    await connection.execute(statement("allowances", "forget"), before)
