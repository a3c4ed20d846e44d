"""Reviewing withdrawals and attestations: approved by another person, returned, or taken back."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Any, ClassVar

import msgspec

from registry.errors import Conflict, Forbidden, InvalidStatement
from registry.record.canonical import canonical
from registry.record.model import Document
from registry.record.statements import check_act_comment
from registry.services import policy
from registry.services.context import ServiceContext
from registry.services.filing import idempotency
from registry.services.filing.pipeline import Command, Decision, execute
from registry.services.operations import audit_trail
from registry.services.operations.audit_trail import Action
from registry.services.people import notices
from registry.services.people.access import Actor
from registry.services.people.four_eyes import require_second, side_of
from registry.services.statements.attestation import Attest
from registry.services.statements.pending_acts import (
    ActReceipt,
    StatedCommand,
    act_not_found,
    receipt_of,
)
from registry.services.statements.withdrawal import Withdraw
from registry.store import checkpoints, pending_acts, records
from registry.store.database import Connection, retried
from registry.store.log import Entry
from registry.store.pending_acts import ActKind, PendingAct

_COMMANDS: dict[ActKind, type[StatedCommand[Any]]] = {
    "withdrawal": Withdraw,
    "attestation": Attest,
}


async def approve(
    context: ServiceContext,
    actor: Actor,
    number: int,
    *,
    now: dt.datetime,
    language: str = "en",
    idempotency_key: str | None = None,
) -> ActReceipt:
    """Publish what waits, as another person than the one who asked for it.

    Approving again, because the answer was lost, gives the same receipt.
    """
    act = await _reviewed(context, actor, number)
    command = Approve(
        actor=actor,
        subject=act.subject,
        number=number,
        request=f"approve_act {number}".encode(),
        key=idempotency_key,
        language=language,
    )
    return await execute(context, command, now=now)


class Approve(Command[ActReceipt], frozen=True, kw_only=True):
    """Publish the withdrawal or attestation of a number, about the subject."""

    receipt: ClassVar[type[ActReceipt]] = ActReceipt
    action: ClassVar[Action] = "approve_act"
    number: int

    async def decide(
        self, connection: Connection, context: ServiceContext, _: Any, *, now: dt.datetime
    ) -> Decision[ActReceipt]:
        """Do what another person asked for, once, if it could be asked for still."""
        act = await pending_acts.lock(connection, self.number)
        if act is None:
            raise act_not_found(self.number)
        if act.entry is not None and act.decided_person == self.actor.person:
            [entry] = await checkpoints.read_entries(connection, act.entry, act.entry + 1)
            receipt = _published(act, "unchanged", act.entry, entry.leaf, entry.at)
            return Decision(answer=lambda _: receipt, is_act=False)
        statement = _waiting(act)
        await require_second(
            connection,
            self.actor,
            asked_by=act.requested_person,
            did=f"asked for this {act.kind}",
            decision="approved",
            review=context.review,
            risks=await pending_acts.read_risks(connection, act.subject),
        )
        command = _COMMANDS[act.kind](
            actor=Actor(
                name=act.requested_by, agency=act.requested_agency, scopes=frozenset(), token=None
            ),
            subject=act.subject,
            statement=statement,
            approves=act,
            approved_by=side_of(self.actor),
            language=self.language,
        )
        decision = await command.decide(connection, context, None, now=now)
        return Decision(
            entry=decision.entry,
            answer=partial(_receipt, act),
            before=str(act.id),
            approves=act.id,
            tell=partial(
                notices.tell,
                actor=self.actor,
                kind="act_approved",
                subject=act.subject,
                about=str(act.id),
                now=now,
                agency=act.agency,
            ),
        )


async def return_act(
    context: ServiceContext,
    actor: Actor,
    number: int,
    statement: Document,
    *,
    now: dt.datetime,
    language: str = "en",
    idempotency_key: str | None = None,
) -> ActReceipt:
    """Return what waits to who asked for it; the statement's `comment` says why."""
    act = await _reviewed(context, actor, number)
    findings = check_act_comment(statement, context.pack, language)
    if findings:
        raise InvalidStatement("the comment cannot be taken as it is", findings)
    text = canonical(statement["comment"]).decode()
    subject = act.subject

    async def work(connection: Connection) -> ActReceipt:
        await records.lock_record(connection, subject)
        act = await pending_acts.lock(connection, number)
        if act is None:
            raise act_not_found(number)
        said = (act.decided_person, act.comment)
        if act.state == "returned" and said == (actor.person, text):
            return receipt_of(act, "returned")
        _waiting(act)
        await pending_acts.give_back(
            connection, number, comment=text, by=actor.name, person=actor.person, at=now
        )
        await audit_trail.note(
            connection, actor, "return_act", subject, before=str(number), now=now
        )
        await notices.tell(
            connection,
            actor,
            "act_returned",
            subject,
            about=str(number),
            now=now,
            agency=act.agency,
        )
        return receipt_of(
            msgspec.structs.replace(act, state="returned", decided_at=now), "returned"
        )

    request = f"return_act {number} {text}".encode()
    return await idempotency.run_once(
        context, actor, idempotency_key, request, work, ActReceipt, now=now
    )


@retried
async def delete_act(
    context: ServiceContext, actor: Actor, number: int, *, now: dt.datetime
) -> None:
    """Take back what one's own side has asked for, or throw away what was returned."""
    policy.require_scope(actor, "take_back_act")
    async with context.database.connection() as connection:
        found = await pending_acts.read(connection, number)
    if found is None or not policy.allows(actor, "take_back_act", found.agency):
        raise act_not_found(number)
    async with context.database.transaction() as connection:
        await records.lock_record(connection, found.subject)
        act = await pending_acts.lock(connection, number)
        if act is None:
            raise act_not_found(number)
        if act.requested_agency != actor.agency:
            raise Forbidden(
                f"act {number} was asked for by {act.requested_by}, which alone takes it back"
            )
        if act.state == "approved":
            raise Conflict(f"act {number} was approved, and is in the log: it cannot be taken back")
        await pending_acts.delete(connection, number)
        await audit_trail.note(
            connection, actor, "delete_act", act.subject, before=str(number), now=now
        )


async def _reviewed(context: ServiceContext, actor: Actor, number: int) -> PendingAct:
    policy.require_scope(actor, "review")
    async with context.database.connection() as connection:
        act = await pending_acts.read(connection, number)
    if act is None or not policy.allows(actor, "review", act.agency):
        raise act_not_found(number)
    return act


def _waiting(act: PendingAct) -> Document:
    """Return the statement of an act that waits; raises `Conflict` where it does not."""
    if act.state != "in_review" or act.statement is None:
        raise Conflict(
            f"act {act.id} does not wait for review any more: {act.decided_by} has {act.state} it"
        )
    statement: Document = msgspec.json.decode(act.statement)
    return statement


def _receipt(act: PendingAct, entry: Entry) -> ActReceipt:
    outcome = "withdrawn" if act.kind == "withdrawal" else "attested"
    return _published(act, outcome, entry.index, entry.leaf, entry.at)


def _published(
    act: PendingAct, outcome: Any, index: int, leaf: bytes, at: dt.datetime
) -> ActReceipt:
    return msgspec.structs.replace(
        receipt_of(act, outcome), approved_at=at, entry=index, hash=leaf.hex()
    )
