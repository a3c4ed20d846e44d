"""Rows for the verification of the database by its log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import msgspec

from registry.store.database import Connection, read_rows
from registry.store.log import Entry


class KeptEntry(Entry, frozen=True, kw_only=True):
    """An entry with the row that it is of: subject, version, time; None if there is none."""

    subject: str | None
    version: int | None
    kept_at: dt.datetime | None


class LastBefore(msgspec.Struct, frozen=True, kw_only=True):
    """The last entry of a record or agency before an index, and the version then in force."""

    subject: str
    index: int
    leaf: bytes
    version: int


class RecordRow(msgspec.Struct, frozen=True, kw_only=True):
    """A record's row, and the values that follow from its entries and versions."""

    id: str
    state: str
    version: int
    entry: int
    last_kind: str | None
    last_entry: int | None
    last_version: int | None


async def read_kept(connection: Connection, start: int, end: int) -> list[KeptEntry]:
    """Return the entries from index `start` to before `end`, as far as they exist."""
    return await read_rows(connection, KeptEntry, "checkpoints", "kept", start, end)


async def read_before(
    connection: Connection, start: int, subjects: Collection[str]
) -> list[LastBefore]:
    """Return the last entries of records and agencies before index `start`."""
    return await read_rows(connection, LastBefore, "checkpoints", "before", start, list(subjects))


async def read_standing(connection: Connection, records: Collection[str]) -> list[RecordRow]:
    """Return the rows of records."""
    return await read_rows(connection, RecordRow, "checkpoints", "standing", list(records))
