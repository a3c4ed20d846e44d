"""Mails with a link that are asked for, and sent by the background runner."""

from __future__ import annotations

import datetime as dt
from typing import Literal, TypeAlias

import msgspec

from registry.store.database import Connection, read_row, statement

MailKind: TypeAlias = Literal["sign_in", "invitation", "new_address", "address_changed"]


class MailRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A mail to an address; without a `member` it is for whoever in force has the address."""

    id: int
    kind: MailKind
    email: str
    member: int | None
    language: str
    made_at: dt.datetime


async def insert(
    connection: Connection,
    kind: MailKind,
    email: str,
    *,
    language: str,
    now: dt.datetime,
    member: int | None = None,
) -> None:
    """Insert a request, which is due at once."""
    sql = statement("mail_requests", "insert")
    await connection.execute(sql, kind, email, member, language, now)


async def claim(connection: Connection, now: dt.datetime) -> MailRequest | None:
    """Return a request that is due, or None; nobody else gets it until it is tried again."""
    return await read_row(connection, MailRequest, "mail_requests", "claim", now)


async def delete(connection: Connection, request: int) -> None:
    """Delete a request."""
    await connection.execute(statement("mail_requests", "delete"), request)


async def forget(connection: Connection, before: dt.datetime) -> None:
    """Delete the requests that were made before a time."""
    await connection.execute(statement("mail_requests", "forget"), before)
