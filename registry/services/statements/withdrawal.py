"""Withdrawing: a record goes out of force, and a tombstone says why; its history stays."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

import msgspec

from registry.errors import (
    Conflict,
    InvalidStatement,
    NotFound,
    PreconditionRequired,
)
from registry.ledger.entries import StatedEntry, after
from registry.log.disclosure_tree import commitments, seal
from registry.log.entry import ApprovedBy, WithdrawalEntry, entry_summary
from registry.log.register import END, Redacted, StoredRecord, Withdrawal
from registry.record.canonical import canonical
from registry.record.ids import split_id
from registry.record.model import Document, LangText
from registry.record.statements import check_successor, check_withdrawal
from registry.services import policy
from registry.services.context import ServiceContext
from registry.services.filing.drafts import Precondition, tag_of
from registry.services.filing.pipeline import Decision, execute
from registry.services.filing.receipts import Receipt
from registry.services.operations.audit_trail import Action
from registry.services.people.access import Actor
from registry.services.statements.pending_acts import ActReceipt, StatedCommand, put_into_review
from registry.store import records, withdrawals
from registry.store.database import Connection
from registry.store.log import Entry
from registry.store.pending_acts import PendingAct
from registry.store.records import CurrentVersion

_COMMITTED = ("note", "successor")
"""The members that the log's entry commits to, and that are stored beside it."""


class Tombstone(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the place of a withdrawn record.

    `name`, `risk`, `sector` and `status` are of its last version, null where that does not say;
    `successor` is the id of the record that takes its place, if one was named. `approved_by` says
    for whom a second actor approved the withdrawal, if it took one.
    """

    id: str
    agency: str
    origin: str | None
    fictitious: bool
    name: LangText | None
    risk: str | None
    sector: str | None
    status: str | None
    version: int
    reason: str
    note: LangText | None
    successor: str | None
    withdrawn_at: dt.datetime
    entry: int
    hash: str
    redacted: list[Redacted]
    approved_by: ApprovedBy | None


async def withdraw(
    context: ServiceContext,
    actor: Actor,
    record: str,
    statement: Document,
    *,
    precondition: Precondition | None,
    now: dt.datetime,
    language: str = "en",
    idempotency_key: str | None = None,
) -> Receipt | ActReceipt:
    """Take a record out of force, for the `reason` and with the `note` of the statement.

    A `successor` in it names another record in force that takes its place.

    An agency withdraws its own records, the authority's administrator any. Withdrawing again
    for the same reason, because the answer was lost, gives the same receipt. Where review is
    required it waits for a second person.
    """
    agency, _ = split_id(record)
    policy.require(actor, "withdraw", agency)
    findings = check_withdrawal(statement, context.pack, language)
    if findings:
        raise InvalidStatement(f"{record} cannot be withdrawn like this", findings)
    if precondition is None:
        raise PreconditionRequired("send If-Match with the tag of the record that you withdraw")
    command = Withdraw(
        actor=actor,
        subject=record,
        statement=statement,
        precondition=precondition,
        request=f"withdraw {record} ".encode() + canonical(statement),
        key=idempotency_key,
        language=language,
    )
    if context.takes_review:
        return await put_into_review(context, command, kind="withdrawal", agency=agency, now=now)
    return await execute(context, command, now=now)


class Withdraw(StatedCommand[Receipt], frozen=True, kw_only=True):
    """Take the record out of force, as a statement that was checked says."""

    receipt: ClassVar[type[Receipt]] = Receipt
    action: ClassVar[Action] = "withdraw"
    precondition: Precondition | None = None

    async def decide(
        self, connection: Connection, context: ServiceContext, _: Any, *, now: dt.datetime
    ) -> Decision[Receipt]:
        """Withdraw the version in force; what was withdrawn for the same reason stays as it is."""
        del now
        record, reason = self.subject, self.statement["reason"]
        successor = self.statement.get("successor")
        known = await records.read_latest(connection, [record, successor or record])
        current = known.get(record)
        if current is None:
            raise NotFound(f"there is no record {record}")
        if self.approves is not None:
            _require_standing(record, current, self.approves)
        if current.state == "withdrawn":
            receipt = await _receipt_of_last(connection, record, self.statement)
            return Decision(answer=lambda _: receipt, is_act=False)
        if self.precondition is not None:
            self.precondition.require(tag_of(current.leaf))
        following = None if successor is None else known.get(successor)
        findings = check_successor(
            self.statement,
            record,
            in_force=following is not None and following.state == "published",
            pack=context.pack,
            language=self.language,
        )
        if findings:
            raise InvalidStatement(f"{record} cannot be withdrawn like this", findings)
        said = {key: self.statement[key] for key in _COMMITTED if key in self.statement}
        sections = seal(said, context.random)
        stated = WithdrawalEntry(
            actor=self.actor.name,
            id=record,
            version=current.version,
            reason=reason,
            prev=after(current),
            sections=commitments(sections),
            approved_by=self.approved_by,
        )
        return Decision(
            entry=StatedEntry(entry=stated, sections=sections, current=current),
            answer=lambda at: _receipt(record, current.version, at),
            before=str(current.version),
            base=current.leaf,
        )


async def read_tombstone(
    connection: Connection, stored: StoredRecord, *, as_of: int = END
) -> Tombstone:
    """Read what stands in the place of a withdrawn record; `stored` is its last version."""
    last = (await withdrawals.read_all(connection, stored.id, as_of=as_of))[-1]
    document = msgspec.json.decode(stored.document)
    return Tombstone(
        id=stored.id,
        agency=stored.agency,
        origin=stored.register.origin,
        fictitious=stored.register.fictitious,
        name=document.get("name"),
        **msgspec.structs.asdict(entry_summary(document)),
        **msgspec.structs.asdict(last),
    )


def _receipt(record: str, version: int, entry: Entry) -> Receipt:
    return Receipt(
        outcome="withdrawn",
        id=record,
        version=version,
        hash=entry.leaf.hex(),
        entry=entry.index,
        withdrawn_at=entry.at,
    )


async def _receipt_of_last(connection: Connection, record: str, statement: Document) -> Receipt:
    last: Withdrawal = (await withdrawals.read_all(connection, record))[-1]
    said = (statement["reason"], statement["note"], statement.get("successor"))
    if (last.reason, last.note, last.successor) != said:
        raise Conflict(
            f"{record} was withdrawn on {last.withdrawn_at:%Y-%m-%d} already, for another reason "
            "or with another note or successor; what was published then stays as it is"
        )
    return Receipt(
        outcome="unchanged",
        id=record,
        version=last.version,
        hash=last.hash,
        entry=last.entry,
        withdrawn_at=last.withdrawn_at,
    )


def _require_standing(record: str, current: CurrentVersion, act: PendingAct) -> None:
    """Refuse to withdraw what is no longer what the withdrawal was asked for."""
    if current.state == "withdrawn":
        raise Conflict(
            f"{record} was withdrawn since this was asked for; return it, with what was done"
        )
    if current.leaf != act.base:
        raise Conflict(
            f"another version of {record} was published since its withdrawal was asked for; return "
            "it, so that its agency reads the record and asks again if it still should be withdrawn"
        )
