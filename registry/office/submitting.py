"""Submitting: from a draft to a version that everybody reads, by way of review where it is due."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from registry.errors import Conflict, Forbidden, InvalidRecord, InvalidStatement
from registry.office import answers, audit
from registry.office.examining import examine
from registry.office.filing import local_agency, no_draft, own_agency
from registry.office.ledger import Publication, publish
from registry.record.canonical import canonical
from registry.record.ids import split_id
from registry.record.statements import check_comment
from registry.store import drafts, records
from registry.store.database import retried

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from registry.office.access import Actor
    from registry.office.filing import Office, Precondition
    from registry.record.model import Document
    from registry.record.pack import Agency
    from registry.record.validate import Verdict
    from registry.store.database import Connection
    from registry.store.drafts import Draft

Outcome: TypeAlias = Literal[
    "created", "changed", "published", "unchanged", "in_review", "returned", "withdrawn"
]


class Receipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The proof of what the office has done, and when; what does not apply is left out.

    `version`, `entry` and `hash` say which version it became and where it stands in the log; a
    withdrawal names the version that it ends. `tag` is that of a draft that is left.
    """

    outcome: Outcome
    id: str
    version: int | None = None
    hash: str | None = None
    entry: int | None = None
    tag: str | None = None
    published_at: dt.datetime | None = None
    submitted_at: dt.datetime | None = None
    returned_at: dt.datetime | None = None
    withdrawn_at: dt.datetime | None = None


@retried
async def submit(
    office: Office,
    actor: Actor,
    record: str,
    *,
    precondition: Precondition | None,
    now: dt.datetime,
    language: str = "en",
    idempotency_key: str | None = None,
) -> Receipt:
    """Publish an agency's draft or put it into review, or refuse it with every finding.

    Submitting again after the answer was lost gives the same receipt: without a draft, the
    latest version is what the last filing became.
    """
    agency = own_agency(office, actor, record)

    async def work(connection: Connection) -> Receipt:
        await records.take_turn(connection, record)
        draft = await drafts.lock(connection, record)
        if draft is None:
            return await _receipt_of_latest(connection, record)
        if precondition is not None:
            precondition.require(draft.tag)
        if office.review == "required" and draft.state == "in_review":
            return _receipt_of_draft(draft, submitted_at=draft.submitted_at)
        await _require_base(connection, draft)
        await audit.note(connection, actor, "submit", record, before=draft.tag, now=now)
        document = msgspec.json.decode(draft.document)
        if office.review == "required" and not await _is_in_force(connection, document):
            await _verdict(connection, office, document, now=now, language=language)
            await drafts.submit(connection, record, by=actor.name, at=now)
            return _receipt_of_draft(draft, submitted_at=now)
        return await _publish_draft(
            connection,
            office,
            draft,
            agency=agency,
            actor=actor.name,
            approved_by=None,
            now=now,
            language=language,
        )

    request = f"submit {record}".encode()
    return await once(office, actor, idempotency_key, request, work, now=now)


@retried
async def approve(
    office: Office,
    actor: Actor,
    record: str,
    *,
    precondition: Precondition | None,
    now: dt.datetime,
    language: str = "en",
    idempotency_key: str | None = None,
) -> Receipt:
    """Publish what is in review, as another than the one who submitted it."""
    agency = _reviewed_agency(office, actor, record)

    async def work(connection: Connection) -> Receipt:
        await records.take_turn(connection, record)
        draft = await drafts.lock(connection, record)
        if draft is None:
            if await records.read_approver(connection, record) != actor.name:
                raise no_draft(record)
            return await _receipt_of_latest(connection, record)
        submitter = _submitter(draft)
        if submitter == actor.name:
            raise Forbidden(
                f"{actor.name} submitted this draft and cannot approve it as well: review takes "
                "four eyes; let somebody else approve it, with a token of another actor"
            )
        if precondition is not None:
            precondition.require(draft.tag)
        await _require_base(connection, draft)
        await audit.note(connection, actor, "approve", record, before=draft.tag, now=now)
        return await _publish_draft(
            connection,
            office,
            draft,
            agency=agency,
            actor=submitter,
            approved_by=actor.name,
            now=now,
            language=language,
        )

    request = f"approve {record}".encode()
    return await once(office, actor, idempotency_key, request, work, now=now)


@retried
async def return_draft(
    office: Office,
    actor: Actor,
    record: str,
    statement: Document,
    *,
    precondition: Precondition | None,
    now: dt.datetime,
    language: str = "en",
    idempotency_key: str | None = None,
) -> Receipt:
    """Give what is in review back to its agency; the statement's `comment` says what to mend."""
    _reviewed_agency(office, actor, record)
    findings = check_comment(statement, office.pack, language)
    if findings:
        raise InvalidStatement("the comment cannot be taken as it is", findings)
    text = canonical(statement["comment"]).decode()

    async def work(connection: Connection) -> Receipt:
        await records.take_turn(connection, record)
        draft = await drafts.lock(connection, record)
        if draft is None:
            raise no_draft(record)
        if draft.state == "draft" and (draft.returned_by, draft.comment) == (actor.name, text):
            return _receipt_of_draft(draft, returned_at=draft.returned_at)
        _submitter(draft)
        if precondition is not None:
            precondition.require(draft.tag)
        await drafts.give_back(connection, record, comment=text, by=actor.name, at=now)
        await audit.note(connection, actor, "return", record, before=draft.tag, now=now)
        return _receipt_of_draft(draft, returned_at=now)

    request = f"return {record} {text}".encode()
    return await once(office, actor, idempotency_key, request, work, now=now)


async def publish_local(
    connection: Connection,
    office: Office,
    document: Document,
    *,
    agency: Agency,
    actor: str,
    now: dt.datetime,
    language: str = "en",
    approved_by: str | None = None,
) -> Receipt:
    """Publish one complete document inside the caller's transaction, unless nothing changed.

    A refusal is told in `language`; what is kept with the version, in English.
    """
    record = str(document["id"])
    await records.take_turn(connection, record)
    # Two records of one agency must not take the same source_id at once.
    await records.take_turn(connection, agency.id)
    verdict = await _verdict(connection, office, document, now=now, language=language)
    if await _is_in_force(connection, document):
        return await _receipt_of_latest(connection, record)
    [published] = await publish(
        connection,
        [
            Publication(
                document=document,
                agency=agency,
                actor=actor,
                verdict=verdict,
                approved_by=approved_by,
            )
        ],
        now=now,
        random=office.random,
    )
    return Receipt(outcome="published", **msgspec.structs.asdict(published))


async def once(
    office: Office,
    actor: Actor,
    key: str | None,
    request: bytes,
    work: Callable[[Connection], Awaitable[Receipt]],
    *,
    now: dt.datetime,
) -> Receipt:
    """Do a piece of work in one transaction, or give what its idempotency key was answered."""
    async with office.database.transaction() as connection:
        known = await answers.replay(connection, actor, key, request)
        if known is not None:
            return msgspec.json.decode(known, type=Receipt)
        receipt = await work(connection)
        content = msgspec.json.encode(receipt)
        await answers.keep(connection, office, actor, key, request, content, now=now)
    return receipt


async def _publish_draft(
    connection: Connection,
    office: Office,
    draft: Draft,
    *,
    agency: Agency,
    actor: str,
    approved_by: str | None,
    now: dt.datetime,
    language: str,
) -> Receipt:
    receipt = await publish_local(
        connection,
        office,
        msgspec.json.decode(draft.document),
        agency=agency,
        actor=actor,
        now=now,
        language=language,
        approved_by=approved_by,
    )
    await drafts.delete(connection, draft.record)
    return receipt


async def _verdict(
    connection: Connection, office: Office, document: Document, *, now: dt.datetime, language: str
) -> Verdict:
    """Examine a document for publication; what hinders it is raised, told in `language`."""
    verdict = await examine(connection, office.pack, document, now=now)
    if not verdict.publishable:
        told = await examine(connection, office.pack, document, now=now, language=language)
        raise InvalidRecord(f"{document['id']} cannot be published as it is", told.findings)
    return verdict


async def _is_in_force(connection: Connection, document: Document) -> bool:
    record = str(document["id"])
    latest = await records.latest_documents(connection, [record])
    return latest.get(record) == canonical(document)


async def _require_base(connection: Connection, draft: Draft) -> None:
    """Refuse a draft of a state that has been overtaken, by publication or by withdrawal."""
    latest = (await records.lock_latest(connection, [draft.record])).get(draft.record)
    if (None if latest is None else latest.leaf) == draft.base:
        return
    if latest is not None and latest.state == "withdrawn":
        raise Conflict(
            "the record was withdrawn since this draft was begun; to file it again, delete this "
            "draft and save it anew with If-None-Match: *"
        )
    raise Conflict(
        "another version was published since this draft was begun; read the record, take "
        "over what changed, delete this draft and save it anew with the record's tag"
    )


def _reviewed_agency(office: Office, actor: Actor, record: str) -> Agency:
    actor.require("review")
    code, _ = split_id(record)
    if not actor.reviews_for(code):
        raise Forbidden(f"this token reviews for {actor.agency}; it cannot review for {code}")
    return local_agency(office, record)


def _submitter(draft: Draft) -> str:
    if draft.state != "in_review" or draft.submitted_by is None:
        raise Conflict("this draft is not in review; its agency is still working on it")
    return draft.submitted_by


def _receipt_of_draft(
    draft: Draft,
    *,
    submitted_at: dt.datetime | None = None,
    returned_at: dt.datetime | None = None,
) -> Receipt:
    return Receipt(
        outcome="in_review" if returned_at is None else "returned",
        id=draft.record,
        tag=draft.tag,
        submitted_at=submitted_at,
        returned_at=returned_at,
    )


async def _receipt_of_latest(connection: Connection, record: str) -> Receipt:
    stored = await records.read(connection, record)
    if stored is None or stored.register.state != "published":
        raise no_draft(record)
    return Receipt(
        outcome="unchanged",
        id=stored.id,
        version=stored.register.version,
        entry=stored.register.entry,
        hash=stored.register.hash,
        published_at=stored.register.published_at,
    )
