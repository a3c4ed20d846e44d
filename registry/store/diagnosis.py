"""What a PostgreSQL server is and how it is set, for `registry doctor`."""

from __future__ import annotations

import datetime as dt

import msgspec

from registry.store.database import Connection, read_rows, statement


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
    [found] = await read_rows(connection, ServerFacts, "diagnosis", "server")
    return found


async def read_rights(connection: Connection) -> list[tuple[str, str, list[str]]]:
    """Return the role that serves, and for each table what it may do: `update (size)` for one."""
    return [tuple(row) for row in await connection.fetch(statement("diagnosis", "rights"))]
