"""Withdrawals of records, with their public reasons."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from registry.log.register import END, Withdrawal
from registry.store.database import Connection, statement
from registry.store.records import read_redacted


async def read_all(connection: Connection, record: str, *, as_of: int = END) -> list[Withdrawal]:
    """Return a record's withdrawals up to the entry `as_of`, oldest first."""
    return (await _by_record(connection, [record], as_of)).get(record, [])


async def read_every(
    connection: Connection, *, only: Sequence[str] | None = None
) -> dict[str, list[Withdrawal]]:
    """Return all withdrawals, of some records or of all, oldest first."""
    return await _by_record(connection, only, END)


async def _by_record(
    connection: Connection, only: Sequence[str] | None, as_of: int
) -> dict[str, list[Withdrawal]]:
    found: dict[str, list[Withdrawal]] = {}
    for row in await connection.fetch(statement("withdrawals", "of_record"), only, as_of):
        note, successor = row["note"], row["successor"]
        found.setdefault(row["record"], []).append(
            Withdrawal(
                version=row["version"],
                reason=row["reason"],
                # An erased note is null, or an object without members.
                note=None if note is None else msgspec.json.decode(note) or None,
                successor=None if successor is None else msgspec.json.decode(successor),
                withdrawn_at=row["withdrawn_at"],
                entry=row["entry"],
                hash=row["leaf"].hex(),
                redacted=read_redacted(row["redacted"]),
            )
        )
    return found
