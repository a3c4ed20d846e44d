"""Submitting: from a draft to a version that everybody reads, by way of review where it is due."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from registry.errors import Conflict, Forbidden, InvalidRecord, InvalidStatement
from registry.office import answers, audit
from registry.office.examining import surroundings
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
    from registry.office.examining import Surroundings
    from registry.office.filing import Office, Precondition
    from registry.record.model import Document
    from registry.record.pack import Agency
    from registry.record.validate import Verdict
    from registry.store.database import Connection
    from registry.store.drafts import Draft
    from registry.store.records import Standing

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
        await _take_turns(connection, record, agency)
        draft = await drafts.lock(connection, record)
        if draft is None:
            return await _receipt_of_latest(connection, record)
        if precondition is not None:
            precondition.require(draft.tag)
        if office.review == "required" and draft.state == "in_review":
            return _receipt_of_draft(draft, submitted_at=draft.submitted_at)
        content = draft.document.encode()
        document = msgspec.json.decode(content)
        around = await surroundings(connection, office, [document])
        _require_base(draft, around)
        await audit.note(connection, actor, "submit", record, before=draft.tag, now=now)
        verdict = _verdict(around, office, document, content, now=now, language=language)
        if office.review == "required" and not around.is_in_force(record, content):
            await drafts.submit(connection, record, by=actor.name, at=now)
            return _receipt_of_draft(draft, submitted_at=now)
        await drafts.delete(connection, record)
        publication = Publication(
            document=document, agency=agency, actor=actor.name, verdict=verdict
        )
        return await _publish(connection, office, publication, content, around, now=now)

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
        await _take_turns(connection, record, agency)
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
        content = draft.document.encode()
        document = msgspec.json.decode(content)
        around = await surroundings(connection, office, [document])
        _require_base(draft, around)
        await audit.note(connection, actor, "approve", record, before=draft.tag, now=now)
        publication = Publication(
            document=document,
            agency=agency,
            actor=submitter,
            verdict=_verdict(around, office, document, content, now=now, language=language),
            approved_by=actor.name,
        )
        await drafts.delete(connection, record)
        return await _publish(connection, office, publication, content, around, now=now)

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
) -> Receipt:
    """Publish one complete document inside the caller's transaction, unless nothing changed.

    A refusal is told in `language`; what is kept with the version, in English.
    """
    await _take_turns(connection, str(document["id"]), agency)
    content = canonical(document)
    around = await surroundings(connection, office, [document])
    verdict = _verdict(around, office, document, content, now=now, language=language)
    publication = Publication(document=document, agency=agency, actor=actor, verdict=verdict)
    return await _publish(connection, office, publication, content, around, now=now)


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


async def _take_turns(connection: Connection, record: str, agency: Agency) -> None:
    # Two records of one agency must not take the same source_id at once.
    await records.take_turns(connection, [record, agency.id])


async def _publish(
    connection: Connection,
    office: Office,
    publication: Publication,
    content: bytes,
    around: Surroundings,
    *,
    now: dt.datetime,
) -> Receipt:
    """Publish what may be, with the records' turns taken, unless it is in force already."""
    if around.is_in_force(publication.id, content):
        return unchanged(publication.id, around.standings[publication.id])
    [published] = await publish(
        connection, [publication], now=now, random=office.random, standing=around.standings
    )
    return Receipt(outcome="published", **msgspec.structs.asdict(published))


def _verdict(
    around: Surroundings,
    office: Office,
    document: Document,
    content: bytes,
    *,
    now: dt.datetime,
    language: str,
) -> Verdict:
    """Examine a document for publication; what hinders it is raised, told in `language`."""
    verdict = around.examine(document, content, office.pack, now=now)
    if not verdict.publishable:
        told = around.examine(document, content, office.pack, now=now, language=language)
        raise InvalidRecord(f"{document['id']} cannot be published as it is", told.findings)
    return verdict


def _require_base(draft: Draft, around: Surroundings) -> None:
    """Refuse a draft of a state that has been overtaken, by publication or by withdrawal."""
    latest = around.standings.get(draft.record)
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
    standing = (await records.read_standings(connection, [record])).get(record)
    if standing is None or standing.state != "published":
        raise no_draft(record)
    return unchanged(record, standing)


def unchanged(record: str, standing: Standing) -> Receipt:
    """Say that a record stands as it was to be."""
    return Receipt(
        outcome="unchanged",
        id=record,
        version=standing.version,
        entry=standing.entry,
        hash=standing.leaf.hex(),
        published_at=standing.published_at,
    )
