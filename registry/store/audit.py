"""The audit trail: who did what, and who was refused. Append-only."""

from __future__ import annotations

import datetime as dt

import msgspec

from registry.store.database import Connection
from registry.store.sql import read_rows, statement


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Something done or refused.

    `subject` is a record's id, an agency or a token's number; `before` the version or tag that the
    act began from; `result` is `done` or the slug of the refusal. Nothing of a document is in it.
    """

    at: dt.datetime
    request: str
    actor: str | None
    token: int | None
    action: str
    subject: str | None
    before: str | None
    result: str


class NumberedAct(Act, frozen=True, kw_only=True):
    """An act in its place in the trail."""

    id: int


async def insert(connection: Connection, act: Act) -> None:
    """Add an act to the trail."""
    await connection.execute(statement("audit", "insert"), *msgspec.structs.astuple(act))


async def read(
    connection: Connection, *, since: int, subject: str | None, limit: int
) -> list[NumberedAct]:
    """Read the acts after the one numbered `since`, of one subject or of all, in order."""
    return await read_rows(connection, NumberedAct, "audit", "after", since, subject, limit)
