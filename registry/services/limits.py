"""Limits: how much one token or one address may do, right across all workers and machines."""

from __future__ import annotations

import datetime as dt
import math

from registry.errors import TooManyRequests
from registry.store import rate_limits
from registry.store.database import Database
from registry.store.rate_limits import Bucket

_MINUTE = 60.0
_FULL_AGAIN = dt.timedelta(hours=1)


async def spend(
    database: Database,
    kind: str,
    who: str,
    *,
    per_minute: int,
    burst: int,
    cost: int = 1,
    now: dt.datetime,
) -> None:
    """Take from what `who` may do of a `kind`; raises `TooManyRequests` when it is used up.

    `burst` can be done at once, and `per_minute` in the long run; 0 a minute is no limit. A cost
    above the burst counts as the burst.
    """
    if per_minute == 0:
        return
    rate = per_minute / _MINUTE
    price = min(cost, burst)
    bucket = Bucket(kind=kind, who=who, capacity=burst, per_second=rate)
    async with database.connection() as connection:
        granted, remaining = await rate_limits.spend(connection, bucket, price, now=now)
    if not granted:
        seconds = max(1, math.ceil((price - remaining) / rate))
        later = "a second" if seconds == 1 else f"{seconds} seconds"
        raise TooManyRequests(
            f"{per_minute} {kind} a minute are allowed; try again in {later}",
            retry_after=seconds,
        )


async def charge(
    database: Database, kind: str, who: str, *, per_minute: int, cost: float, now: dt.datetime
) -> float:
    """Take a cost that is known afterwards; return the seconds until what is owed is paid, or 0."""
    rate = per_minute / _MINUTE
    bucket = Bucket(kind=kind, who=who, capacity=per_minute, per_second=rate)
    async with database.connection() as connection:
        remaining = await rate_limits.charge(connection, bucket, cost, now=now)
    return max(0.0, -remaining / rate)


async def forget_unused(database: Database, *, now: dt.datetime) -> None:
    """Remove the allowances that are full again."""
    async with database.connection() as connection:
        await rate_limits.forget(connection, now - _FULL_AGAIN)
