"""Notices: what members are told of, in the transaction of what they are told.

| kind                        | told to                                             |
|-----------------------------|-----------------------------------------------------|
| `review_waits`, `act_waits` | reviewers of the agency, and those of the authority |
| `reviews_wait`              | the same, once for what one request has submitted   |
| `returned`, `act_returned`  | editors of the agency                               |
| `published`, `act_approved` | editors of the agency, after a review               |
| `review_due`                | editors of the agency, 30 days before the day       |

Nobody is told of what she did herself. Acts are withdrawals and attestations that take two.
"""

from __future__ import annotations

import datetime as dt

from registry.errors import NotFound
from registry.record.ids import agency_of
from registry.services.context import ServiceContext
from registry.services.people.access import Actor
from registry.store import notices
from registry.store.database import Connection, Database, retried
from registry.store.notices import MemberNotice, NoticeKind

SHOWN = 100
"""Notices on a member's page."""

_FOR_REVIEWERS: frozenset[NoticeKind] = frozenset(("review_waits", "reviews_wait", "act_waits"))
_DUE_WITHIN = dt.timedelta(days=30)
_MAILED_WITHIN = dt.timedelta(days=3)
_RETENTION = dt.timedelta(days=400)


async def tell(
    connection: Connection,
    actor: Actor,
    kind: NoticeKind,
    subject: str,
    *,
    about: str,
    now: dt.datetime,
    agency: str | None = None,
) -> None:
    """Notify members of what an actor did to a subject, a record unless it is of an `agency`."""
    waits = kind in _FOR_REVIEWERS
    await notices.insert(
        connection,
        kind,
        subject,
        about=about,
        at=now,
        role="reviewer" if waits else "editor",
        agency=agency or agency_of(subject),
        authority=waits,
        but=actor.member,
    )


async def tell_submitted(
    connection: Connection,
    actor: Actor,
    record: str,
    *,
    now: dt.datetime,
    request: str | None = None,
) -> None:
    """Notify reviewers of a submission, or once of all that a request has submitted."""
    if request is None:
        await tell(connection, actor, "review_waits", record, about=now.isoformat(), now=now)
        return
    agency = agency_of(record)
    await tell(connection, actor, "reviews_wait", agency, about=request, now=now, agency=agency)


@retried
async def tell_due_reviews(database: Database, *, now: dt.datetime) -> None:
    """Notify editors of records that are to be reviewed within 30 days, or should have been."""
    async with database.transaction() as connection:
        await notices.insert_due(connection, "review_due", at=now, by=(now + _DUE_WITHIN).date())


async def list_notices(context: ServiceContext, actor: Actor) -> list[MemberNotice]:
    """Return the latest notices of the member who acts, the last first."""
    member = _member(actor)
    async with context.database.connection() as connection:
        return await notices.read_all(connection, member, limit=SHOWN)


async def count_unread(context: ServiceContext, actor: Actor) -> int:
    """Return how many notices the member who acts has not read; 0 for a token."""
    if actor.member is None:
        return 0
    async with context.database.connection() as connection:
        return await notices.count_unread(connection, actor.member)


@retried
async def mark_read(
    context: ServiceContext,
    actor: Actor,
    *,
    now: dt.datetime,
    subject: str | None = None,
    about: str | None = None,
    until: int | None = None,
) -> None:
    """Mark notices of the member who acts as read: all, or of a subject, or up to a number."""
    member = _member(actor)
    async with context.database.transaction() as connection:
        await notices.mark_read(
            connection, member, at=now, subject=subject, about=about, until=until
        )


async def delete_expired(database: Database, *, now: dt.datetime) -> None:
    """Stop mailing what could not be sent for 3 days, and delete notices of 400 days ago."""
    async with database.transaction() as connection:
        await notices.give_up_mail(connection, now - _MAILED_WITHIN)
        await notices.drop_before(connection, now - _RETENTION)


def _member(actor: Actor) -> int:
    if actor.member is None:
        raise NotFound("notices are a member's, and this token is of none")
    return actor.member
