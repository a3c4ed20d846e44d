"""Keeping: drafts saved over what is there, many at once, and put into review."""

from __future__ import annotations

import datetime as dt

from registry.errors import Conflict, InvalidRecord
from registry.office import audit
from registry.office.examining import Surroundings
from registry.office.filing import Office
from registry.office.judging import judge
from registry.office.receipts import DraftReceipt, Outcome, Receipt, Receipts, unchanged
from registry.office.steps import Filing, Version
from registry.store import drafts
from registry.store.database import Connection
from registry.store.drafts import Draft
from registry.store.records import Standing


async def keep(
    connection: Connection,
    office: Office,
    around: Surroundings,
    filing: Filing,
    *,
    now: dt.datetime,
) -> Receipts | Exception:
    """Save a draft over what is there, and put it into review if it is submitted."""
    [step] = filing.steps
    record, draft = filing.record, around.drafts.get(filing.record)
    latest = around.standings.get(record)
    try:
        version = judge(around, filing, step, office.pack, now=now)
    except (Conflict, InvalidRecord) as error:
        return error
    if not isinstance(version, Version):
        await drafts.delete_many(connection, [record])
        return [unchanged(record, around.standings[record])]
    outcome: Outcome = "changed" if draft is not None else "created"
    if draft is not None and draft.document == version.content.decode():
        outcome = "unchanged"
    else:
        draft = await _save(connection, office, filing, version, draft, latest=latest, now=now)
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
    office: Office,
    filing: Filing,
    version: Version,
    before: Draft | None,
    *,
    latest: Standing | None,
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
            tag=office.random(8).hex(),
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
