"""What waits for review, with what it would change: for those who may review it."""

from __future__ import annotations

import datetime as dt

import msgspec

from registry.record.validate import Verdict
from registry.services.access import Actor, person_of
from registry.services.context import ServiceContext
from registry.services.drafts import draft_not_found, list_drafts, read_draft
from registry.store import records
from registry.store.drafts import Draft
from registry.store.records import CurrentDocument


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


class ReviewedDraft(WaitingDraft, frozen=True, kw_only=True):
    """A draft in review with its verdict."""

    verdict: Verdict


async def read_queue(context: ServiceContext, actor: Actor) -> list[WaitingDraft]:
    """Return the drafts that wait for the actor's review, the one that waits longest first."""
    actor.require("review")
    waiting = await list_drafts(context, actor, state="in_review")
    async with context.database.connection() as connection:
        current = await records.read_current(connection, [one.record for one in waiting])
    waiting.sort(key=lambda one: (one.submitted_at or one.saved_at, one.record))
    return [
        WaitingDraft(draft=one, current=current.get(one.record), is_own=submitted_by(actor, one))
        for one in waiting
    ]


async def read_review(
    context: ServiceContext, actor: Actor, record: str, *, now: dt.datetime, language: str
) -> ReviewedDraft:
    """Return a draft that waits for the actor's review; any other is not found."""
    agency = record.partition("/")[0]
    if not actor.reviews_for(agency):
        raise draft_not_found(record)
    saved = await read_draft(context, actor, record, now=now, language=language)
    if saved.draft.state != "in_review":
        raise draft_not_found(record)
    async with context.database.connection() as connection:
        current = await records.read_current(connection, [record])
    return ReviewedDraft(
        draft=saved.draft,
        current=current.get(record),
        is_own=submitted_by(actor, saved.draft),
        verdict=saved.verdict,
    )


def submitted_by(actor: Actor, draft: Draft) -> bool:
    """Return whether it was this person who submitted a draft."""
    submitter = draft.submitted_person or person_of(draft.submitted_by or "")
    return actor.person == submitter
