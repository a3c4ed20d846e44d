"""The rows that follow from entries, read for the check that they do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import asyncpg
import msgspec

from registry.store.database import Connection, read_row, read_rows, statement
from registry.store.redactions import read_replaced

_BY_ENTRY = {
    "version": statement("bound", "version"),
    "figure": statement("bound", "figure"),
    "search_version": statement("bound", "search_version"),
    "withdrawal": statement("bound", "withdrawal"),
    "attestation": statement("bound", "attestation"),
    "source_event": statement("bound", "source_event"),
    "redaction": statement("bound", "redaction"),
    "record": statement("bound", "record"),
    "agency_entry": statement("bound", "agency_entry"),
    "short_code": statement("bound", "short_code"),
}
_BY_RECORD = {
    "foreign_record": statement("bound", "foreign_record"),
    "blocking_key": statement("bound", "blocking_key"),
}

TABLES = (*_BY_ENTRY, *_BY_RECORD)
"""The tables whose rows are read to be compared with what follows from entries."""


class EntryContext(msgspec.Struct, frozen=True, kw_only=True):
    """What the log has of a record before and after an entry of it.

    `agency`, `origin` and `risk` are of the version before, None for a first one; `risk_changes`
    are all changes of the record's risk level before. `until_entry` is the version or withdrawal
    that follows. `left_digest` is that of the verdict by the redaction that the version names, and
    `is_overtaken` says that a later one has erased something of it and leaves another verdict.
    """

    index: int
    agency: str | None
    origin: str | None
    risk: str | None
    until_entry: int | None
    until_at: dt.datetime | None
    risk_changes: Sequence[str]
    left_digest: str | None
    is_overtaken: bool


class StoredRows(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of entries in a part of the log, by table and entry, or table and record.

    `replaced` are the items of the section `replaced` of the redactions that erased something.
    """

    by_entry: dict[str, dict[int, dict[str, Any]]]
    by_record: dict[str, dict[str, dict[str, Any]]]
    register_context: dict[int, EntryContext]
    replaced: dict[int, list[Any] | None]


class Stray(msgspec.Struct, frozen=True, kw_only=True):
    """A row of no entry: its table and key."""

    in_table: str
    key: str


class UnlikeImport(msgspec.Struct, frozen=True, kw_only=True):
    """An import, and what is stored of it otherwise than the versions that name it say."""

    id: int
    column_name: str
    stored: str | None
    derived: str


class Unstated(msgspec.Struct, frozen=True, kw_only=True):
    """How much there is of what no entry states.

    Rows of other registers, their descriptions, imports, and versions whose approver is named.
    """

    source_rows: int = 0
    origins: int = 0
    imports: int = 0


async def read(connection: Connection, start: int, end: int) -> StoredRows:
    """Return the rows of the entries from index `start` to before `end`."""
    by_entry: dict[str, dict[int, dict[str, Any]]] = {}
    for table, query in _BY_ENTRY.items():
        column = "ord" if table == "search_version" else "entry"
        rows = await connection.fetch(query, start, end)
        by_entry[table] = {row[column]: dict(row) for row in rows}
    by_record: dict[str, dict[str, dict[str, Any]]] = {}
    for table, query in _BY_RECORD.items():
        rows = await connection.fetch(query, start, end)
        by_record[table] = {row["record"]: dict(row) for row in rows}
    register_context = await read_rows(connection, EntryContext, "bound", "chain", start, end)
    erasing = await connection.fetch(statement("bound", "erasing"), start, end)
    return StoredRows(
        by_entry=by_entry,
        by_record=by_record,
        register_context={one.index: one for one in register_context},
        replaced=await read_replaced(connection, {row["redaction"] for row in erasing}),
    )


async def read_stray(connection: Connection) -> Stray | None:
    """Return a row that is of no entry, if there is one."""
    return await read_row(connection, Stray, "bound", "strays")


async def read_unlike_import(connection: Connection) -> UnlikeImport | None:
    """Return the first import that counted other versions than name it, if there is one.

    Raises `ValueError` where counts are no JSON.
    """
    try:
        return await read_row(connection, UnlikeImport, "bound", "unlike_import")
    except asyncpg.DataError as error:
        raise ValueError(str(error)) from error


async def read_unstated(connection: Connection) -> Unstated:
    """Return how much there is of what no entry states."""
    return await read_row(connection, Unstated, "bound", "unstated") or Unstated()


async def set_fault(connection: Connection, fault: str | None) -> None:
    """Store what a check of the log found, or that it found nothing."""
    await connection.execute(statement("bound", "set_fault"), fault)


async def read_fault(connection: Connection) -> str | None:
    """Return what the last check of the log found; None while it found nothing."""
    fault: str | None = await connection.fetchval(statement("bound", "fault"))
    return fault
