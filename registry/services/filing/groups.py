"""Filing documents over what is there, in groups: as drafts, into review, or published."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial
from typing import Literal

import msgspec

from registry.record.canonical import canonical
from registry.record.model import Document
from registry.record.pack import Agency
from registry.record.validate import with_remarks
from registry.services.context import ServiceContext
from registry.services.filing import idempotency
from registry.services.filing.drafts import (
    Precondition,
    check_precondition,
    own_agency,
    require_id,
    require_not_in_review,
    require_stated,
    write_draft,
)
from registry.services.filing.pipeline import execute_group, execute_in
from registry.services.filing.publication import Publish
from registry.services.filing.receipts import (
    DraftReceipt,
    FilingOutcome,
    Receipt,
    unchanged_receipt,
)
from registry.services.filing.register_context import (
    CheckedDocument,
    check_document,
    read_register_context,
)
from registry.services.operations import audit_trail
from registry.services.people import notices
from registry.services.people.access import Actor
from registry.store import drafts, records
from registry.store.database import Connection
from registry.text.catalogues import SOURCE


class Filing(msgspec.Struct, frozen=True, kw_only=True):
    """A document that an actor files over what is there: as a draft, or to be published.

    `request` is the time of the one that files several; reviewers are told of them together.
    """

    actor: Actor
    agency: Agency
    purpose: Literal["draft", "submit"]
    made: CheckedDocument
    language: str = SOURCE
    request: str | None = None

    @property
    def record(self) -> str:
        """The record's id."""
        return str(self.made.document["id"])


async def file_group(
    context: ServiceContext, filings: Sequence[Filing], *, now: dt.datetime
) -> list[Receipt | Exception]:
    """File documents of different records; return for each its receipt or its error."""
    works = []
    for one in filings:
        if one.purpose == "draft" or context.takes_review:
            work = partial(_save_over, context=context, filing=one, now=now)
        else:
            command = Publish(
                actor=one.actor,
                subject=one.record,
                agency=one.agency,
                purpose="submit",
                given=one.made,
                language=one.language,
            )
            work = partial(execute_in, context=context, command=command, now=now)
        works.append(work)
    return await execute_group(context, [one.record for one in filings], works)


async def publish_one(
    context: ServiceContext,
    actor: Actor,
    record: str,
    document: Document,
    *,
    precondition: Precondition | None,
    now: dt.datetime,
    language: str = SOURCE,
    idempotency_key: str | None = None,
) -> Receipt:
    """Save a document and submit it, in one transaction: nothing is kept of one that is refused.

    Where review is required it goes into review. Sending again what is in force as it stands,
    because the answer was lost, gives the receipt of its version.
    """
    agency = own_agency(context, actor, record)
    require_id(document, record, context.pack, context.pack.day(now), language)
    made = await context.examine(
        len(canonical(document)),
        check_document,
        document,
        profile="publication",
        pack=context.pack,
        today=context.pack.day(now),
        fast=context.fast,
        language=language,
    )
    filing = Filing(actor=actor, agency=agency, purpose="submit", made=made, language=language)
    stated = require_stated(precondition)

    async def work(connection: Connection) -> Receipt:
        await records.lock_record(connection, record)
        draft = await drafts.lock(connection, record)
        current = (await records.read_current(connection, [record])).get(record)
        same = draft is not None and draft.document == made.content.decode()
        in_force = current is not None and current.state == "published"
        if not same and not (in_force and current and current.document == made.content):
            check_precondition(stated, draft, current)
        if context.takes_review:
            return await _save_over(connection, context=context, filing=filing, now=now)
        command = Publish(
            actor=actor,
            subject=record,
            agency=agency,
            purpose="submit",
            given=made,
            language=language,
        )
        return await execute_in(connection, context, command, now=now)

    request = b"publish " + made.content
    return await idempotency.run_once(
        context, actor, idempotency_key, request, work, Receipt, now=now
    )


async def _save_over(
    connection: Connection, context: ServiceContext, filing: Filing, *, now: dt.datetime
) -> Receipt:
    """Save a draft over what is there, as if begun now; submitted, it goes into review.

    The caller has locked the record.
    """
    record, actor, content = filing.record, filing.actor, filing.made.content
    draft = await drafts.lock(connection, record)
    register_context = await read_register_context(connection, filing.made.document)
    if draft is not None:
        require_not_in_review(draft, content)
    submits = filing.purpose == "submit"
    if submits:
        if register_context.current is not None and register_context.is_in_force(content):
            await drafts.delete(connection, record)
            return unchanged_receipt(record, register_context.current)
        await register_context.publishable(
            filing.made, context, context.pack.day(now), filing.language
        )
    outcome: FilingOutcome = "changed" if draft is not None else "created"
    if draft is not None and draft.document == content.decode():
        outcome = "unchanged"
    else:
        tag = None if draft is None else draft.tag
        base = None if register_context.current is None else register_context.current.leaf
        await drafts.delete(connection, record)
        draft = await write_draft(connection, context, actor, record, content, base=base, now=now)
        await audit_trail.note(connection, actor, "save_draft", record, before=tag, now=now)
    if submits:
        at = draft.submitted_at
        if draft.state == "draft":
            at = now
            await drafts.submit(connection, record, by=actor.name, person=actor.person, at=at)
            await audit_trail.note(connection, actor, "submit", record, before=draft.tag, now=at)
            await notices.tell_submitted(connection, actor, record, request=filing.request, now=at)
        return Receipt(outcome="in_review", id=record, tag=draft.tag, submitted_at=at)
    remarks = register_context.remarks(filing.made.document, content, context.pack)
    verdict = with_remarks(filing.made.verdict, remarks, context.pack, SOURCE)
    return DraftReceipt(
        outcome=outcome,
        id=record,
        tag=draft.tag,
        saved_at=draft.saved_at,
        publishable=verdict.publishable,
        completeness=verdict.completeness,
    )
