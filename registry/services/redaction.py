"""Redaction: one actor asks for members to be erased, another confirms it, and the log says so."""

from __future__ import annotations

import datetime as dt
from typing import Literal, TypeAlias

import msgspec

from registry.errors import Conflict, Forbidden, InvalidStatement, NotFound
from registry.ledger.append import append_entry
from registry.record import redaction as rules
from registry.record.canonical import canonical
from registry.record.entry import Previous, redaction_entry
from registry.record.erasure import remaining_members
from registry.record.ids import split_id
from registry.record.model import Document
from registry.record.sections import seal
from registry.services import audit, idempotency
from registry.services.access import Actor
from registry.services.context import ServiceContext
from registry.store import log, records, redactions
from registry.store.database import Connection, retried
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


@retried
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
    said = b"redact " + canonical(statement)
    async with context.database.transaction() as connection:
        known = await idempotency.replay(connection, actor, idempotency_key, said)
        if known is not None:
            return msgspec.json.decode(known, type=RedactionReceipt)
        await records.lock_record(connection, record)
        held = await _held(connection, record)
        findings = rules.check_held(statement, held, context.pack, language)
        if findings:
            raise InvalidStatement("the record does not hold what is to be erased", findings)
        asked = Redaction(
            id=0,
            record=record,
            versions=rules.chosen(statement, held),
            pointers=sorted(statement["pointers"]),
            basis=statement["basis"],
            authority=statement["authority"],
            reference=statement.get("reference"),
            requested_by=actor.name,
            requested_at=now,
        )
        number = await redactions.insert(connection, asked)
        await audit.note(
            connection, actor, "request_redaction", record, before=str(number), now=now
        )
        receipt = receipt_of(msgspec.structs.replace(asked, id=number))
        await idempotency.store_response(
            connection, context, actor, idempotency_key, said, msgspec.json.encode(receipt), now=now
        )
    return receipt


@retried
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
    said = f"confirm_redaction {number}".encode()
    async with context.database.transaction() as connection:
        known = await idempotency.replay(connection, actor, idempotency_key, said)
        if known is not None:
            return msgspec.json.decode(known, type=RedactionReceipt)
        asked = await redactions.read(connection, number)
        if asked is None or actor.agency not in {None, split_id(asked.record)[0]}:
            raise NotFound(f"there is no redaction {number} that you may read")
        await records.lock_record(connection, asked.record)
        asked = await redactions.read(connection, number) or asked
        if asked.requested_by == actor.name:
            raise Forbidden(
                f"{actor.name} asked for this redaction and cannot confirm it as well: erasing "
                "takes four eyes; it is confirmed by another actor"
            )
        if asked.confirmed_by is not None:
            if asked.confirmed_by != actor.name:
                raise Conflict(f"{asked.confirmed_by} has confirmed redaction {number} already")
            return receipt_of(asked, "unchanged")
        await _append(connection, context, actor, asked, now=now)
        confirmed = await redactions.read(connection, number) or asked
        await audit.note(
            connection, actor, "confirm_redaction", asked.record, before=str(number), now=now
        )
        receipt = receipt_of(confirmed)
        await idempotency.store_response(
            connection, context, actor, idempotency_key, said, msgspec.json.encode(receipt), now=now
        )
    return receipt


async def list_redactions(context: ServiceContext, actor: Actor) -> list[Redaction]:
    """List what was asked to be erased, and what became of it, newest first."""
    actor.require("redact")
    async with context.database.connection() as connection:
        return await redactions.read_all(connection, actor.agency)


async def _append(
    connection: Connection,
    context: ServiceContext,
    actor: Actor,
    asked: Redaction,
    *,
    now: dt.datetime,
) -> None:
    # Who publishes takes no turn.
    await log.lock_state(connection)
    last = await redactions.read_last(connection, asked.record)
    if last is None:
        raise NotFound(f"there is no record {asked.record}")
    decided = {"authority": asked.authority, "reference": asked.reference}
    sections = seal({key: text for key, text in decided.items() if text}, context.random)
    entry = await append_entry(
        connection,
        "redaction",
        lambda at: redaction_entry(
            actor=asked.requested_by,
            confirmed_by=actor.name,
            at=at,
            record=asked.record,
            versions=asked.versions,
            pointers=asked.pointers,
            basis=asked.basis,
            previous=Previous(index=last.index, leaf=last.leaf),
            sections=sections,
        ),
        record=asked.record,
        sections=sections,
        now=now,
    )
    await redactions.confirm(connection, asked.id, by=actor.name, entry=entry.index)


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
