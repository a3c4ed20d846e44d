"""Attesting: an agency says how many systems it runs, so that silence and "none" differ."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar, Literal

import msgspec

from registry.errors import Conflict, InvalidStatement, NotFound
from registry.ledger.entries import StatedEntry
from registry.log.disclosure_tree import commitments, seal
from registry.log.entry import AttestationEntry, previous_entry
from registry.record.attestation import check, check_number
from registry.record.canonical import canonical
from registry.record.model import Document
from registry.services import policy
from registry.services.context import ServiceContext
from registry.services.filing.pipeline import Decision, execute
from registry.services.operations.audit_trail import Action
from registry.services.people.access import Actor
from registry.services.statements.pending_acts import ActReceipt, StatedCommand, put_into_review
from registry.store import attestations
from registry.store.database import Connection
from registry.structs import copy_as

_ERASABLE = ("contact", "note")


class AttestationResult(msgspec.Struct, frozen=True, kw_only=True):
    """The proof of an attestation, and where it stands in the log."""

    outcome: Literal["attested", "unchanged"]
    agency: str
    day: dt.date
    systems_total: int
    hash: str
    entry: int
    filed_at: dt.datetime


async def attest(
    context: ServiceContext,
    actor: Actor,
    agency: str,
    statement: Document,
    *,
    now: dt.datetime,
    language: str = "en",
    idempotency_key: str | None = None,
) -> AttestationResult | ActReceipt:
    """Publish what an agency says of a day, unless it has said the same of it before.

    A day may be spoken of again: the last word counts, and the others stay in the history. Where
    review is required it waits for a second person.
    """
    policy.require(actor, "attest", agency)
    if agency not in context.pack.agencies:
        known = ", ".join(sorted(context.pack.agencies))
        raise NotFound(f"{agency} is not an agency of this register; the agencies are {known}")
    findings = check(statement, pack=context.pack, today=context.pack.day(now), language=language)
    if findings:
        raise InvalidStatement("the attestation cannot be published as it is", findings)
    command = Attest(
        actor=actor,
        subject=agency,
        statement=statement,
        request=b"attest " + canonical([agency, statement]),
        key=idempotency_key,
        language=language,
    )
    if context.takes_review:
        return await put_into_review(context, command, kind="attestation", agency=agency, now=now)
    return await execute(context, command, now=now)


class Attest(StatedCommand[AttestationResult], frozen=True, kw_only=True):
    """Publish what the agency says, in a statement that was checked."""

    receipt: ClassVar[type[AttestationResult]] = AttestationResult
    action: ClassVar[Action] = "attest"

    async def decide(
        self, connection: Connection, context: ServiceContext, _: Any, *, now: dt.datetime
    ) -> Decision[AttestationResult]:
        """Publish it unless the agency's last word of the day is the same.

        Raises `InvalidStatement` where it is fewer than the agency's records in use.
        """
        del now
        statement, agency = self.statement, self.subject
        history = await attestations.read_history(connection, agency)
        before = max(history, key=lambda one: one.entry, default=None)
        base = None if before is None else bytes.fromhex(before.hash)
        if self.approves is not None and self.approves.base != base:
            raise Conflict(
                f"another attestation of {agency} was published since this one was asked for; "
                "return it, so that the agency attests again if this is still its last word"
            )
        day = dt.date.fromisoformat(statement["day"])
        said = next((one for one in history if one.day == day), None)
        word = (statement["systems_total"], statement["contact"], statement.get("note"))
        if said is not None and word == (said.systems_total, said.contact, said.note):
            unchanged = copy_as(AttestationResult, said, outcome="unchanged")
            return Decision(answer=lambda _: unchanged, is_act=False)
        in_use = await attestations.count_in_use(connection, agency, day)
        findings = check_number(statement, in_use=in_use, pack=context.pack, language=self.language)
        if findings:
            raise InvalidStatement("the attestation cannot be published as it is", findings)
        erasable = {key: statement[key] for key in _ERASABLE if key in statement}
        sections = seal(erasable, context.random)
        stated = AttestationEntry(
            actor=self.actor.name,
            agency=agency,
            day=day,
            systems_total=int(statement["systems_total"]),
            prev=None if before is None or base is None else previous_entry(before.entry, base),
            sections=commitments(sections),
            approved_by=self.approved_by,
        )
        return Decision(
            entry=StatedEntry(entry=stated, sections=sections),
            answer=lambda at: AttestationResult(
                outcome="attested",
                agency=agency,
                day=day,
                systems_total=stated.systems_total,
                hash=at.leaf.hex(),
                entry=at.index,
                filed_at=at.at,
            ),
            before=None if before is None else str(before.entry),
            base=base,
        )
