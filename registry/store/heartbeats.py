"""Heartbeats of processes, and what the database knows of what waits for people."""

from __future__ import annotations

import datetime as dt
from typing import Literal, TypeAlias

import msgspec

from registry.store.database import Connection
from registry.store.sql import read_rows, statement

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
