"""Attesting: an agency says how many systems it runs, so that silence and "none" differ."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from registry.errors import Forbidden, InvalidStatement, NotFound
from registry.ledger.append import append_entry
from registry.record.attestation import check
from registry.record.canonical import canonical
from registry.record.entry import Previous, attestation_entry
from registry.record.model import Document
from registry.record.sections import seal
from registry.services import audit, idempotency
from registry.services.access import Actor
from registry.services.context import ServiceContext
from registry.store import attestations, records
from registry.store.attestations import Attestation
from registry.store.database import Connection, retried

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


@retried
async def attest(
    context: ServiceContext,
    actor: Actor,
    agency: str,
    statement: Document,
    *,
    now: dt.datetime,
    language: str = "en",
    idempotency_key: str | None = None,
) -> AttestationResult:
    """Publish what an agency says of a day, unless it has said the same of it before.

    A day may be spoken of again: the last word counts, and the others stay in the history.
    """
    actor.require("file")
    if not actor.files_for(agency):
        raise Forbidden(f"this token files for {actor.agency}; it cannot attest for {agency}")
    if agency not in context.pack.agencies:
        known = ", ".join(sorted(context.pack.agencies))
        raise NotFound(f"{agency} is not an agency of this register; the agencies are {known}")
    findings = check(statement, pack=context.pack, today=now.date(), language=language)
    if findings:
        raise InvalidStatement("the attestation cannot be published as it is", findings)
    request = b"attest " + canonical([agency, statement])
    async with context.database.transaction() as connection:
        given = await idempotency.replay(connection, actor, idempotency_key, request)
        if given is not None:
            return msgspec.json.decode(given, type=AttestationResult)
        await records.lock_record(connection, f"attestations/{agency}")
        history = await attestations.read_history(connection, agency)
        day = dt.date.fromisoformat(statement["day"])
        said = next((one for one in history if one.day == day), None)
        if said is not None and _repeats(statement, said):
            attested = _unchanged(said)
        else:
            before = max(history, key=lambda one: one.entry, default=None)
            attested = await _append(
                connection, context, actor, agency, statement, before=before, now=now
            )
            await audit.note(
                connection,
                actor,
                "attest",
                agency,
                before=None if before is None else str(before.entry),
                now=now,
            )
        content = msgspec.json.encode(attested)
        await idempotency.store_response(
            connection, context, actor, idempotency_key, request, content, now=now
        )
    return attested


async def _append(
    connection: Connection,
    context: ServiceContext,
    actor: Actor,
    agency: str,
    statement: Document,
    *,
    before: Attestation | None,
    now: dt.datetime,
) -> AttestationResult:
    day, total = dt.date.fromisoformat(statement["day"]), int(statement["systems_total"])
    erasable = {key: statement[key] for key in _ERASABLE if key in statement}
    sections = seal(erasable, context.random)
    entry = await append_entry(
        connection,
        "attestation",
        lambda at: attestation_entry(
            actor=actor.name,
            at=at,
            agency=agency,
            day=day,
            systems_total=total,
            previous=None
            if before is None
            else Previous(index=before.entry, leaf=bytes.fromhex(before.hash)),
            sections=sections,
        ),
        record=None,
        sections=sections,
        now=now,
    )
    await attestations.insert(
        connection,
        entry=entry.index,
        agency=agency,
        day=day,
        systems_total=total,
        filed_at=entry.at,
        actor=actor.name,
    )
    return AttestationResult(
        outcome="attested",
        agency=agency,
        day=day,
        systems_total=total,
        hash=entry.leaf.hex(),
        entry=entry.index,
        filed_at=entry.at,
    )


def _repeats(statement: Document, said: Attestation) -> bool:
    return (statement["systems_total"], statement["contact"], statement.get("note")) == (
        said.systems_total,
        said.contact,
        said.note,
    )


def _unchanged(said: Attestation) -> AttestationResult:
    return AttestationResult(
        outcome="unchanged",
        agency=said.agency,
        day=said.day,
        systems_total=said.systems_total,
        hash=said.hash,
        entry=said.entry,
        filed_at=said.filed_at,
    )
