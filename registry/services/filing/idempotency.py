"""Idempotent answers: a request repeated with its `Idempotency-Key` is answered, not done, again.

A key belongs to the token that sent it and stands for one request. The answer is kept in the
transaction that did what was asked, so there is one exactly when it was done. Of the request only
a salted digest is kept, and the answer holds no text of a document.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import TypeVar

import msgspec

from registry.errors import IdempotencyKeyReused, InvalidParameter
from registry.services.context import ServiceContext
from registry.services.people.access import Actor
from registry.store import idempotency
from registry.store.database import Connection, Database, retried
from registry.store.idempotency import StoredResponse

R = TypeVar("R")

RETENTION = dt.timedelta(days=1)

_LONGEST_KEY = 255
_SALT_BYTES = 16


async def replay(
    connection: Connection, actor: Actor, key: str | None, request: bytes
) -> bytes | None:
    """Return the stored answer of the key; None where the request is new, or carries no key.

    Call it before anything else is locked: a second request with the key waits here until the
    first one's transaction ends. Raises `IdempotencyKeyReused` when the key stands for another
    request, `InvalidParameter` when it is none.
    """
    if key is None or actor.token is None:
        return None
    if not (0 < len(key) <= _LONGEST_KEY and key.isascii() and key.isprintable()):
        raise InvalidParameter(
            f"Idempotency-Key: send 1 to {_LONGEST_KEY} printable ASCII characters, such as a UUID"
        )
    await idempotency.lock_key(connection, actor.token, key)
    answer = await idempotency.read(connection, actor.token, key)
    if answer is None:
        return None
    if answer.digest != _digest(answer.salt, request):
        raise IdempotencyKeyReused(
            "this Idempotency-Key was sent before with another request; send a new key with "
            "every new request, and the same one only to repeat a request as it was"
        )
    return answer.content.encode()


@retried
async def run_once(  # noqa: PLR0917  the same beginning as replay
    context: ServiceContext,
    actor: Actor,
    key: str | None,
    request: bytes,
    work: Callable[[Connection], Awaitable[R]],
    receipt: type[R],
    *,
    now: dt.datetime,
) -> R:
    """Do a piece of work in one transaction, or return the stored receipt of its key."""
    async with context.transaction() as connection:
        known = await replay(connection, actor, key, request)
        if known is not None:
            return msgspec.json.decode(known, type=receipt)
        given = await work(connection)
        content = msgspec.json.encode(given)
        await store_response(connection, context, actor, key, request, content, now=now)
    return given


async def store_response(  # noqa: PLR0917  the same beginning as replay
    connection: Connection,
    context: ServiceContext,
    actor: Actor,
    key: str | None,
    request: bytes,
    content: bytes,
    *,
    now: dt.datetime,
) -> None:
    """Keep the answer to a request with a key, in the transaction that did what it asked."""
    if key is None or actor.token is None:
        return
    salt = context.random(_SALT_BYTES)
    answer = StoredResponse(
        token=actor.token,
        key=key,
        salt=salt,
        digest=_digest(salt, request),
        content=content.decode(),
        at=now,
    )
    await idempotency.insert(connection, answer)


async def delete_expired(database: Database, *, now: dt.datetime) -> None:
    """Forget the answers that were kept for a day."""
    async with database.transaction() as connection:
        await idempotency.delete_before(connection, now - RETENTION)


def _digest(salt: bytes, request: bytes) -> bytes:
    return sha256(salt + request).digest()
