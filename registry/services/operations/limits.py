"""Limits: how much a token, an address or an agency may do, across all workers and machines."""

from __future__ import annotations

import datetime as dt
import math

from registry.errors import Conflict, TooManyRequests
from registry.store import drafts, rate_limits
from registry.store.database import Connection, Database
from registry.store.rate_limits import Bucket

_MINUTE = 60.0
_DAY = 86_400.0


async def spend(
    database: Database,
    kind: str,
    who: str,
    *,
    per_minute: int,
    minutes: int = 1,
    cost: int = 1,
    now: dt.datetime,
) -> None:
    """Take from what `who` may do of a `kind`; raises `TooManyRequests` when it is used up.

    What may be done in a minute, or in so many `minutes`, may be done at once; 0 is no limit. A
    larger cost counts as that.
    """
    if per_minute == 0:
        return
    rate = per_minute / (_MINUTE * minutes)
    price = min(cost, per_minute)
    bucket = Bucket(kind=kind, who=who, capacity=per_minute, per_second=rate)
    if await database.is_standby():
        granted, remaining = rate_limits.spend_locally(database.local_buckets, bucket, price)
    else:
        async with database.connection() as connection:
            granted, remaining = await rate_limits.spend(connection, bucket, price, now=now)
    if not granted:
        seconds = max(1, math.ceil((price - remaining) / rate))
        later = "a second" if seconds == 1 else f"{seconds} seconds"
        period = "a minute" if minutes == 1 else f"in {minutes} minutes"
        raise TooManyRequests(
            f"{per_minute} {kind} {period} are allowed; try again in {later}",
            retry_after=seconds,
        )


async def spend_publication(
    connection: Connection, agency: str, *, per_day: int, now: dt.datetime
) -> None:
    """Take one from what an agency may publish a day, in the transaction that publishes.

    Raises `TooManyRequests` when it is used up; 0 a day is no limit.
    """
    if per_day == 0:
        return
    rate = per_day / _DAY
    bucket = Bucket(kind=rate_limits.PUBLICATIONS, who=agency, capacity=per_day, per_second=rate)
    granted, remaining = await rate_limits.spend(connection, bucket, 1, now=now)
    if not granted:
        seconds = max(1, math.ceil((1 - remaining) / rate))
        raise TooManyRequests(
            f"{agency} has published as much as it may: {per_day:,} versions a day; the next in "
            f"{seconds:,} seconds. Whoever runs the register may load more at once",
            retry_after=seconds,
        )


async def require_draft_room(
    connection: Connection, agency: str, record: str, size: int, *, most: int
) -> None:
    """Raise `Conflict` where an agency would have more bytes of drafts than it may; 0 is any."""
    if most == 0:
        return
    others = await drafts.read_weight(connection, agency, record)
    if others + max(size, drafts.LEAST_WEIGHT) > most:
        raise Conflict(
            f"{agency} has {others / 2**20:,.1f} MB of other drafts and may have "
            f"{most // 2**20:,} MB; submit some or delete them (GET /api/v1/filings lists them)"
        )


async def charge(
    database: Database, kind: str, who: str, *, per_minute: int, cost: float, now: dt.datetime
) -> float:
    """Take a cost that is known afterwards; return the seconds until what is owed is paid, or 0."""
    rate = per_minute / _MINUTE
    bucket = Bucket(kind=kind, who=who, capacity=per_minute, per_second=rate)
    if await database.is_standby():
        remaining = rate_limits.charge_locally(database.local_buckets, bucket, cost)
    else:
        async with database.connection() as connection:
            remaining = await rate_limits.charge(connection, bucket, cost, now=now)
    return max(0.0, -remaining / rate)


async def forget_unused(database: Database, *, now: dt.datetime) -> None:
    """Remove the allowances that are full again."""
    async with database.connection() as connection:
        await rate_limits.forget(connection, now)
