"""Links by which somebody without an account reads the preview of a draft."""

from __future__ import annotations

import datetime as dt

import msgspec

from registry.store.database import Connection, read_row, read_rows, statement


class OpenedLink(msgspec.Struct, frozen=True, kw_only=True):
    """Whose preview a link shows, and until when."""

    record: str
    expires_at: dt.datetime


class PreviewLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link in force; `made_by` is the name of the member who made it."""

    id: int
    member: int
    made_by: str
    made_at: dt.datetime
    expires_at: dt.datetime


async def insert(
    connection: Connection,
    digest: bytes,
    record: str,
    *,
    member: int,
    made_at: dt.datetime,
    expires_at: dt.datetime,
) -> int:
    """Insert a link with the SHA-256 `digest` of its secret, and return its number."""
    return int(
        await connection.fetchval(
            statement("previews", "insert"), digest, record, member, made_at, expires_at
        )
    )


async def read_opened(connection: Connection, digest: bytes, now: dt.datetime) -> OpenedLink | None:
    """Return what a link shows that is in force, or None."""
    return await read_row(connection, OpenedLink, "previews", "opened", digest, now)


async def read_in_force(connection: Connection, record: str, now: dt.datetime) -> list[PreviewLink]:
    """Return the links of a draft that are in force, in the order in which they were made."""
    return await read_rows(connection, PreviewLink, "previews", "in_force", record, now)


async def end(connection: Connection, link: int, record: str, at: dt.datetime) -> bool:
    """End a link of a draft; return whether there was one to end."""
    ended = await connection.fetchval(statement("previews", "end"), link, record, at)
    return ended is not None


async def drop_expired(connection: Connection, now: dt.datetime) -> None:
    """Delete the links that have expired."""
    await connection.execute(statement("previews", "drop_expired"), now)
