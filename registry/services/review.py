"""Submitting: from a draft to a version that everybody reads, by way of review where it is due."""

from __future__ import annotations

import datetime as dt
from functools import partial

import msgspec

from registry.errors import Conflict, Forbidden, InvalidRecord, InvalidStatement, Unavailable
from registry.record.canonical import canonical
from registry.record.ids import split_id
from registry.record.model import Document
from registry.record.pack import Agency
from registry.record.statements import check_comment
from registry.record.validate import validate
from registry.services import audit, idempotency
from registry.services.access import Actor
from registry.services.commands import Filing, NewVersion, StaleDraft, require_base
from registry.services.context import ServiceContext
from registry.services.drafts import Precondition, draft_not_found, local_agency, own_agency
from registry.services.publication import file_batch
from registry.services.receipts import Receipt, Receipts, run_idempotent, unchanged_receipt
from registry.services.register_context import read_register_context
from registry.store import drafts, records
from registry.store.database import Connection
from registry.store.drafts import Draft

_TRIES = 5


async def submit(
    context: ServiceContext,
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
    filing = Filing(
        record=record,
        agency=own_agency(context, actor, record),
        actor=actor,
        purpose="submit",
        steps=(),
        key=idempotency_key,
        request=f"submit {record}".encode(),
        language=language,
    )
    if context.review == "required":
        into_review = partial(_put_into_review, context, filing, precondition, now=now)
        return await run_idempotent(
            context, actor, filing.key, filing.request, into_review, now=now
        )
    return await _publish(context, filing, precondition, now=now)


async def approve(
    context: ServiceContext,
    actor: Actor,
    record: str,
    *,
    precondition: Precondition | None,
    now: dt.datetime,
    language: str = "en",
    idempotency_key: str | None = None,
) -> Receipt:
    """Publish what is in review, as another than the one who submitted it."""
    filing = Filing(
        record=record,
        agency=_reviewed_agency(context, actor, record),
        actor=actor,
        purpose="approve",
        steps=(),
        key=idempotency_key,
        request=f"approve {record}".encode(),
        language=language,
    )
    return await _publish(context, filing, precondition, now=now)


async def return_draft(
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
    """Give what is in review back to its agency; the statement's `comment` says what to mend."""
    _reviewed_agency(context, actor, record)
    findings = check_comment(statement, context.pack, language)
    if findings:
        raise InvalidStatement("the comment cannot be taken as it is", findings)
    text = canonical(statement["comment"]).decode()

    async def work(connection: Connection) -> Receipt:
        await records.lock_record(connection, record)
        draft = await drafts.lock(connection, record)
        if draft is None:
            raise draft_not_found(record)
        if draft.state == "draft" and (draft.returned_by, draft.comment) == (actor.name, text):
            return _receipt_of_draft(draft, returned_at=draft.returned_at)
        _submitter(draft)
        if precondition is not None:
            precondition.require(draft.tag)
        await drafts.give_back(connection, record, comment=text, by=actor.name, at=now)
        await audit.note(connection, actor, "return", record, before=draft.tag, now=now)
        return _receipt_of_draft(draft, returned_at=now)

    request = f"return {record} {text}".encode()
    return await run_idempotent(context, actor, idempotency_key, request, work, now=now)


async def _put_into_review(
    context: ServiceContext,
    filing: Filing,
    precondition: Precondition | None,
    connection: Connection,
    *,
    now: dt.datetime,
) -> Receipt:
    """Let somebody else look at a draft that could be published as it is."""
    record, actor = filing.record, filing.actor
    await records.lock_record(connection, record)
    draft = await drafts.lock(connection, record)
    if draft is None:
        return await _receipt_of_latest(connection, record)
    if precondition is not None:
        precondition.require(draft.tag)
    if draft.state == "in_review":
        return _receipt_of_draft(draft, submitted_at=draft.submitted_at)
    content = draft.document.encode()
    document = msgspec.json.decode(content)
    around = await read_register_context(connection, [document])
    require_base(draft, around.standings.get(record))
    await audit.note(connection, actor, "submit", record, before=draft.tag, now=now)
    verdict = around.examine(
        document, content, context.pack, context.fast, now=now, language=filing.language
    )
    if not verdict.publishable:
        raise InvalidRecord(
            f"{record} cannot be published as it is", verdict.findings, verdict.findings_total
        )
    if around.is_in_force(record, content):
        await drafts.delete(connection, record)
        return unchanged_receipt(record, around.standings[record])
    await drafts.submit(connection, record, by=actor.name, at=now)
    return _receipt_of_draft(draft, submitted_at=now)


async def _publish(
    context: ServiceContext, filing: Filing, precondition: Precondition | None, *, now: dt.datetime
) -> Receipt:
    """Publish the draft that a filing lacks, together with what others publish at the same time.

    Nobody is kept from changing it meanwhile: if somebody does, this begins anew.
    """
    actor, key, request = filing.actor, filing.key, filing.request
    for _ in range(_TRIES):
        async with context.database.connection() as connection:
            known = await idempotency.find_response(connection, actor, key, request)
            draft = await drafts.read(connection, filing.record)
        if known is not None:
            return msgspec.json.decode(known, type=Receipt)
        if draft is None:
            published = partial(_published_before, filing)
            return await run_idempotent(context, actor, key, request, published, now=now)
        submitter = _other_submitter(actor, draft) if filing.purpose == "approve" else None
        if precondition is not None:
            precondition.require(draft.tag)
        step = _version(context, draft, now=now)
        whole = msgspec.structs.replace(filing, steps=[step], draft=draft, submitter=submitter)
        names = frozenset({filing.record, (actor.token, key or filing.record)})
        try:
            receipts: Receipts = await context.desk.do(
                whole, names, partial(file_batch, context, now=now)
            )
        except StaleDraft:
            continue
        return receipts[0]
    raise Unavailable("too many change the same thing at once; try again in a moment")


def _version(context: ServiceContext, draft: Draft, *, now: dt.datetime) -> NewVersion:
    """Make of a draft the version that it is to become; whether it may is seen to later."""
    content = draft.document.encode()
    document = msgspec.json.decode(content)
    verdict = validate(
        document, profile="publication", pack=context.pack, today=now.date(), fast=context.fast
    )
    return NewVersion(document=document, content=content, verdict=verdict)


async def _published_before(filing: Filing, connection: Connection) -> Receipt:
    """Give the receipt again of what the same actor has published already."""
    if filing.purpose == "approve":
        approver = await records.read_approver(connection, filing.record)
        if approver != filing.actor.name:
            raise draft_not_found(filing.record)
    return await _receipt_of_latest(connection, filing.record)


def _other_submitter(actor: Actor, draft: Draft) -> str:
    """Name who submitted a draft that an actor would approve: somebody else."""
    submitter = _submitter(draft)
    if submitter == actor.name:
        raise Forbidden(
            f"{actor.name} submitted this draft and cannot approve it as well: review takes "
            "four eyes; it is approved by another actor"
        )
    return submitter


def _reviewed_agency(context: ServiceContext, actor: Actor, record: str) -> Agency:
    actor.require("review")
    code, _ = split_id(record)
    if not actor.reviews_for(code):
        raise Forbidden(f"this token reviews for {actor.agency}; it cannot review for {code}")
    return local_agency(context, record)


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
    standing = (await records.read_current(connection, [record])).get(record)
    if standing is None or standing.state != "published":
        raise draft_not_found(record)
    return unchanged_receipt(record, standing)
