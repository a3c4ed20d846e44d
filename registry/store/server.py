"""The PostgreSQL server: how it is set, and its files after an erasure."""

from __future__ import annotations

import datetime as dt

import asyncpg
import msgspec

from registry.store.database import Connection, read_rows, statement

_LONGEST_SECONDS = 3600


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


async def read_server(connection: Connection) -> ServerFacts:
    """Return what the server is."""
    [found] = await read_rows(connection, ServerFacts, "server", "server")
    return found


async def read_rights(connection: Connection) -> list[tuple[str, str, list[str]]]:
    """Return the role that serves, and for each table what it may do: `update (size)` for one."""
    return [tuple(row) for row in await connection.fetch(statement("server", "rights"))]


async def rewrite_tables(connection: Connection) -> None:
    """Write what is left of tables into new files; not inside a transaction.

    Nobody reads a table while it is rewritten, nor while that waits for who reads it now: so it
    waits for two seconds at most, and fails.
    """
    await connection.execute(statement("server", "be_impatient"))
    await connection.execute(statement("server", "vacuum"), timeout=_LONGEST_SECONDS)


async def end_write_ahead_log(connection: Connection) -> bool:
    """Have the server delete the files of its write-ahead log so far; not inside a transaction.

    Return whether its role may ask for that. See `read_wal_settings` for what else keeps them.
    """
    try:
        await connection.execute(statement("server", "new_wal_segment"))
        await connection.execute(statement("server", "checkpoint"), timeout=_LONGEST_SECONDS)
    except asyncpg.InsufficientPrivilegeError:
        return False
    return True


async def read_wal_settings(connection: Connection) -> dict[str, str]:
    """Return the settings of the server by which files of the write-ahead log outlive their use."""
    rows = await connection.fetch(statement("server", "wal_settings"))
    return {row["name"]: row["setting"] for row in rows}
