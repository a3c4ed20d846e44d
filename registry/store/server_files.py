"""The server's files after an erasure: tables written anew, the write-ahead log ended."""

from __future__ import annotations

import asyncpg

from registry.store.database import Connection, statement

_LONGEST_SECONDS = 3600


async def rewrite_tables(connection: Connection) -> None:
    """Write what is left of tables into new files; not inside a transaction.

    Nobody reads a table while it is rewritten, nor while that waits for who reads it now: so it
    waits for two seconds at most, and fails.
    """
    await connection.execute(statement("server_files", "be_impatient"))
    await connection.execute(statement("server_files", "vacuum"), timeout=_LONGEST_SECONDS)


async def end_write_ahead_log(connection: Connection) -> bool:
    """Have the server delete the files of its write-ahead log so far; not inside a transaction.

    Return whether its role may ask for that. See `read_wal_settings` for what else keeps them.
    """
    try:
        await connection.execute(statement("server_files", "new_wal_segment"))
        await connection.execute(statement("server_files", "checkpoint"), timeout=_LONGEST_SECONDS)
    except asyncpg.InsufficientPrivilegeError:
        return False
    return True


async def read_wal_settings(connection: Connection) -> dict[str, str]:
    """Return the settings of the server by which files of the write-ahead log outlive their use."""
    rows = await connection.fetch(statement("server_files", "wal_settings"))
    return {row["name"]: row["setting"] for row in rows}
