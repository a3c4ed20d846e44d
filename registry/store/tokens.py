"""Access tokens, of which only the SHA-256 is stored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from registry.store.database import Connection, read_row, read_rows, statement


class StoredToken(msgspec.Struct, frozen=True, kw_only=True):
    """A stored token; without an `agency` it is the authority's, with a `member` that person's."""

    id: int
    digest: bytes
    actor: str
    agency: str | None
    scopes: list[str]
    created_at: dt.datetime
    expires_at: dt.datetime
    revoked_at: dt.datetime | None
    last_used_on: dt.date | None
    member: int | None


async def insert(
    connection: Connection,
    *,
    digest: bytes,
    actor: str,
    agency: str | None,
    scopes: Sequence[str],
    created_at: dt.datetime,
    expires_at: dt.datetime,
    member: int | None,
) -> int:
    """Insert a token and return its id."""
    return int(
        await connection.fetchval(
            statement("tokens", "insert"),
            digest,
            actor,
            agency,
            list(scopes),
            created_at,
            expires_at,
            member,
        )
    )


async def find(connection: Connection, digest: bytes) -> StoredToken | None:
    """Return the token of a digest, in any state, or None."""
    return await read_row(connection, StoredToken, "tokens", "find", digest)


async def read(connection: Connection, token: int) -> StoredToken | None:
    """Return a token by its number, in any state, or None."""
    return await read_row(connection, StoredToken, "tokens", "one", token)


async def mark_used(connection: Connection, token: int, day: dt.date) -> None:
    """Store the day of the last use of a token."""
    await connection.execute(statement("tokens", "mark_used"), token, day)


async def read_all(connection: Connection) -> list[StoredToken]:
    """Return every token, oldest first."""
    return await read_rows(connection, StoredToken, "tokens", "all")


async def read_actors(connection: Connection) -> list[str]:
    """Return the names of all actors that have, or had, a token."""
    return [row["actor"] for row in await connection.fetch(statement("tokens", "actors"))]


async def read_in_force(
    connection: Connection, *, actor: str, agency: str | None, now: dt.datetime
) -> list[StoredToken]:
    """Return an actor's tokens for an agency that are neither revoked nor expired, oldest first."""
    return await read_rows(connection, StoredToken, "tokens", "in_force", actor, agency, now)


async def revoke(connection: Connection, token: int, at: dt.datetime) -> bool:
    """Revoke a token; return False if none is in force."""
    return await connection.fetchval(statement("tokens", "revoke"), token, at) is not None
