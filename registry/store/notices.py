"""Notices to members, and the e-mails that go with them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from registry.store.database import Connection, read_row, read_rows, statement

NoticeKind: TypeAlias = Literal[
    "review_waits",
    "reviews_wait",
    "returned",
    "published",
    "review_due",
    "act_waits",
    "act_returned",
    "act_approved",
]


class MemberNotice(msgspec.Struct, frozen=True, kw_only=True):
    """What a member is told of the `subject`, a record, or an agency for what is not of one.

    `about` is the time of the submission or the return, the version that was published, the day on
    which a review is due, or the number of an act. `number` counts what one request has submitted.
    """

    id: int
    kind: NoticeKind
    subject: str
    about: str
    number: int
    made_at: dt.datetime
    read_at: dt.datetime | None


class DueMail(MemberNotice, frozen=True, kw_only=True):
    """A notice that is sent to the member's address, in her language, maybe in a daily digest."""

    member: int
    email: str
    language: str
    daily_digest: bool


_DIGEST_HOUR = dt.timedelta(hours=6)


def next_digest(now: dt.datetime) -> dt.datetime:
    """Return when the next daily digest is due: at six in the morning, UTC.

    >>> next_digest(dt.datetime(2026, 11, 30, 7, tzinfo=dt.UTC)).isoformat()
    '2026-12-01T06:00:00+00:00'
    """
    day = (now.astimezone(dt.UTC) - _DIGEST_HOUR).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + dt.timedelta(days=1) + _DIGEST_HOUR


async def insert(
    connection: Connection,
    kind: NoticeKind,
    subject: str,
    *,
    about: str,
    at: dt.datetime,
    role: str,
    agency: str,
    authority: bool,
    but: int | None,
) -> None:
    """Insert a notice for each member of an agency with a role, and maybe the authority's.

    Nothing is said twice, and nothing to the member `but`, who did it. What a request submits
    together is counted in one notice, which is mailed when nothing more comes.
    """
    given = [kind, subject, about, at, role, agency, authority, but, next_digest(at)]
    await connection.execute(statement("notices", "insert"), *given)


async def insert_due(
    connection: Connection, kind: NoticeKind, *, at: dt.datetime, by: dt.date
) -> None:
    """Notify editors once of the reviews of their agency's records that are due by a day."""
    sql = statement("notices", "insert_due")
    await connection.execute(sql, kind, at, by, next_digest(at))


async def read_all(connection: Connection, member: int, *, limit: int) -> list[MemberNotice]:
    """Return the latest notices of a member, the last first."""
    return await read_rows(connection, MemberNotice, "notices", "of_member", member, limit)


async def count_unread(connection: Connection, member: int) -> int:
    """Return how many notices a member has not read."""
    return int(await connection.fetchval(statement("notices", "unread"), member))


async def mark_read(
    connection: Connection,
    member: int,
    *,
    at: dt.datetime,
    subject: str | None = None,
    about: str | None = None,
    until: int | None = None,
) -> None:
    """Mark a member's notices as read: all, those of a subject, or those up to a number.

    Those `about` one thing are of a subject that has others.

    What has been read is not mailed any more.
    """
    await connection.execute(statement("notices", "mark_read"), member, at, subject, until, about)


async def claim_mail(connection: Connection, now: dt.datetime) -> DueMail | None:
    """Return a notice whose e-mail is due, or None; nobody else gets it for 5 minutes at least."""
    return await read_row(connection, DueMail, "notices", "claim_mail", now)


async def claim_others(
    connection: Connection, notice: DueMail, now: dt.datetime
) -> list[MemberNotice]:
    """Return what else is due for the member of a notice, claimed as that is."""
    given = [now, notice.member, notice.id]
    found = await read_rows(connection, MemberNotice, "notices", "claim_others", *given)
    return sorted(found, key=lambda one: one.id)


async def mark_mailed(connection: Connection, notices: Sequence[int], at: dt.datetime) -> None:
    """Store that the e-mail of some notices was sent."""
    await connection.execute(statement("notices", "mark_mailed"), list(notices), at)


async def give_up_mail(connection: Connection, before: dt.datetime) -> None:
    """Try no more to mail notices that were made before a time."""
    await connection.execute(statement("notices", "give_up_mail"), before)


async def drop_before(connection: Connection, before: dt.datetime) -> None:
    """Delete the notices that were made before a time."""
    await connection.execute(statement("notices", "drop_before"), before)
