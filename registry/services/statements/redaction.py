"""Redaction: one actor asks for members to be erased, another confirms it, and the log says so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, ClassVar, Literal, TypeAlias

import msgspec

from registry.errors import Conflict, Forbidden, InvalidStatement, NotFound
from registry.ledger.entries import StatedEntry
from registry.log import redaction as rules
from registry.log.blob import KeptVerdict, verdict_digest
from registry.log.disclosure_tree import Section, commitments, members, seal
from registry.log.entry import PeerEntry, Previous, RedactionEntry, previous_entry
from registry.log.erasure import REPLACED, covers, named_members, remaining_members
from registry.record.canonical import canonical
from registry.record.ids import agency_of
from registry.record.model import Document
from registry.services import policy
from registry.services.context import ServiceContext
from registry.services.filing import idempotency
from registry.services.filing.pipeline import Command, Decision, execute
from registry.services.operations import audit_trail
from registry.services.operations.audit_trail import Action
from registry.services.people.access import Actor, person_of
from registry.services.people.four_eyes import require_redactor, require_second
from registry.services.statements.erasure import leave_verdicts
from registry.store import records, redactions
from registry.store.database import Connection, retried
from registry.store.log import Entry
from registry.store.redactions import HeldSection, Redaction
from registry.structs import copy_as


def seal_decision(asked: Redaction, random: Callable[[int], bytes]) -> list[Section]:
    """Return what the entry commits to: who decided it, by what, and what is shown instead."""
    decided = {
        "authority": asked.authority,
        "reference": asked.reference,
        REPLACED: asked.replaced,
    }
    return seal({key: value for key, value in decided.items() if value}, random)


def redaction_entry_of(
    asked: Redaction,
    number: int,
    *,
    confirmed_by: str,
    confirmed_person: str | None = None,
    prev: Previous | None,
    sections: Sequence[Section],
    left: Mapping[int, KeptVerdict],
    source: PeerEntry | None = None,
) -> StatedEntry:
    """Return the entry of the request of a number; `source` is the redaction that it follows.

    `left` are the verdicts that it leaves, as `leave_verdicts` returns them.
    """
    entry = RedactionEntry(
        actor=asked.requested_by,
        confirmed_by=confirmed_by,
        id=asked.record,
        agency=asked.agency if asked.record is None else None,
        versions=list(asked.versions),
        entries=list(asked.entries),
        pointers=sorted(asked.pointers),
        basis=asked.basis,
        prev=prev,
        sections=commitments(sections),
        verdicts={str(index): verdict_digest(one.to_json()) for index, one in left.items()},
        source=source,
    )
    return StatedEntry(
        entry=entry,
        left=left,
        sections=sections,
        request=number,
        confirmed_person=confirmed_person,
    )


async def with_replacements(
    connection: Connection,
    asked: Redaction,
    shown: Mapping[int, Document],
    replaced: Mapping[int, Mapping[str, Any]] | None,
    sections: Sequence[HeldSection],
) -> Redaction:
    """Return a redaction of a record with what takes the place of the members that it erases.

    `replaced` are texts with a mark in them, by version and pointer, where it is of words. What an
    earlier redaction put in the place of these members is erased from that one's entry; whatever
    else its list has at the same place goes on in the list of this one.
    """
    instead: dict[tuple[int, str], Any] = {}
    if replaced is not None:
        pointers = sorted({pointer for members_of in replaced.values() for pointer in members_of})
        asked = msgspec.structs.replace(asked, versions=sorted(replaced), pointers=pointers)
        for version, members_of in replaced.items():
            there = dict(named_members(shown[version], pointers))
            instead |= {(version, at): value for at, value in {**there, **members_of}.items()}
    items = await redactions.read_replaced(
        connection, {by for section in sections for by in section.gone_by}
    )
    listed = [
        (redaction, at, item)
        for redaction, replacing in items.items()
        for at, item in enumerate(replacing or ())
        if not isinstance(item, int)
    ]
    named = {
        (redaction, at)
        for redaction, at, item in listed
        if covers(asked.pointers, item["pointer"]) and {*item["versions"]} & {*asked.versions}
    }
    numbers = {at for _, at in named}
    entries = sorted({redaction for redaction, _ in named})
    for redaction, at, item in listed:
        if redaction not in entries or at not in numbers:
            continue
        for version in item["versions"]:
            is_erased = (redaction, at) in named and version in asked.versions
            if not is_erased:
                instead.setdefault((version, item["pointer"]), item["value"])
    grouped: dict[tuple[str, bytes], list[int]] = {}
    for (version, pointer), value in sorted(instead.items(), key=itemgetter(0)):
        grouped.setdefault((pointer, canonical(value)), []).append(version)
    return msgspec.structs.replace(
        asked,
        entries=entries,
        pointers=sorted({*asked.pointers, *(f"/{REPLACED}/{at}" for at in numbers)}),
        replaced=[
            {"pointer": pointer, "versions": versions, "value": msgspec.json.decode(value)}
            for (pointer, value), versions in grouped.items()
        ]
        or None,
    )


def held_members(sections: Sequence[HeldSection]) -> dict[int, list[str]]:
    """Return which members can be named, by version, or by entry where that is none."""
    held: dict[int, list[str]] = {}
    for section in sections:
        value = msgspec.json.decode(section.value)
        left = remaining_members(section.key, value, section.gone)
        instead = [one for one in members(section.key, value) if one[0] in section.gone]
        named = held.setdefault(section.version or section.entry, [])
        named += [pointer for pointer, _ in left]
        named += [pointer for pointer, part in instead if part is not None]
    return held


def shown_versions(sections: Sequence[HeldSection], versions: Sequence[int]) -> dict[int, Document]:
    """Return versions as they are stored, with what stands in the place of erased members."""
    found: dict[int, Document] = {version: {} for version in versions}
    for section in sections:
        if section.version in found:
            found[section.version][section.key] = msgspec.json.decode(section.value)
    return found


RedactionOutcome: TypeAlias = Literal["requested", "confirmed", "unchanged"]


class RedactionReceipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The proof of a redaction; what does not apply yet is left out.

    `id` is the record's, or the agency's whose attestations it is of, `redaction` the number by
    which somebody else confirms it. `entries` are named that are no versions; `replaced` is what
    will be shown in the place of erased members: a list of `{pointer, versions, value}`. `entry`
    and `hash` say where it stands in the log.
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
    entries: list[int] = []
    replaced: list[dict[str, Any]] = []


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

    Without `versions` it is of every version that holds what the pointers name. With `words` these
    alone are replaced by a mark. An `entry` names a withdrawal, an attestation or a redaction in
    the place of a record.
    """
    require_redactor(actor)
    findings = rules.check(statement, context.pack, language)
    if findings:
        raise InvalidStatement("this cannot be asked to be erased like this", findings)
    asked = Redaction(
        id=0,
        record=statement.get("record"),
        versions=[],
        pointers=sorted(statement["pointers"]),
        basis=statement["basis"],
        authority=statement["authority"],
        reference=statement.get("reference"),
        requested_by=actor.name,
        requested_at=now,
        requested_person=actor.person,
    )
    if asked.record is not None:
        policy.require(actor, "redact", agency_of(asked.record))

    async def work(connection: Connection) -> RedactionReceipt:
        named = asked
        if asked.record is None:
            named = await _of_entry(connection, asked, int(statement["entry"]))
            policy.require(actor, "redact", _agency(named))
        await records.lock_record(connection, named.subject)
        await _require_carried_out(connection, named)
        sections = await redactions.read_sections(connection, asked.record, None, named.entries)
        held = held_members(sections)
        if not held:
            raise NotFound(f"there is no record {asked.record}")
        findings = rules.check_held(statement, held, context.pack, language)
        if findings:
            raise InvalidStatement("the record does not hold what is to be erased", findings)
        if asked.record is not None:
            versions = rules.selected_versions(statement, held)
            named = msgspec.structs.replace(asked, versions=versions)
            shown = shown_versions(sections, versions)
            replaced = None
            if "words" in statement:
                replaced = rules.replaced_by_mark(statement, shown)
                findings = rules.check_replaced(
                    statement,
                    shown,
                    replaced,
                    pack=context.pack,
                    language=language,
                )
                if findings:
                    raise InvalidStatement("these words cannot be replaced by a mark", findings)
            named = await with_replacements(connection, named, shown, replaced, sections)
        number = await redactions.insert(connection, named)
        before, subject = str(number), named.subject
        await audit_trail.note(
            connection, actor, "request_redaction", subject, before=before, now=now
        )
        return receipt_of(msgspec.structs.replace(named, id=number))

    said = b"redact " + canonical(statement)
    return await idempotency.run_once(
        context, actor, idempotency_key, said, work, RedactionReceipt, now=now
    )


async def _of_entry(connection: Connection, asked: Redaction, entry: int) -> Redaction:
    """Return a redaction of an entry that is no version; raises `NotFound`."""
    found = await redactions.read_named(connection, entry)
    if found is None:
        raise NotFound(
            f"entry {entry} is no withdrawal, attestation or redaction; a version's content is "
            "named by the record"
        )
    return msgspec.structs.replace(asked, record=found.record, agency=found.agency, entries=[entry])


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
    require_redactor(actor)
    asked = await _find(context, actor, number)
    command = Confirm(
        actor=actor,
        subject=asked.subject,
        number=number,
        request=f"confirm_redaction {number}".encode(),
        key=idempotency_key,
    )
    return await execute(context, command, now=now)


class Confirm(Command[RedactionReceipt], frozen=True, kw_only=True):
    """Put the redaction of a number, of the record, into the log."""

    receipt: ClassVar[type[RedactionReceipt]] = RedactionReceipt
    action: ClassVar[Action] = "confirm_redaction"
    number: int

    async def decide(
        self, connection: Connection, context: ServiceContext, _: Any, *, now: dt.datetime
    ) -> Decision[RedactionReceipt]:
        """Confirm what another asked for, once."""
        del now
        name, number = self.actor.name, self.number
        asked = await redactions.read(connection, number)
        if asked is None:
            raise _not_found(number)
        asked_by = asked.requested_person or person_of(asked.requested_by)
        did = "asked for this redaction"
        await require_second(
            connection, self.actor, asked_by=asked_by, did=did, decision="confirmed"
        )
        if self.actor.agency is not None and rules.takes_authority(asked.basis, asked.pointers):
            raise Forbidden(
                "what everybody must be able to read is erased by the authority, not by the agency "
                "alone: it is confirmed by an actor without an agency"
            )
        if asked.confirmed_by is not None:
            confirmer = asked.confirmed_person or person_of(asked.confirmed_by)
            if confirmer != self.actor.person:
                raise Conflict(f"{asked.confirmed_by} has confirmed redaction {number} already")
            unchanged = receipt_of(asked, "unchanged")
            return Decision(answer=lambda _: unchanged, is_act=False)
        last = None
        if asked.record is not None:
            await _require_carried_out(connection, asked)
            if await _is_overtaken(connection, asked):
                raise Conflict(
                    f"since redaction {number} was asked for, another one has erased a part of the "
                    "same; take it back and ask for it anew"
                )
            last = await redactions.read_last(connection, asked.record)
        entry = redaction_entry_of(
            asked,
            number,
            confirmed_by=name,
            confirmed_person=self.actor.person,
            prev=None if last is None else previous_entry(last.index, last.leaf),
            sections=seal_decision(asked, context.random),
            left=await leave_verdicts(connection, asked, context.random),
        )
        return Decision(
            entry=entry, answer=lambda at: _confirmed(asked, name, at), before=str(number)
        )


async def _require_carried_out(connection: Connection, asked: Redaction) -> None:
    """Raise `Conflict` while what is shown in the place of the same members is about to change."""
    if asked.record is None:
        return
    for other in await redactions.read_all(connection, agency_of(asked.record)):
        if (
            other.record == asked.record
            and other.entry is not None
            and not other.is_done
            and any(
                covers(one.pointers, pointer)
                for one, two in ((asked, other), (other, asked))
                for pointer in two.pointers
            )
        ):
            raise Conflict(
                f"redaction {other.id} erases a part of the same and is being carried out; try "
                "again in a moment"
            )


async def _is_overtaken(connection: Connection, asked: Redaction) -> bool:
    """Return whether other texts than when it was asked stand in the place of its members.

    Those that it would itself have put there were given up with its request.
    """
    if not asked.versions:
        return False
    sections = await redactions.read_sections(connection, asked.record)
    now = await with_replacements(connection, asked, {}, None, sections)
    return now.entries != asked.entries


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
    policy.require_scope(actor, "redact")
    async with context.database.snapshot() as connection:
        found = await redactions.read_all(connection, actor.agency)
        return [
            msgspec.structs.replace(one, state="overtaken")
            if one.state == "requested" and await _is_overtaken(connection, one)
            else one
            for one in found
        ]


@retried
async def delete(context: ServiceContext, actor: Actor, number: int, *, now: dt.datetime) -> None:
    """Take back or refuse a request: whoever may confirm it may, and who asked for it.

    Raises `Conflict` for one that is confirmed.
    """
    policy.require_scope(actor, "redact")
    subject = (await _find(context, actor, number)).subject
    async with context.database.transaction() as connection:
        await records.lock_record(connection, subject)
        asked = await redactions.read(connection, number)
        if asked is None:
            raise _not_found(number)
        if asked.entry is not None:
            raise Conflict(
                f"redaction {number} was confirmed, and is in the log: it cannot be taken back"
            )
        await redactions.delete(connection, number)
        before = str(number)
        await audit_trail.note(
            connection, actor, "delete_redaction", subject, before=before, now=now
        )


async def _find(context: ServiceContext, actor: Actor, number: int) -> Redaction:
    async with context.database.connection() as connection:
        asked = await redactions.read(connection, number)
    if asked is None or not policy.allows(actor, "redact", _agency(asked)):
        raise _not_found(number)
    return asked


def _not_found(number: int) -> NotFound:
    return NotFound(
        f"there is no redaction {number} that you may read; a request is gone once it is taken "
        "back, and one of words when another erases a part of the same: ask for it anew"
    )


def _agency(asked: Redaction) -> str:
    return agency_of(asked.record) if asked.record else asked.agency or ""


def receipt_of(of: Redaction, outcome: RedactionOutcome | None = None) -> RedactionReceipt:
    """Make the receipt of a redaction; without an outcome it says where it stands."""
    outcome = outcome or ("requested" if of.entry is None else "confirmed")
    return copy_as(
        RedactionReceipt,
        of,
        outcome=outcome,
        id=of.subject,
        redaction=of.id,
        replaced=[] if of.entry is not None else of.replaced or [],
    )
