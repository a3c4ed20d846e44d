"""Keeping: drafts saved over what is there, many at once, and put into review."""

from __future__ import annotations

import datetime as dt

from registry.errors import Conflict, InvalidRecord
from registry.services import audit
from registry.services.commands import Filing, NewVersion
from registry.services.context import ServiceContext
from registry.services.publishable import check_publishable
from registry.services.receipts import (
    DraftReceipt,
    FilingOutcome,
    Receipt,
    Receipts,
    unchanged_receipt,
)
from registry.services.register_context import RegisterContext
from registry.store import drafts
from registry.store.database import Connection
from registry.store.drafts import Draft
from registry.store.records import CurrentDocument


async def upsert_draft(
    connection: Connection,
    context: ServiceContext,
    around: RegisterContext,
    filing: Filing,
    *,
    now: dt.datetime,
) -> Receipts | Exception:
    """Save a draft over what is there, and put it into review if it is submitted."""
    [step] = filing.steps
    record, draft = filing.record, around.drafts.get(filing.record)
    latest = around.standings.get(record)
    try:
        version = check_publishable(around, filing, step, context.pack, now=now)
    except (Conflict, InvalidRecord) as error:
        return error
    if not isinstance(version, NewVersion):
        await drafts.delete_many(connection, [record])
        return [unchanged_receipt(record, around.standings[record])]
    outcome: FilingOutcome = "changed" if draft is not None else "created"
    if draft is not None and draft.document == version.content.decode():
        outcome = "unchanged"
    else:
        draft = await _save(connection, context, filing, version, draft, latest=latest, now=now)
    if filing.purpose == "draft":
        return [
            DraftReceipt(
                outcome=outcome,
                id=record,
                tag=draft.tag,
                saved_at=draft.saved_at,
                publishable=version.verdict.publishable,
                completeness=version.verdict.completeness,
            )
        ]
    at = draft.submitted_at
    if draft.state == "draft":
        at = now
        await drafts.submit(connection, record, by=filing.actor.name, at=at)
        await audit.note(connection, filing.actor, "submit", record, before=draft.tag, now=at)
    return [Receipt(outcome="in_review", id=record, tag=draft.tag, submitted_at=at)]


async def _save(
    connection: Connection,
    context: ServiceContext,
    filing: Filing,
    version: NewVersion,
    before: Draft | None,
    *,
    latest: CurrentDocument | None,
    now: dt.datetime,
) -> Draft:
    """Write a draft in place of the one before, as if begun now."""
    record = filing.record
    await drafts.delete_many(connection, [record])
    draft = await drafts.save(
        connection,
        Draft(
            record=record,
            agency=filing.agency.id,
            document=version.content.decode(),
            tag=context.random(8).hex(),
            base=None if latest is None else latest.leaf,
            actor=filing.actor.name,
            saved_at=now,
        ),
    )
    await audit.note(
        connection,
        filing.actor,
        "save_draft",
        record,
        before=None if before is None else before.tag,
        now=now,
    )
    return draft
