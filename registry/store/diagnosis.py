"""What a PostgreSQL server is and how it is set, for `registry doctor`."""

from __future__ import annotations

import datetime as dt

import msgspec

from registry.store.database import Connection
from registry.store.migrate import read_migrations
from registry.store.sql import read_rows, statement


class ServerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A server as a session of ours sees it; `number` is its version as a number, 180003."""

    version: str
    number: int
    encoding: str
    role: str
    is_superuser: bool
    is_standby: bool
    clock: dt.datetime
    fsync: bool
    full_page_writes: bool
    synchronous_commit: str
    max_connections: int
    is_remote: bool
    is_encrypted: bool


class MigrationGap(msgspec.Struct, frozen=True, kw_only=True):
    """Migrations that a database lacks, and those of it that this version does not know."""

    missing: list[int]
    unknown: list[int]


async def read_server(connection: Connection) -> ServerFacts:
    """Return what the server is."""
    [found] = await read_rows(connection, ServerFacts, "diagnosis", "server")
    return found


async def read_migration_gap(connection: Connection) -> MigrationGap | None:
    """Return how the migrations differ from ours; None where there never was a register."""
    if await connection.fetchval("select to_regclass('migration')") is None:
        return None
    done = {row["number"] for row in await connection.fetch(statement("diagnosis", "migrations"))}
    ours = {one.number for one in read_migrations()}
    return MigrationGap(missing=sorted(ours - done), unknown=sorted(done - ours))
