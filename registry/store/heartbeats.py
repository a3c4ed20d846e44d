"""Heartbeats of processes, and the election of one for a role by an advisory lock."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Literal, TypeAlias, TypeVar

import msgspec

from registry.store.database import Connection, Database, read_rows, statement

ProcessName: TypeAlias = Literal["work", "serve", "backup", "log verify"]


class ProcessFigures(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a process tells of itself; None, or empty, is what its kind does not know.

    `disk_*` are of the file system of `DATA_DIR`, in bytes and inodes. `faults` are the tasks of a
    `work` that fail now, each with the sentence that its log has; `has_key` says whether it can
    read the log's key, `site_build_seconds` how long its last build took. `entries` are those that
    a backup, or a check of the log, went up to.
    """

    version: str = ""
    revision: str = ""
    disk_bytes: int | None = None
    disk_free_bytes: int | None = None
    disk_inodes: int | None = None
    disk_free_inodes: int | None = None
    has_key: bool | None = None
    site_build_seconds: float | None = None
    entries: int | None = None
    faults: dict[str, str] = {}


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """When a process, or the last run of a command, told something of itself, and what.

    `at` and `age` are by the database's clock. The host of a server has its port.
    """

    process: ProcessName
    host: str
    at: dt.datetime
    age: dt.timedelta
    figures: ProcessFigures


class WaitingCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What waits or ends: drafts and acts in review, tokens that end within 30 days.

    `signed_at` is the time of the last checkpoint.
    """

    signed_at: dt.datetime | None
    reviews: int
    oldest_review_at: dt.datetime | None
    tokens_expiring: int


async def beat(
    connection: Connection, process: ProcessName, host: str, figures: ProcessFigures
) -> None:
    """Store what a process tells, in the place of what it told before."""
    told = msgspec.json.encode(figures).decode()
    await connection.execute(statement("heartbeats", "beat"), process, host, told)


async def read_all(connection: Connection) -> list[Heartbeat]:
    """Return the last heartbeat of each process on each host."""
    return [
        Heartbeat(
            process=row["process"],
            host=row["host"],
            at=row["at"],
            age=row["age"],
            figures=msgspec.json.decode(row["figures"], type=ProcessFigures),
        )
        for row in await connection.fetch(statement("heartbeats", "all"))
    ]


async def forget(connection: Connection) -> None:
    """Delete what servers told that are gone for a week."""
    await connection.execute(statement("heartbeats", "forget"))


async def read_standing(connection: Connection, *, now: dt.datetime) -> WaitingCounts:
    """Return what waits and what ends soon."""
    [found] = await read_rows(connection, WaitingCounts, "heartbeats", "standing", now)
    return found


T = TypeVar("T")

Role: TypeAlias = Literal["runner", "importer", "publisher", "harvester", "store", "links"]

# Any constants will do, as long as they are the same in every process.
_LOCKS: dict[Role, int] = {
    "runner": 0x7265_6769_776F,
    "importer": 0x7265_6769_696D,
    "publisher": 0x7265_6769_7075,
    "harvester": 0x7265_6769_6861,
    "store": 0x7265_6769_7374,
    "links": 0x7265_6769_6C69,
}
_RETRY_SECONDS = 0.5
_LOOK_SECONDS = 0.5
_TRY = "select pg_try_advisory_xact_lock($1)"


@asynccontextmanager
async def leadership(
    database: Database, role: Role
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Wait for the role, which ends with the block, the process or the connection.

    Yield a function that raises `Unavailable` once the connection, and the role with it, is lost.
    """
    # Waiting inside PostgreSQL would reach the time limit of a statement.
    while True:
        async with database.held() as connection:
            if await connection.fetchval(_TRY, _LOCKS[role]):

                async def still_leads(lent: Connection = connection) -> None:
                    await lent.execute("select")

                yield still_leads
                return
        await asyncio.sleep(_RETRY_SECONDS)


async def while_leading(
    still_leads: Callable[[], Awaitable[None]], act: Coroutine[None, None, T]
) -> T:
    """Return what an act of a role returns, and wait for it no longer than the role is held.

    An act may take minutes. Whoever asked for the role again only after it would leave the role to
    nobody until then. Raises what `still_leads` raises.
    """
    task = asyncio.ensure_future(act)
    try:
        while not (await asyncio.wait({task}, timeout=_LOOK_SECONDS))[0]:
            await still_leads()
        return task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
