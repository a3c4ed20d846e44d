"""The audit trail: every write and every refusal, append-only."""

from __future__ import annotations

import datetime as dt

import msgspec

from registry.store.database import Connection
from registry.store.sql import read_rows, statement


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """A write or refusal.

    `subject` is a record's id, an agency or the number of a token or a member; `before` the version
    or tag that it began from; `result` is `done` or the slug of the refusal. `member` is the number
    of who acted, where that is known. It holds no part of a document.
    """

    at: dt.datetime
    request: str
    actor: str | None
    token: int | None
    action: str
    subject: str | None
    before: str | None
    result: str
    member: int | None = None


class NumberedAct(Act, frozen=True, kw_only=True):
    """An act with its number in the trail."""

    id: int


async def insert(connection: Connection, act: Act) -> None:
    """Append an act."""
    await connection.execute(statement("audit", "insert"), *msgspec.structs.astuple(act))


async def read(
    connection: Connection, *, since: int, subject: str | None, limit: int
) -> list[NumberedAct]:
    """Return the acts after the one numbered `since`, of one subject or of all, in order."""
    return await read_rows(connection, NumberedAct, "audit", "after", since, subject, limit)
