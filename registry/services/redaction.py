"""Redaction: one actor asks for members to be erased, another confirms it, and the log says so."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar, Literal, TypeAlias

import msgspec

from registry.errors import Conflict, Forbidden, InvalidStatement, NotFound
from registry.ledger.entries import RedactionEntry
from registry.record import redaction as rules
from registry.record.canonical import canonical
from registry.record.entry import Previous
from registry.record.erasure import remaining_members
from registry.record.ids import split_id
from registry.record.model import Document
from registry.record.sections import seal
from registry.services import audit, idempotency
from registry.services.access import Actor, person_of
from registry.services.audit import Action
from registry.services.context import ServiceContext
from registry.services.pipeline import Command, Decision, execute
from registry.store import records, redactions
from registry.store.database import Connection
from registry.store.log import Entry
from registry.store.redactions import Redaction

RedactionOutcome: TypeAlias = Literal["requested", "confirmed", "unchanged"]


class RedactionReceipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The proof of a redaction; what does not apply yet is left out.

    `id` is the record's, `redaction` the number by which somebody else confirms it. `entry` and
    `hash` say where it stands in the log.
    """

    outcome: RedactionOutcome
    id: str
    redaction: int
    versions: list[int]
    pointers: list[str]
    basis: str
    requested_by: str
    requested_at: dt.datetime
    confirmed_by: str | None = None
    confirmed_at: dt.datetime | None = None
    entry: int | None = None
    hash: str | None = None


async def request(
    context: ServiceContext,
    actor: Actor,
    statement: Document,
    *,
    now: dt.datetime,
    language: str = "en",
    idempotency_key: str | None = None,
) -> RedactionReceipt:
    """Ask for members of a record's versions to be erased; nothing is, until another confirms.

    Without `versions` it is of every version that holds what the pointers name.
    """
    actor.require("redact")
    findings = rules.check(statement, context.pack, language)
    if findings:
        raise InvalidStatement("this cannot be asked to be erased like this", findings)
    record = statement["record"]
    _require_own(actor, record)

    async def work(connection: Connection) -> RedactionReceipt:
        await records.lock_record(connection, record)
        held = await _held(connection, record)
        findings = rules.check_held(statement, held, context.pack, language)
        if findings:
            raise InvalidStatement("the record does not hold what is to be erased", findings)
        asked = Redaction(
            id=0,
            record=record,
            versions=rules.selected_versions(statement, held),
            pointers=sorted(statement["pointers"]),
            basis=statement["basis"],
            authority=statement["authority"],
            reference=statement.get("reference"),
            requested_by=actor.name,
            requested_at=now,
            requested_person=actor.person,
        )
        number = await redactions.insert(connection, asked)
        before = str(number)
        await audit.note(connection, actor, "request_redaction", record, before=before, now=now)
        return receipt_of(msgspec.structs.replace(asked, id=number))

    said = b"redact " + canonical(statement)
    return await idempotency.run_once(
        context, actor, idempotency_key, said, work, RedactionReceipt, now=now
    )


async def confirm(
    context: ServiceContext,
    actor: Actor,
    number: int,
    *,
    now: dt.datetime,
    idempotency_key: str | None = None,
) -> RedactionReceipt:
    """Put a redaction into the log, as another than the one who asked for it.

    Confirming again, because the answer was lost, gives the same receipt.
    """
    actor.require("redact")
    async with context.database.connection() as connection:
        asked = await redactions.read(connection, number)
    if asked is None or actor.agency not in {None, split_id(asked.record)[0]}:
        raise NotFound(f"there is no redaction {number} that you may read")
    command = Confirm(
        actor=actor,
        subject=asked.record,
        number=number,
        request=f"confirm_redaction {number}".encode(),
        key=idempotency_key,
    )
    return await execute(context, command, now=now)


class Confirm(Command[RedactionReceipt], frozen=True, kw_only=True):
    """Put the redaction of a number, of the record, into the log."""

    receipt: ClassVar[type[RedactionReceipt]] = RedactionReceipt
    number: int

    @property
    def action(self) -> Action:
        """The name of the act in the audit trail."""
        return "confirm_redaction"

    async def decide(
        self, connection: Connection, context: ServiceContext, _: Any, *, now: dt.datetime
    ) -> Decision[RedactionReceipt]:
        """Confirm what another asked for, once."""
        del now
        name, number = self.actor.name, self.number
        asked = await redactions.read(connection, number)
        last = await redactions.read_last(connection, self.subject)
        if asked is None or last is None:
            raise NotFound(f"there is no redaction {number} that you may read")
        if self.actor.person == (asked.requested_person or person_of(asked.requested_by)):
            raise Forbidden(
                f"{name} asked for this redaction and cannot confirm it as well: erasing "
                "takes four eyes; it is confirmed by another actor"
            )
        if asked.confirmed_by is not None:
            confirmer = asked.confirmed_person or person_of(asked.confirmed_by)
            if confirmer != self.actor.person:
                raise Conflict(f"{asked.confirmed_by} has confirmed redaction {number} already")
            unchanged = receipt_of(asked, "unchanged")
            return Decision(answer=lambda _: unchanged, is_act=False)
        decided = {"authority": asked.authority, "reference": asked.reference}
        entry = RedactionEntry(
            actor=asked.requested_by,
            redaction=number,
            confirmed_by=name,
            confirmed_person=self.actor.person,
            id=asked.record,
            versions=asked.versions,
            pointers=asked.pointers,
            basis=asked.basis,
            previous=Previous(index=last.index, leaf=last.leaf),
            sections=seal({key: text for key, text in decided.items() if text}, context.random),
        )
        return Decision(
            entry=entry, answer=lambda at: _confirmed(asked, name, at), before=str(number)
        )


def _confirmed(asked: Redaction, by: str, entry: Entry) -> RedactionReceipt:
    return receipt_of(
        msgspec.structs.replace(
            asked,
            confirmed_by=by,
            confirmed_at=entry.at,
            entry=entry.index,
            hash=entry.leaf.hex(),
        )
    )


async def list_redactions(context: ServiceContext, actor: Actor) -> list[Redaction]:
    """List what was asked to be erased, and what became of it, newest first."""
    actor.require("redact")
    async with context.database.connection() as connection:
        return await redactions.read_all(connection, actor.agency)


async def _held(connection: Connection, record: str) -> dict[int, list[str]]:
    """Read which members are left of each version of a record."""
    held: dict[int, list[str]] = {}
    for section in await redactions.read_sections(connection, record):
        value = msgspec.json.decode(section.value)
        members = [pointer for pointer, _ in remaining_members(section.key, value, section.gone)]
        held.setdefault(section.version, []).extend(members)
    if not held:
        raise NotFound(f"there is no record {record}")
    return held


def _require_own(actor: Actor, record: str) -> None:
    agency, _ = split_id(record)
    if actor.agency not in {None, agency}:
        raise Forbidden(f"this token redacts for {actor.agency}; it cannot redact for {agency}")


def receipt_of(of: Redaction, outcome: RedactionOutcome | None = None) -> RedactionReceipt:
    """Make the receipt of a redaction; without an outcome it says where it stands."""
    outcome = outcome or ("requested" if of.entry is None else "confirmed")
    return RedactionReceipt(
        outcome=outcome,
        id=of.record,
        redaction=of.id,
        versions=of.versions,
        pointers=of.pointers,
        basis=of.basis,
        requested_by=of.requested_by,
        requested_at=of.requested_at,
        confirmed_by=of.confirmed_by,
        confirmed_at=of.confirmed_at,
        entry=of.entry,
        hash=of.hash,
    )
