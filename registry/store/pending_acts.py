"""Withdrawals and attestations that wait for a second person, and what became of them."""

from __future__ import annotations

import datetime as dt
from typing import Literal, TypeAlias

import msgspec

from registry.store.database import Connection, read_row, read_rows, statement

ActKind: TypeAlias = Literal["withdrawal", "attestation"]
ActState: TypeAlias = Literal["in_review", "returned", "approved"]

_END_OF_NUMBERS = 2**63


class PendingAct(msgspec.Struct, frozen=True, kw_only=True):
    """A withdrawal of the record, or an attestation of the agency, `subject`; `id` is its number.

    `statement` is canonical JSON text, None once it is published as `entry`. `base` is the leaf
    hash of what it follows. `requested_agency` is None where the authority asked for it. `comment`
    is JSON: a text, or texts by language.
    """

    id: int
    kind: ActKind
    subject: str
    agency: str
    statement: str | None
    base: bytes | None
    requested_agency: str | None
    requested_by: str
    requested_person: str
    requested_at: dt.datetime
    state: ActState = "in_review"
    comment: str | None = None
    decided_by: str | None = None
    decided_person: str | None = None
    decided_at: dt.datetime | None = None
    entry: int | None = None


async def insert(connection: Connection, act: PendingAct) -> int:
    """Insert an act that waits and return its number."""
    number: int = await connection.fetchval(
        statement("pending_acts", "insert"),
        act.kind,
        act.subject,
        act.agency,
        act.statement,
        act.base,
        act.requested_agency,
        act.requested_by,
        act.requested_person,
        act.requested_at,
    )
    return number


async def lock(connection: Connection, number: int) -> PendingAct | None:
    """Return an act, locked until the transaction ends."""
    return await read_row(connection, PendingAct, "pending_acts", "lock", number)


async def read_waiting(connection: Connection, kind: ActKind, subject: str) -> PendingAct | None:
    """Return the act of a kind that waits for a subject."""
    return await read_row(connection, PendingAct, "pending_acts", "waiting", kind, subject)


async def lock_waiting(connection: Connection, kind: ActKind, subject: str) -> PendingAct | None:
    """Return the act of a kind that waits for a subject, locked until the transaction ends."""
    return await read_row(connection, PendingAct, "pending_acts", "lock_waiting", kind, subject)


async def read(connection: Connection, number: int) -> PendingAct | None:
    """Return an act; None for any number that none has."""
    if not 0 < number < _END_OF_NUMBERS:
        return None
    return await read_row(connection, PendingAct, "pending_acts", "one", number)


async def read_all(
    connection: Connection, agency: str | None, *, state: ActState | None = None
) -> list[PendingAct]:
    """Return the acts about an agency, or about all, in one state or any, newest first."""
    return await read_rows(connection, PendingAct, "pending_acts", "all", agency, state)


async def read_risks(connection: Connection, subject: str) -> list[str]:
    """Return the levels in force of a record, or of all records of an agency."""
    rows = await connection.fetch(statement("pending_acts", "risks"), subject)
    return [row["risk"] for row in rows]


async def approve(
    connection: Connection, number: int, *, by: str, person: str, at: dt.datetime, entry: int
) -> None:
    """Mark an act as published as an entry of the log, which has its statement from now on."""
    await connection.execute(statement("pending_acts", "approve"), number, by, person, at, entry)


async def give_back(
    connection: Connection, number: int, *, comment: str, by: str, person: str, at: dt.datetime
) -> None:
    """Mark an act as returned, with a comment (JSON)."""
    await connection.execute(
        statement("pending_acts", "give_back"), number, comment, by, person, at
    )


async def delete(connection: Connection, number: int) -> None:
    """Delete an act."""
    await connection.execute(statement("pending_acts", "delete"), number)


async def delete_returned(connection: Connection, kind: ActKind, subject: str) -> None:
    """Delete the acts of a kind and subject that were returned."""
    await connection.execute(statement("pending_acts", "delete_returned"), kind, subject)
