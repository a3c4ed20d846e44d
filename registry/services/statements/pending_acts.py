"""Withdrawals and attestations that take two: they wait until another person approves them.

How they are put into review and read is here, how they are decided in `act_review`.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal, TypeAlias, TypeVar

import msgspec

from registry.errors import Conflict, NotFound
from registry.log.entry import ApprovedBy
from registry.record.canonical import canonical
from registry.record.model import Document, LangText
from registry.services import policy
from registry.services.context import ServiceContext
from registry.services.filing import idempotency
from registry.services.filing.pipeline import Command
from registry.services.operations import audit_trail
from registry.services.operations.audit_trail import Action
from registry.services.people import notices
from registry.services.people.access import Actor
from registry.services.people.four_eyes import ReviewRefusal, find_refusal
from registry.store import attestations, pending_acts, records
from registry.store.database import retried
from registry.store.pending_acts import ActKind, ActState, PendingAct

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
    """A command that publishes a statement.

    `approves` is the act that is approved with it, `approved_by` for whom that is done.
    """

    statement: Document
    approves: PendingAct | None = None
    approved_by: ApprovedBy | None = None


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
            await audit_trail.note(
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


async def list_acts(
    context: ServiceContext, actor: Actor, *, state: ActState | None = None
) -> list[PendingAct]:
    """List the acts about an agency, newest first, or, for a reviewer, those in review."""
    policy.require_scope(actor, "read_act")
    own = policy.allows(actor, "take_back_act", actor.agency)
    if not own and state not in {None, "in_review"}:
        return []
    async with context.database.connection() as connection:
        return await pending_acts.read_all(
            connection, actor.agency, state=state if own else "in_review"
        )


async def list_named(
    context: ServiceContext, actor: Actor
) -> list[tuple[PendingAct, LangText | None]]:
    """List the acts that the actor may read, newest first, with the names of their records."""
    found = await list_acts(context, actor)
    subjects = [act.subject for act in found if act.kind == "withdrawal"]
    async with context.database.connection() as connection:
        current = await records.read_current(connection, subjects)
    names = {
        record: msgspec.json.decode(one.document).get("name") for record, one in current.items()
    }
    return [(act, names.get(act.subject)) for act in found]


async def read_act(context: ServiceContext, actor: Actor, number: int) -> PendingAct:
    """Read an act about one's own agency, or one that waits for the actor or was decided by her."""
    policy.require_scope(actor, "read_act")
    async with context.database.connection() as connection:
        act = await pending_acts.read(connection, number)
    if act is None or not (
        policy.allows(actor, "take_back_act", act.agency)
        or (
            policy.allows(actor, "review", act.agency)
            and (act.state == "in_review" or act.decided_person == actor.person)
        )
    ):
        raise act_not_found(number)
    return act


class ReadAct(msgspec.Struct, frozen=True, kw_only=True):
    """An act as its page shows it, and what whoever reads it may do with it.

    `name` is that of the record. `in_use` counts the agency's records in use on an attestation's
    day. `is_overtaken` means that what it follows has changed, so that it cannot be approved.
    `refusal` says why she who would review it may not decide, where she may not.
    """

    act: PendingAct
    name: LangText | None = None
    in_use: int | None = None
    is_overtaken: bool = False
    refusal: ReviewRefusal | None = None
    may_decide: bool = False
    may_take_back: bool = False


async def read_for_decision(context: ServiceContext, actor: Actor, number: int) -> ReadAct:
    """Read an act with what has become of its subject, and what the actor may do with it."""
    act = await read_act(context, actor, number)
    name, in_use, base, refusal = None, None, act.base, None
    reviews = act.state == "in_review" and policy.allows(actor, "review", act.agency)
    async with context.database.connection() as connection:
        if act.kind == "withdrawal":
            current = (await records.read_current(connection, [act.subject])).get(act.subject)
            if current is not None:
                name = msgspec.json.decode(current.document).get("name")
                base = None if current.state == "withdrawn" else current.leaf
        else:
            history = await attestations.read_history(connection, act.subject)
            last = max(history, key=lambda one: one.entry, default=None)
            base = None if last is None else bytes.fromhex(last.hash)
            if act.statement is not None:
                day = dt.date.fromisoformat(msgspec.json.decode(act.statement)["day"])
                in_use = await attestations.count_in_use(connection, act.subject, day)
        if reviews:
            refusal = await find_refusal(
                connection,
                actor,
                asked_by=act.requested_person,
                review=context.review,
                risks=await pending_acts.read_risks(connection, act.subject),
            )
    return ReadAct(
        act=act,
        name=name,
        in_use=in_use,
        is_overtaken=act.state == "in_review" and base != act.base,
        refusal=refusal,
        may_decide=reviews and refusal is None,
        may_take_back=act.state != "approved"
        and policy.allows(actor, "take_back_act", act.agency)
        and act.requested_agency == actor.agency,
    )


async def find_waiting(
    context: ServiceContext, actor: Actor, agency: str, kind: ActKind, subject: str
) -> PendingAct | None:
    """Return the act of a kind that waits for a subject.

    Raises `NotFound` where the actor may not ask for one, whether there is such a subject or not.
    """
    if not policy.allows(actor, "attest" if kind == "attestation" else "withdraw", agency):
        raise NotFound(f"there is no {subject} that you may change")
    async with context.database.connection() as connection:
        return await pending_acts.read_waiting(connection, kind, subject)


def act_not_found(number: int) -> NotFound:
    """Return the error for an act that is not there, or that the actor may not know of."""
    return NotFound(f"there is no act {number} that you may read")
