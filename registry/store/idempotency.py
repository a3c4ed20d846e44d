"""Stored responses of requests with an idempotency key, for a day."""

from __future__ import annotations

import datetime as dt

import msgspec

from registry.store.database import Connection, statement


class StoredResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The response to a request with a token's key; `digest` is SHA-256 of salt and request."""

    token: int
    key: str
    salt: bytes
    digest: bytes
    content: str
    at: dt.datetime


async def lock_key(connection: Connection, token: int, key: str) -> None:
    """Lock a token's key until the transaction ends."""
    await connection.execute(statement("answers", "take_turn"), token, key)


async def read(connection: Connection, token: int, key: str) -> StoredResponse | None:
    """Return the stored response of a token's key."""
    row = await connection.fetchrow(statement("answers", "one"), token, key)
    return None if row is None else StoredResponse(**row)


async def insert(connection: Connection, answer: StoredResponse) -> None:
    """Insert a response, unless the key has one."""
    await connection.execute(statement("answers", "insert"), *msgspec.structs.astuple(answer))


async def delete_before(connection: Connection, at: dt.datetime) -> None:
    """Delete the responses from before a time."""
    await connection.execute(statement("answers", "delete_before"), at)
