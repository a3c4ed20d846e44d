"""The log's rows beside what the register keeps elsewhere, to check one by the other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import msgspec

from registry.store.database import Connection
from registry.store.log import Entry
from registry.store.sql import read_rows


class KeptEntry(Entry, frozen=True, kw_only=True):
    """An entry's row, and the row that it stands for: subject, version, time; None where none."""

    subject: str | None
    version: int | None
    kept_at: dt.datetime | None


class LastBefore(msgspec.Struct, frozen=True, kw_only=True):
    """The last entry of a record or agency before some index, and the version then in force."""

    subject: str
    index: int
    leaf: bytes
    version: int


class RecordRow(msgspec.Struct, frozen=True, kw_only=True):
    """A record's row, and what its entries and versions say that it should be."""

    id: str
    state: str
    version: int
    entry: int
    last_kind: str | None
    last_entry: int | None
    last_version: int | None


async def read_kept(connection: Connection, start: int, end: int) -> list[KeptEntry]:
    """Read the entries from index `start` to before `end`, as far as there are any."""
    return await read_rows(connection, KeptEntry, "checkpoints", "kept", start, end)


async def read_before(
    connection: Connection, start: int, subjects: Collection[str]
) -> list[LastBefore]:
    """Read the last entries of records and agencies before index `start`."""
    return await read_rows(connection, LastBefore, "checkpoints", "before", start, list(subjects))


async def read_standing(connection: Connection, records: Collection[str]) -> list[RecordRow]:
    """Read where records stand."""
    return await read_rows(connection, RecordRow, "checkpoints", "standing", list(records))
