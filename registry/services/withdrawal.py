"""Withdrawing: a record goes out of force, and a tombstone says why; its history stays."""

from __future__ import annotations

import datetime as dt

import msgspec

from registry.errors import (
    Conflict,
    Forbidden,
    InvalidStatement,
    NotFound,
    PreconditionRequired,
)
from registry.ledger.append import append_entry
from registry.record.canonical import canonical
from registry.record.entry import Previous, outline, withdrawal_entry
from registry.record.ids import split_id
from registry.record.model import Document, LangText
from registry.record.sections import seal
from registry.record.statements import check_withdrawal
from registry.services import audit
from registry.services.access import Actor
from registry.services.context import ServiceContext
from registry.services.drafts import Precondition, tag_of
from registry.services.receipts import Receipt, run_idempotent
from registry.store import log, record_names, records, version_facts, withdrawals
from registry.store.as_of import END
from registry.store.database import Connection
from registry.store.records import CurrentVersion, StoredRecord
from registry.store.withdrawals import Withdrawal


class Tombstone(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the place of a withdrawn record.

    `name`, `risk`, `sector` and `status` are of its last version, null where that does not say.
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
    withdrawn_at: dt.datetime
    entry: int
    hash: str


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
) -> Receipt:
    """Take a record out of force, for the `reason` and with the `note` of the statement.

    An agency withdraws its own records, the authority's administrator any. Withdrawing again
    for the same reason, because the answer was lost, gives the same receipt.
    """
    _require_authority(actor, split_id(record)[0])
    findings = check_withdrawal(statement, context.pack, language)
    if findings:
        raise InvalidStatement(f"{record} cannot be withdrawn like this", findings)
    if precondition is None:
        raise PreconditionRequired("send If-Match with the tag of the record that you withdraw")

    async def work(connection: Connection) -> Receipt:
        await records.lock_record(connection, record)
        # Who publishes takes no turn.
        await log.lock_state(connection)
        latest = (await records.read_latest(connection, [record])).get(record)
        if latest is None:
            raise NotFound(f"there is no record {record}")
        if latest.state == "withdrawn":
            return await _receipt_of_last(connection, record, statement)
        precondition.require(tag_of(latest.leaf))
        receipt = await append_withdrawal(
            connection, context, actor, record, statement, latest=latest, now=now
        )
        before = str(latest.version)
        await audit.note(connection, actor, "withdraw", record, before=before, now=now)
        return receipt

    request = f"withdraw {record} ".encode() + canonical(statement)
    return await run_idempotent(context, actor, idempotency_key, request, work, now=now)


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
        **msgspec.structs.asdict(outline(document)),
        **msgspec.structs.asdict(last),
    )


async def append_withdrawal(
    connection: Connection,
    context: ServiceContext,
    actor: Actor,
    record: str,
    statement: Document,
    *,
    latest: CurrentVersion,
    now: dt.datetime,
) -> Receipt:
    """Withdraw a record whose turn is taken, inside the caller's transaction."""
    reason = statement["reason"]
    sections = seal({"note": statement["note"]}, context.random)
    entry = await append_entry(
        connection,
        "withdrawal",
        lambda at: withdrawal_entry(
            actor=actor.name,
            at=at,
            record=record,
            version=latest.version,
            reason=reason,
            previous=Previous(index=latest.last_entry, leaf=latest.last_leaf),
            sections=sections,
        ),
        record=record,
        sections=sections,
        now=now,
    )
    await withdrawals.insert(
        connection,
        entry=entry.index,
        record=record,
        version=latest.version,
        withdrawn_at=entry.at,
        reason=reason,
        actor=actor.name,
    )
    await records.withdraw(connection, record, entry=entry.index)
    await version_facts.end(connection, record, entry=entry.index, at=entry.at)
    await record_names.delete(connection, record)
    return Receipt(
        outcome="withdrawn",
        id=record,
        version=latest.version,
        hash=entry.leaf.hex(),
        entry=entry.index,
        withdrawn_at=entry.at,
    )


async def _receipt_of_last(connection: Connection, record: str, statement: Document) -> Receipt:
    last: Withdrawal = (await withdrawals.read_all(connection, record))[-1]
    if (last.reason, last.note) != (statement["reason"], statement["note"]):
        raise Conflict(
            f"{record} was withdrawn on {last.withdrawn_at:%Y-%m-%d} already, for another reason "
            "or with another note; what was published then stays as it is"
        )
    return Receipt(
        outcome="unchanged",
        id=record,
        version=last.version,
        hash=last.hash,
        entry=last.entry,
        withdrawn_at=last.withdrawn_at,
    )


def _require_authority(actor: Actor, agency: str) -> None:
    if "admin" in actor.scopes and actor.agency in {None, agency}:
        return
    actor.require("file")
    if not actor.files_for(agency):
        raise Forbidden(f"this token files for {actor.agency}; it cannot withdraw for {agency}")
