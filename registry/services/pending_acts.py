"""Withdrawals and attestations that take two: they wait until another person approves them."""

from __future__ import annotations

import datetime as dt
from typing import Literal, TypeAlias, TypeVar

import msgspec

from registry.errors import Conflict
from registry.record.canonical import canonical
from registry.record.model import Document
from registry.services import audit, idempotency, notices
from registry.services.audit import Action
from registry.services.context import ServiceContext
from registry.services.pipeline import Command
from registry.store import pending_acts, records
from registry.store.database import retried
from registry.store.pending_acts import ActKind, PendingAct

ActOutcome: TypeAlias = Literal["in_review", "withdrawn", "attested", "returned", "unchanged"]

R = TypeVar("R")

_REQUESTS: dict[ActKind, Action] = {
    "withdrawal": "request_withdrawal",
    "attestation": "request_attestation",
}


class ActReceipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The proof of what was asked for or decided; what does not apply is left out.

    `act` is its number, `id` the record of a withdrawal. `entry` and `hash` say where it stands in
    the log.
    """

    outcome: ActOutcome
    act: int
    kind: ActKind
    agency: str
    id: str | None = None
    requested_at: dt.datetime
    approved_at: dt.datetime | None = None
    returned_at: dt.datetime | None = None
    entry: int | None = None
    hash: str | None = None


class StatedCommand(Command[R], frozen=True, kw_only=True):
    """A command that publishes a statement; `approves` is the act that is approved with it."""

    statement: Document
    approves: PendingAct | None = None


@retried
async def put_into_review(
    context: ServiceContext,
    command: StatedCommand[R],
    *,
    kind: ActKind,
    agency: str,
    now: dt.datetime,
) -> R | ActReceipt:
    """Put a command into review that could be executed now, or answer that it changes nothing.

    Asking for the same again gives the same receipt. Raises `Conflict` where another statement
    waits for the same subject.
    """
    actor, key, subject = command.actor, command.key, command.subject
    statement, request = canonical(command.statement).decode(), b"request " + command.request
    async with context.database.transaction() as connection:
        known = await idempotency.replay(connection, actor, key, request)
        if known is not None:
            return msgspec.json.decode(known, type=ActReceipt)
        await records.lock_record(connection, subject)
        act = await pending_acts.lock_waiting(connection, kind, subject)
        if act is None:
            checked = await command.check(connection, context, now=now)
            decision = await command.decide(connection, context, checked, now=now)
            if decision.entry is None:
                return decision.answer(None)
            act = PendingAct(
                id=0,
                kind=kind,
                subject=subject,
                agency=agency,
                statement=statement,
                base=decision.base,
                requested_agency=actor.agency,
                requested_by=actor.name,
                requested_person=actor.person,
                requested_at=now,
            )
            await pending_acts.delete_returned(connection, kind, subject)
            number = await pending_acts.insert(connection, act)
            act = msgspec.structs.replace(act, id=number)
            await audit.note(
                connection, actor, _REQUESTS[kind], subject, before=str(number), now=now
            )
            await notices.tell(
                connection, actor, "act_waits", subject, about=str(number), now=now, agency=agency
            )
        elif act.statement != statement:
            raise Conflict(
                f"another {kind} of {subject} waits for review already; whoever asked for it takes "
                f"it back with DELETE /api/v1/acts/{act.id}, and then this one can be asked for"
            )
        receipt = receipt_of(act, "in_review")
        content = msgspec.json.encode(receipt)
        await idempotency.store_response(connection, context, actor, key, request, content, now=now)
    return receipt


def receipt_of(act: PendingAct, outcome: ActOutcome) -> ActReceipt:
    """Return the receipt of an act that is not in the log."""
    return ActReceipt(
        outcome=outcome,
        act=act.id,
        kind=act.kind,
        agency=act.agency,
        id=act.subject if act.kind == "withdrawal" else None,
        requested_at=act.requested_at,
        returned_at=act.decided_at if act.state == "returned" else None,
    )
