"""Sessions of the console: begun by signing in, recognised by a secret, ended.

A session ends 30 minutes after it was last used, unless its member asked for the whole day, 10
hours after it began, by signing out, and with its member or a role of hers. One that was idle for
30 minutes is stale: for what is for ever its member signs in again. Of its secret, 256 random bits,
only the SHA-256 is kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import msgspec

from registry.services.operations import audit_trail
from registry.services.people.access import Actor
from registry.services.people.members import actor_of, digest_of, make_secret, redeem_link
from registry.store import members, sessions
from registry.store.database import Connection, Database, retried
from registry.store.members import Member
from registry.store.sessions import StoredSession

IDLE = dt.timedelta(minutes=30)
LONGEST = dt.timedelta(hours=10)
KEPT = dt.timedelta(hours=1)
"""For how long what was typed is kept after a session has ended."""

_FORGOTTEN = dt.timedelta(days=1)
_SEEN_AGAIN = dt.timedelta(minutes=1)
_MOST_KEPT = 512 * 2**10
_Fields = list[tuple[str, str]]


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What the next page says once: an English wording of the catalogues, and its values."""

    wording: str
    values: dict[str, str] = {}


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A session in force, with its member and the actor that she is."""

    digest: bytes
    member: Member
    actor: Actor
    notice: Notice | None
    whole_day: bool
    is_stale: bool


@retried
async def sign_in_by_link(
    database: Database,
    secret: str,
    *,
    replaced: str | None,
    now: dt.datetime,
    random: Callable[[int], bytes],
    request: str = "",
    whole_day: bool = False,
) -> tuple[Member, str]:
    """Use up a link; return whom it signs in and the secret of the new session.

    `replaced` is the secret of a session that the browser had, which ends. Raises `Unauthorized`
    where the link signs in nobody.
    """
    async with database.transaction() as connection:
        member = await redeem_link(connection, secret, now=now, request=request)
        made = await begin(
            connection, member, replaced=replaced, now=now, random=random, whole_day=whole_day
        )
    return member, made


async def begin(
    connection: Connection,
    member: Member,
    *,
    replaced: str | None,
    now: dt.datetime,
    random: Callable[[int], bytes],
    whole_day: bool = False,
) -> str:
    """Begin a session of a member who has just shown who she is; return its secret."""
    if replaced is not None:
        await sessions.end(connection, digest_of(replaced), now)
    secret = make_secret(random)
    await sessions.insert(connection, digest_of(secret), member.id, now, whole_day=whole_day)
    return secret


async def recognise(
    database: Database, secret: str, *, now: dt.datetime, request: str = ""
) -> Session | None:
    """Return the session of a secret and note its use, or None where none is in force."""
    digest = digest_of(secret)
    async with database.connection() as connection:
        stored = await sessions.read(connection, digest)
        if stored is None or not _is_in_force(stored, now):
            return None
        member = await members.read(connection, stored.member)
        if member is None or member.ended_at is not None:
            return None
        was_idle = now - stored.seen_at >= IDLE
        if now - stored.seen_at >= _SEEN_AGAIN:
            await sessions.mark_seen(connection, digest, now, is_stale=was_idle)
    return Session(
        digest=digest,
        member=member,
        actor=actor_of(member, request=request),
        notice=None if stored.notice is None else msgspec.json.decode(stored.notice, type=Notice),
        whole_day=stored.whole_day,
        is_stale=stored.is_stale or was_idle,
    )


async def notify(database: Database, session: Session, notice: Notice | None) -> None:
    """Set what the next page of a session says, or that it says nothing."""
    text = None if notice is None else msgspec.json.encode(notice).decode()
    async with database.connection() as connection:
        await sessions.set_notice(connection, session.digest, text)


async def keep_whole_day(database: Database, session: Session, *, whole_day: bool) -> None:
    """Set whether a session goes on when it is not used for 30 minutes."""
    async with database.connection() as connection:
        await sessions.set_whole_day(connection, session.digest, whole_day=whole_day)


@retried
async def sign_out(database: Database, session: Session, *, now: dt.datetime) -> None:
    """End a session."""
    async with database.transaction() as connection:
        await sessions.end(connection, session.digest, now)
        subject = str(session.member.id)
        await audit_trail.note(connection, session.actor, "sign_out", subject, before=None, now=now)


async def keep_form(
    database: Database,
    ended: str,
    address: str,
    fields: Sequence[tuple[str, str]],
    *,
    now: dt.datetime,
    random: Callable[[int], bytes],
) -> str | None:
    """Keep the fields that came after the session of the secret `ended` had ended.

    Return the secret by which their author gets them back at the page `address`, None where they
    are of nobody who was signed in, or too many.
    """
    text = msgspec.json.encode(list(fields)).decode()
    if len(text) > _MOST_KEPT:
        return None
    async with database.connection() as connection:
        stored = await sessions.read(connection, digest_of(ended))
        if stored is None or stored.begun_at < now - _FORGOTTEN:
            return None
        secret = make_secret(random)
        await sessions.keep_form(
            connection,
            digest_of(secret),
            member=stored.member,
            address=address,
            fields=text,
            now=now,
        )
    return secret


async def kept_address(
    database: Database, secret: str, member: Member, *, now: dt.datetime
) -> str | None:
    """Return the page where a member's kept fields wait for her, if any do."""
    async with database.connection() as connection:
        return await sessions.read_kept_address(
            connection, digest_of(secret), member.id, since=now - KEPT
        )


async def take_form(
    database: Database, secret: str, member: Member, address: str, *, now: dt.datetime
) -> _Fields | None:
    """Return the fields kept for a member at a page, once."""
    async with database.connection() as connection:
        kept = await sessions.take_form(connection, digest_of(secret), member.id, address)
    if kept is None or kept.kept_at <= now - KEPT:
        return None
    return msgspec.json.decode(kept.fields, type=_Fields)


async def forget_expired(database: Database, *, now: dt.datetime) -> None:
    """Delete sessions a day after they began, and what was kept an hour ago."""
    async with database.connection() as connection:
        await sessions.forget(connection, sessions_before=now - _FORGOTTEN, forms_before=now - KEPT)


async def share_secret(database: Database, random: Callable[[int], bytes]) -> str:
    """Return what signs the tokens of forms, the same for all workers and machines."""
    async with database.connection() as connection:
        return (await sessions.share_secret(connection, random(32))).hex()


def _is_in_force(stored: StoredSession, now: dt.datetime) -> bool:
    is_used = stored.whole_day or now - stored.seen_at < IDLE
    return stored.ended_at is None and is_used and now - stored.begun_at < LONGEST
