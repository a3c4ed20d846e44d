"""Filing documents over what is there, in groups: as drafts, into review, or published."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial
from typing import Literal

import msgspec

from registry.record.pack import Agency
from registry.record.validate import with_remarks
from registry.services import audit
from registry.services.access import Actor
from registry.services.context import ServiceContext
from registry.services.drafts import require_not_in_review, write_draft
from registry.services.pipeline import execute_group, execute_in
from registry.services.publication import Publish
from registry.services.receipts import DraftReceipt, FilingOutcome, Receipt, unchanged_receipt
from registry.services.register_context import CheckedDocument, read_register_context
from registry.store import drafts
from registry.store.database import Connection
from registry.text.catalogues import SOURCE


class Filing(msgspec.Struct, frozen=True, kw_only=True):
    """A document that an actor files over what is there: as a draft, or to be published."""

    actor: Actor
    agency: Agency
    purpose: Literal["draft", "submit"]
    made: CheckedDocument
    language: str = SOURCE

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
        if one.purpose == "draft" or context.review == "required":
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


async def _save_over(
    connection: Connection, context: ServiceContext, filing: Filing, *, now: dt.datetime
) -> Receipt:
    """Save a draft over what is there, as if begun now; submitted, it goes into review.

    The caller has locked the record.
    """
    record, actor, content = filing.record, filing.actor, filing.made.content
    draft = await drafts.lock(connection, record)
    around = await read_register_context(connection, filing.made.document)
    if draft is not None:
        require_not_in_review(draft, content)
    submits = filing.purpose == "submit"
    if submits:
        if around.current is not None and around.is_in_force(content):
            await drafts.delete(connection, record)
            return unchanged_receipt(record, around.current)
        around.publishable(filing.made, context.pack, now.date(), filing.language)
    outcome: FilingOutcome = "changed" if draft is not None else "created"
    if draft is not None and draft.document == content.decode():
        outcome = "unchanged"
    else:
        tag = None if draft is None else draft.tag
        base = None if around.current is None else around.current.leaf
        await drafts.delete(connection, record)
        draft = await write_draft(connection, context, actor, record, content, base=base, now=now)
        await audit.note(connection, actor, "save_draft", record, before=tag, now=now)
    if submits:
        at = draft.submitted_at
        if draft.state == "draft":
            at = now
            await drafts.submit(connection, record, by=actor.name, at=at)
            await audit.note(connection, actor, "submit", record, before=draft.tag, now=at)
        return Receipt(outcome="in_review", id=record, tag=draft.tag, submitted_at=at)
    remarks = around.remarks(filing.made.document, content, context.pack)
    verdict = with_remarks(filing.made.verdict, remarks, context.pack, SOURCE)
    return DraftReceipt(
        outcome=outcome,
        id=record,
        tag=draft.tag,
        saved_at=draft.saved_at,
        publishable=verdict.publishable,
        completeness=verdict.completeness,
    )
