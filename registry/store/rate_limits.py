"""Rate limits: token buckets that all processes share."""

from __future__ import annotations

import datetime as dt
import time

import msgspec

from registry.store.database import Connection, statement

PUBLICATIONS = "publications"
"""The kind of the buckets that fill in a day; all others do in a minute."""

_MOST_LOCAL = 10_000


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody may do of a kind: `capacity` at once, and `per_second` in the long run."""

    kind: str
    who: str
    capacity: float
    per_second: float


async def spend(
    connection: Connection, bucket: Bucket, cost: float, *, now: dt.datetime
) -> tuple[bool, float]:
    """Take `cost` out of a bucket; return whether it had that much, and what it has now."""
    row = await connection.fetchrow(
        statement("allowances", "spend"), *msgspec.structs.astuple(bucket), cost, now
    )
    # No row: another process created and emptied the bucket at the same time.
    return (False, 0.0) if row is None else (bool(row["granted"]), float(row["remaining"]))


async def charge(connection: Connection, bucket: Bucket, cost: float, *, now: dt.datetime) -> float:
    """Take `cost` out of a bucket whatever it has; return what it has now, negative for a debt."""
    return float(
        await connection.fetchval(
            statement("allowances", "charge"), *msgspec.structs.astuple(bucket), cost, now
        )
    )


async def has_spent(connection: Connection, kind: str, who: str) -> bool:
    """Return whether `who` has taken anything out of a bucket lately."""
    return bool(await connection.fetchval(statement("allowances", "has_spent"), kind, who))


def spend_locally(
    levels: dict[tuple[str, str], tuple[float, float]], bucket: Bucket, cost: float
) -> tuple[bool, float]:
    """Take `cost` out of a bucket of this process alone; return as `spend` does."""
    level = _level(levels, bucket)
    granted = level >= cost
    return granted, _keep(levels, bucket, level - cost if granted else level)


def charge_locally(
    levels: dict[tuple[str, str], tuple[float, float]], bucket: Bucket, cost: float
) -> float:
    """Take `cost` out of a bucket of this process alone; return as `charge` does."""
    return _keep(levels, bucket, _level(levels, bucket) - cost)


def _level(levels: dict[tuple[str, str], tuple[float, float]], bucket: Bucket) -> float:
    now = time.monotonic()
    level, at = levels.get((bucket.kind, bucket.who), (bucket.capacity, now))
    return min(bucket.capacity, level + (now - at) * bucket.per_second)


def _keep(
    levels: dict[tuple[str, str], tuple[float, float]], bucket: Bucket, level: float
) -> float:
    if len(levels) >= _MOST_LOCAL:
        levels.clear()
    levels[bucket.kind, bucket.who] = level, time.monotonic()
    return level


async def forget(connection: Connection, now: dt.datetime) -> None:
    """Delete the buckets that have not been used for so long that they are full again."""
    await connection.execute(statement("allowances", "forget"), now, PUBLICATIONS)
