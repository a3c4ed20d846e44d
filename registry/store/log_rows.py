"""The log's rows beside what the register keeps elsewhere, to check one by the other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import msgspec

from registry.store.database import Connection
from registry.store.sql import statement


class KeptEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry's row, and the row that it stands for: subject, version, time; None where none."""

    index: int
    kind: str
    record: str | None
    at: dt.datetime
    content: bytes
    leaf: bytes
    subject: str | None
    version: int | None
    kept_at: dt.datetime | None


class LastBefore(msgspec.Struct, frozen=True, kw_only=True):
    """The last entry of a record or agency before some index."""

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
    return [
        KeptEntry(
            index=row["index"],
            kind=row["kind"],
            record=row["record"],
            at=row["at"],
            content=row["bytes"],
            leaf=row["leaf"],
            subject=row["subject"],
            version=row["version"],
            kept_at=row["kept_at"],
        )
        for row in await connection.fetch(statement("checkpoints", "kept"), start, end)
    ]


async def read_before(
    connection: Connection, start: int, subjects: Collection[str]
) -> dict[str, LastBefore]:
    """Read the last entries of records and agencies before index `start`."""
    rows = await connection.fetch(statement("checkpoints", "before"), start, list(subjects))
    return {
        row["subject"]: LastBefore(
            index=row["index"], leaf=row["leaf"], version=row["version"] or 0
        )
        for row in rows
    }


async def read_standing(connection: Connection, records: Collection[str]) -> list[RecordRow]:
    """Read where records stand."""
    rows = await connection.fetch(statement("checkpoints", "standing"), list(records))
    return [RecordRow(**dict(row)) for row in rows]
