"""Sessions of the console, and what was typed when one had ended."""

from __future__ import annotations

import datetime as dt

import msgspec

from registry.store.database import Connection, read_row, statement


class StoredSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session by the SHA-256 of its secret; `notice` is JSON, which the next page says once.

    `whole_day` says that it does not end when idle, `is_stale` that it was idle since it began.
    """

    digest: bytes
    member: int
    begun_at: dt.datetime
    seen_at: dt.datetime
    notice: str | None
    ended_at: dt.datetime | None
    whole_day: bool
    is_stale: bool


class KeptForm(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a form, JSON, and since when they are kept."""

    fields: str
    kept_at: dt.datetime


async def insert(
    connection: Connection, digest: bytes, member: int, now: dt.datetime, *, whole_day: bool
) -> None:
    """Insert a session."""
    await connection.execute(statement("sessions", "insert"), digest, member, now, whole_day)


async def read(connection: Connection, digest: bytes) -> StoredSession | None:
    """Return the session of a digest, ended or not, or None."""
    return await read_row(connection, StoredSession, "sessions", "one", digest)


async def mark_seen(
    connection: Connection, digest: bytes, now: dt.datetime, *, is_stale: bool
) -> None:
    """Store when a session was last used, and whether it had been idle for too long."""
    await connection.execute(statement("sessions", "mark_seen"), digest, now, is_stale)


async def set_whole_day(connection: Connection, digest: bytes, *, whole_day: bool) -> None:
    """Store whether a session goes on when idle."""
    await connection.execute(statement("sessions", "set_whole_day"), digest, whole_day)


async def set_notice(connection: Connection, digest: bytes, notice: str | None) -> None:
    """Replace the notice of a session (JSON)."""
    await connection.execute(statement("sessions", "set_notice"), digest, notice)


async def end(connection: Connection, digest: bytes, now: dt.datetime) -> None:
    """End a session."""
    await connection.execute(statement("sessions", "end"), digest, now)


async def end_all(connection: Connection, member: int, now: dt.datetime) -> None:
    """End all sessions of a member."""
    await connection.execute(statement("sessions", "end_all"), member, now)


async def keep_form(
    connection: Connection,
    digest: bytes,
    *,
    member: int,
    address: str,
    fields: str,
    now: dt.datetime,
) -> None:
    """Keep the fields of a form (JSON) for a member, by the SHA-256 of a secret."""
    await connection.execute(
        statement("sessions", "keep_form"), digest, member, address, fields, now
    )


async def read_kept_address(
    connection: Connection, digest: bytes, member: int, *, since: dt.datetime
) -> str | None:
    """Return of what page a member's fields are kept, if they are."""
    address: str | None = await connection.fetchval(
        statement("sessions", "kept_address"), digest, member, since
    )
    return address


async def take_form(
    connection: Connection, digest: bytes, member: int, address: str
) -> KeptForm | None:
    """Delete the kept fields of a member and page, and return them, or None."""
    return await read_row(connection, KeptForm, "sessions", "take_form", digest, member, address)


async def forget(
    connection: Connection, *, sessions_before: dt.datetime, forms_before: dt.datetime
) -> None:
    """Delete what is older than that."""
    await connection.execute(statement("sessions", "forget"), sessions_before)
    await connection.execute(statement("sessions", "forget_forms"), forms_before)


async def share_secret(connection: Connection, secret: bytes) -> bytes:
    """Return the secret of the console; the given one becomes it where there is none."""
    await connection.execute(statement("sessions", "set_secret"), secret)
    return bytes(await connection.fetchval(statement("sessions", "secret")))
