"""The write pipeline: the one way in which anything enters the log, with its receipts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import Any, ClassVar, Generic, Literal, TypeAlias, TypeVar

import msgspec

from registry.errors import IdempotencyKeyReused, InvalidParameter, Unavailable
from registry.ledger.append import append
from registry.ledger.entries import NewEntry
from registry.services.context import ServiceContext
from registry.services.operations import audit
from registry.services.operations.audit import Action
from registry.services.people.access import Actor
from registry.store import drafts, idempotency, pending_acts, records
from registry.store.audit import insert as insert_act
from registry.store.database import Connection, Database, retried, savepoint
from registry.store.idempotency import StoredResponse
from registry.store.records import CurrentDocument
from registry.text.catalogues import SOURCE

FilingOutcome: TypeAlias = Literal[
    "created", "changed", "published", "unchanged", "in_review", "returned", "withdrawn"
]


class Receipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The proof of what was done, and when; what does not apply is left out.

    `version`, `entry` and `hash` say which version it became and where it stands in the log; a
    withdrawal names the version that it ends. `tag` is that of a draft that is left. `code` is the
    short code of a record that was published.
    """

    outcome: FilingOutcome
    id: str
    version: int | None = None
    hash: str | None = None
    entry: int | None = None
    tag: str | None = None
    published_at: dt.datetime | None = None
    submitted_at: dt.datetime | None = None
    returned_at: dt.datetime | None = None
    withdrawn_at: dt.datetime | None = None
    code: str | None = None


class DraftReceipt(Receipt, frozen=True, kw_only=True):
    """The proof that a draft was saved, and whether it could be published as it is."""

    saved_at: dt.datetime
    publishable: bool
    completeness: int


def unchanged_receipt(record: str, current: CurrentDocument) -> Receipt:
    """Return the receipt of a record that stands as it was to be."""
    return Receipt(
        outcome="unchanged",
        id=record,
        version=current.version,
        entry=current.entry,
        hash=current.leaf.hex(),
        published_at=current.published_at,
        code=current.code,
    )


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


BATCH_SIZE = 50
"""Filings a transaction: large enough to be fast, short enough that others do not wait."""

T = TypeVar("T")


class Decision(msgspec.Struct, Generic[R], frozen=True, kw_only=True):
    """What becomes of a command under the log's lock.

    `entry` is appended, if there is one, and given to `answer` as it stands in the log. `before` is
    what the audit trail says that the act began from; without `is_act` it says nothing. With
    `ends_draft` the draft of the subject goes. `base` is the leaf hash of what the entry follows,
    for what waits for review first; `approves` is the number of the pending act that it publishes.
    `tell` writes notices in the same transaction.
    """

    answer: Callable[[Any], R]
    entry: NewEntry | None = None
    before: str | None = None
    is_act: bool = True
    ends_draft: bool = False
    base: bytes | None = None
    approves: int | None = None
    tell: Callable[[Connection], Awaitable[None]] | None = None


class Command(msgspec.Struct, Generic[R], frozen=True, kw_only=True):
    """What an actor, whose authority was checked, asks for; a subclass for each kind of entry.

    `subject` is a record's id or an agency's code. The answer to the `request` is kept by the
    idempotency `key`, if there is one. Errors are told in the `language`.
    """

    receipt: ClassVar[Any]
    actor: Actor
    subject: str
    request: bytes = b""
    key: str | None = None
    language: str = SOURCE

    @property
    def action(self) -> Action:
        """The name of the act in the audit trail; a constant of most kinds."""
        raise NotImplementedError

    async def check(
        self, connection: Connection, context: ServiceContext, *, now: dt.datetime
    ) -> Any:
        """Check what needs no look at the log; the answer is given to `decide`."""

    async def decide(
        self, connection: Connection, context: ServiceContext, checked: Any, *, now: dt.datetime
    ) -> Decision[R]:
        """Check the rest, while nobody else appends, and say what is to be appended."""
        raise NotImplementedError


@retried
async def execute(context: ServiceContext, command: Command[R], *, now: dt.datetime) -> R:
    """Do what a command asks for in one transaction, or return the stored answer of its key."""
    actor, key, request = command.actor, command.key, command.request
    async with context.transaction() as connection:
        known = await replay(connection, actor, key, request)
        if known is not None:
            stored: R = msgspec.json.decode(known, type=command.receipt)
            return stored
        await records.lock_record(connection, command.subject)
        receipt = await execute_in(connection, context, command, now=now)
        content = msgspec.json.encode(receipt)
        await store_response(connection, context, actor, key, request, content, now=now)
    return receipt


async def execute_in(
    connection: Connection, context: ServiceContext, command: Command[R], *, now: dt.datetime
) -> R:
    """Do what a command asks for in the caller's transaction, which has locked the subject."""
    subject = command.subject
    checked = await command.check(connection, context, now=now)
    state = await context.guard.lock(connection, now=now)
    decision = await command.decide(connection, context, checked, now=now)
    acts = []
    if decision.is_act:
        before = decision.before
        acts = [audit.done(command.actor, command.action, subject, before=before, now=now)]
    entry = None
    if decision.entry is not None:
        [entry] = await append(connection, context.guard, state, [decision.entry], acts=acts)
    elif acts:
        await insert_act(connection, acts[0])
    if decision.approves is not None and entry is not None:
        actor = command.actor
        await pending_acts.approve(
            connection,
            decision.approves,
            by=actor.name,
            person=actor.person,
            at=entry.at,
            entry=entry.index,
        )
    if decision.ends_draft:
        await drafts.delete(connection, subject)
    if decision.tell is not None:
        await decision.tell(connection)
    return decision.answer(entry)


async def execute_group(
    context: ServiceContext,
    subjects: Sequence[str],
    works: Sequence[Callable[[Connection], Awaitable[T]]],
) -> list[T | Exception]:
    """Do works of different records in one transaction, each for itself.

    Return for each what became of it; when the database is gone, for all of them that it is.
    """
    try:
        return await _execute_group(context, subjects, works)
    except Unavailable as error:
        return [error] * len(works)


@retried
async def _execute_group(
    context: ServiceContext,
    subjects: Sequence[str],
    works: Sequence[Callable[[Connection], Awaitable[T]]],
) -> list[T | Exception]:
    results: list[T | Exception] = []
    async with context.transaction() as connection:
        # Before the log, as those do who come alone, so that nobody waits in a circle.
        await records.lock_records(connection, subjects)
        for at, work in enumerate(works):
            written = context.guard.written(connection)
            try:
                async with savepoint(connection, first=at == 0):
                    results.append(await work(connection))
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001  whatever it is, it is one filing's affair
                context.guard.rewind(connection, written)
                results.append(error)
    return results
