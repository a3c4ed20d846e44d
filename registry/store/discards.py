"""Giving up entries that were acknowledged and never signed, with the rows that follow."""

from __future__ import annotations

import datetime as dt

import asyncpg
import msgspec

from registry.errors import ConfigurationError
from registry.store.database import Connection, read_rows, statement
from registry.tlog.compact import CompactRange

_GUARDED = (
    "log_entry",
    "version",
    "section",
    "source_row",
    "entry_section",
    "withdrawal",
    "attestation",
    "source_event",
    "agency_entry",
    "short_code",
    "figure",
)


class DeadReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What a receipt said whose entry is given up; `subject` is a record's or an agency's id."""

    entry: int
    kind: str
    subject: str | None
    version: int | None
    at: dt.datetime
    hash: bytes


async def read_receipts(connection: Connection, start: int) -> list[DeadReceipt]:
    """Return what the receipts of the entries from an index on say."""
    return await read_rows(connection, DeadReceipt, "discard", "receipts", start)


async def discard(connection: Connection, before: CompactRange, *, discards: int) -> list[str]:
    """Delete all entries after a state of the log; return the records that they were about.

    The caller holds the state's lock. Raises `ConfigurationError` where the role does not own the
    tables, which refuse it else.
    """
    rows = await connection.fetch(statement("discard", "records"), before.size)
    try:
        await _switch_triggers(connection, "disable")
    except asyncpg.InsufficientPrivilegeError as error:
        raise ConfigurationError(
            f"only the role that owns the tables may give up entries ({error}); run it as that one"
        ) from error
    await connection.execute(
        statement("discard", "discard"), before.size, before.packed(), discards
    )
    await connection.execute("set constraints all immediate")
    await _switch_triggers(connection, "enable")
    return [row["record"] for row in rows]


async def _switch_triggers(connection: Connection, how: str) -> None:
    for table in _GUARDED:
        await connection.execute(f"alter table {table} {how} trigger user")
