"""Review: drafts are submitted, wait, and are approved or returned by another person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import partial
from hashlib import sha256

import msgspec

from registry.errors import InvalidStatement
from registry.record.canonical import canonical
from registry.record.ids import agency_of
from registry.record.model import NOT_STATED, Document, LangText
from registry.record.statements import check_comment
from registry.record.validate import Verdict
from registry.services import policy
from registry.services.context import ServiceContext
from registry.services.filing import idempotency
from registry.services.filing.drafts import (
    Precondition,
    draft_not_found,
    list_drafts,
    own_agency,
    read_draft,
    receipt_of_latest,
    require_base,
    require_own_draft,
    submitter_of,
)
from registry.services.filing.pipeline import execute
from registry.services.filing.publication import Publish
from registry.services.filing.receipts import Receipt, unchanged_receipt
from registry.services.filing.register_context import check_draft, read_register_context
from registry.services.operations import audit_trail
from registry.services.people import notices
from registry.services.people.access import Actor
from registry.services.people.four_eyes import ReviewRefusal, find_refusal, submitting_person
from registry.store import drafts, records
from registry.store.database import Connection, retried
from registry.store.drafts import Draft
from registry.store.records import CurrentDocument


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
    agency = own_agency(context, actor, record)
    request = f"submit {record}".encode()
    if context.takes_review:
        work = partial(
            _put_into_review,
            context=context,
            actor=actor,
            record=record,
            precondition=precondition,
            language=language,
            now=now,
        )
        return await idempotency.run_once(
            context, actor, idempotency_key, request, work, Receipt, now=now
        )
    command = Publish(
        actor=actor,
        subject=record,
        agency=agency,
        purpose="submit",
        precondition=precondition,
        request=request,
        key=idempotency_key,
        language=language,
    )
    return await execute(context, command, now=now)


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
    command = Publish(
        actor=actor,
        subject=record,
        agency=own_agency(context, actor, record, "review"),
        purpose="approve",
        precondition=precondition,
        request=f"approve {record}".encode(),
        key=idempotency_key,
        language=language,
    )
    return await execute(context, command, now=now)


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
    """Return what is in review to its agency.

    The statement's `comment` says what to mend, its `comments` the same field by field.
    """
    own_agency(context, actor, record, "review")
    findings = check_comment(statement, context.pack, language)
    if findings:
        raise InvalidStatement("the comment cannot be taken as it is", findings)
    text, by_field = (_kept(statement.get(name)) for name in ("comment", "comments"))

    async def work(connection: Connection) -> Receipt:
        await records.lock_record(connection, record)
        draft = await drafts.lock(connection, record)
        if draft is None:
            raise draft_not_found(record)
        known = (draft.returned_by, draft.comment, draft.comments)
        if draft.state == "draft" and known == (actor.name, text, by_field):
            return _receipt_of_draft(draft, returned_at=draft.returned_at)
        submitter_of(draft)
        if precondition is not None:
            precondition.require(draft.tag)
        await drafts.give_back(
            connection, record, comment=text, comments=by_field, by=actor.name, at=now
        )
        await audit_trail.note(connection, actor, "return", record, before=draft.tag, now=now)
        await notices.tell(connection, actor, "returned", record, about=now.isoformat(), now=now)
        return _receipt_of_draft(draft, returned_at=now)

    request = f"return {record} {text}{by_field or ''}".encode()
    return await idempotency.run_once(
        context, actor, idempotency_key, request, work, Receipt, now=now
    )


@retried
async def take_back(
    context: ServiceContext, actor: Actor, record: str, *, now: dt.datetime
) -> None:
    """Take an agency's own draft back from review, as it is.

    Raises `Conflict` where it is not in review.
    """
    require_own_draft(actor, record)
    async with context.database.transaction() as connection:
        await records.lock_record(connection, record)
        draft = await drafts.lock(connection, record)
        if draft is None:
            raise draft_not_found(record)
        submitter_of(draft)
        await drafts.take_back(connection, record)
        await audit_trail.note(connection, actor, "take_back", record, before=draft.tag, now=now)


def comments_of(draft: Draft) -> dict[str, str | LangText]:
    """Return what the latest return of a draft said of its fields, by JSON Pointer."""
    return {} if draft.comments is None else msgspec.json.decode(draft.comments)


def _kept(said: object) -> str | None:
    """Return a comment, or comments, as the draft keeps it; None where nothing is said."""
    return canonical(said).decode() if said else None


async def _put_into_review(
    connection: Connection,
    *,
    context: ServiceContext,
    actor: Actor,
    record: str,
    precondition: Precondition | None,
    language: str,
    now: dt.datetime,
) -> Receipt:
    """Put a draft into review that could be published as it is."""
    await records.lock_record(connection, record)
    draft = await drafts.lock(connection, record)
    if draft is None:
        return await receipt_of_latest(connection, record)
    if precondition is not None:
        precondition.require(draft.tag)
    if draft.state == "in_review":
        return _receipt_of_draft(draft, submitted_at=draft.submitted_at)
    made = await check_draft(draft, context, context.pack.day(now))
    register_context = await read_register_context(connection, made.document)
    require_base(draft, register_context.current)
    await audit_trail.note(connection, actor, "submit", record, before=draft.tag, now=now)
    if register_context.current is not None and register_context.is_in_force(made.content):
        await drafts.delete(connection, record)
        return unchanged_receipt(record, register_context.current)
    await register_context.publishable(made, context, context.pack.day(now), language)
    await drafts.submit(connection, record, by=actor.name, person=actor.person, at=now)
    await notices.tell_submitted(connection, actor, record, now=now)
    return _receipt_of_draft(draft, submitted_at=now)


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


class _Risk(msgspec.Struct):
    level: str = NOT_STATED


class _Levelled(msgspec.Struct):
    risk: _Risk = msgspec.field(default_factory=_Risk)


class WaitingDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A draft in review, and the published version that it would follow.

    `current` is None for a new record; a record that was withdrawn has its last version. `is_own`
    says that the actor has submitted it, and so cannot approve it.
    """

    draft: Draft
    current: CurrentDocument | None
    is_own: bool

    @property
    def before(self) -> bytes:
        """The document that the draft is compared with, an empty one for a new record."""
        return b"{}" if self.current is None else self.current.document

    @property
    def since(self) -> dt.datetime:
        """Since when it waits."""
        return self.draft.submitted_at or self.draft.saved_at

    @property
    def levels(self) -> tuple[str, str]:
        """The risk levels, of the version before and of the draft."""
        before, after = (
            msgspec.json.decode(document, type=_Levelled).risk.level
            for document in (self.before, self.draft.document)
        )
        return before, after


class ReviewedDraft(WaitingDraft, frozen=True, kw_only=True):
    """A draft in review with its verdict; `refusal` says why the actor may not approve it."""

    verdict: Verdict
    refusal: ReviewRefusal | None


async def read_queue(context: ServiceContext, actor: Actor) -> list[WaitingDraft]:
    """Return the drafts that wait for the actor's review, the one that waits longest first."""
    policy.require_scope(actor, "review")
    waiting = await list_drafts(context, actor, state="in_review")
    async with context.database.connection() as connection:
        current = await records.read_current(connection, [one.record for one in waiting])
    found = [
        WaitingDraft(
            draft=one,
            current=current.get(one.record),
            is_own=submitting_person(one) == actor.person,
        )
        for one in waiting
    ]
    return sorted(found, key=lambda one: (one.since, one.draft.record))


_MOST_COUNTED = 10_000
_COUNTED: dict[tuple[bytes, dt.date], int] = {}
"""Findings of publishing drafts, by their documents and the day."""


async def count_findings(
    context: ServiceContext, waiting: Iterable[WaitingDraft], *, now: dt.datetime
) -> dict[str, int]:
    """Return how many findings publishing each draft has, by record.

    What was counted today of a draft that has not changed is not counted again.
    """
    counted = {}
    for one in waiting:
        key = sha256(one.draft.document.encode()).digest(), context.pack.day(now)
        if key not in _COUNTED:
            checked = await check_draft(one.draft, context, context.pack.day(now))
            _COUNTED[key] = checked.verdict.findings_total
            if len(_COUNTED) > _MOST_COUNTED:
                del _COUNTED[next(iter(_COUNTED))]
        counted[one.draft.record] = _COUNTED[key]
    return counted


async def read_review(
    context: ServiceContext, actor: Actor, record: str, *, now: dt.datetime, language: str
) -> ReviewedDraft:
    """Return a draft that waits for the actor's review; any other is not found."""
    if not policy.allows(actor, "review", agency_of(record)):
        raise draft_not_found(record)
    saved = await read_draft(context, actor, record, now=now, language=language)
    if saved.draft.state != "in_review":
        raise draft_not_found(record)
    document = msgspec.json.decode(saved.draft.document)
    async with context.database.connection() as connection:
        register_context = await read_register_context(connection, document)
        refusal = await find_refusal(
            connection,
            actor,
            asked_by=submitting_person(saved.draft),
            review=context.review,
            risks=register_context.risks(document),
        )
    return ReviewedDraft(
        draft=saved.draft,
        current=register_context.current,
        is_own=refusal == "oneself",
        verdict=saved.verdict,
        refusal=refusal,
    )
