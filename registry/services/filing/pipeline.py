"""The write pipeline: the one way in which anything enters the log.

    authorise → idempotency → check → lock the log row → entry, sections, projections, audit
    → commit → receipt

| command    | scope        | before the lock      | under the lock           | four eyes |
|------------|--------------|----------------------|--------------------------|-----------|
| `Publish`  | file, review | draft, schema, rules | base, rules of register  | approve   |
| `Withdraw` | file, admin  | statement            | in force, precondition   | `Approve` |
| `Attest`   | file         | statement            | last word of the day     | `Approve` |
| `Approve`  | review       |                      | waits, base; as above    | always    |
| `Confirm`  | redact       |                      | asked for, not confirmed | always    |

The rows that follow from an entry, its projections, are those of its class in `ledger/append`. Bulk
filing and loading do the same in groups, with a savepoint for each filing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

import msgspec

from registry.errors import Unavailable
from registry.ledger.append import append
from registry.ledger.entries import NewEntry
from registry.services.context import ServiceContext
from registry.services.filing import idempotency
from registry.services.operations import audit_trail
from registry.services.operations.audit_trail import Action
from registry.services.people.access import Actor
from registry.store import drafts, pending_acts, records
from registry.store.audit_trail import insert as insert_act
from registry.store.database import Connection, retried, savepoint
from registry.text.catalogues import SOURCE

BATCH_SIZE = 50
"""Filings a transaction: large enough to be fast, short enough that others do not wait."""

R = TypeVar("R")
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
        known = await idempotency.replay(connection, actor, key, request)
        if known is not None:
            stored: R = msgspec.json.decode(known, type=command.receipt)
            return stored
        await records.lock_record(connection, command.subject)
        receipt = await execute_in(connection, context, command, now=now)
        content = msgspec.json.encode(receipt)
        await idempotency.store_response(connection, context, actor, key, request, content, now=now)
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
        acts = [audit_trail.done(command.actor, command.action, subject, before=before, now=now)]
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
