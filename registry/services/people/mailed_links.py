"""Links that are mailed to members, by the background runner: to sign in, or for a new address.

Whoever asks for a link gives an address and is answered before anybody looks whose it is, so that
neither the answer nor its time says whether it is a member's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from hashlib import sha256

from registry.errors import InvalidParameter, NotFound
from registry.services.operations import audit_trail, limits
from registry.services.people.access import Actor
from registry.services.people.members import (
    LINK_LIFETIME,
    actor_of,
    digest_of,
    insert_link,
    is_email,
    make_secret,
    replace_email,
)
from registry.store import mail_requests, members
from registry.store.database import Database, retried
from registry.store.mail_requests import MailRequest
from registry.store.members import Member

_KIND = "mails with a link"
_MOST, _WITHIN_MINUTES = 3, 15
"""How many links an address is mailed, or a member asks for, and in how many minutes."""

ADDRESS_LIFETIME = dt.timedelta(days=1)
"""How long the link works that confirms an address."""

_RETENTION = dt.timedelta(days=1)


async def request_link(
    database: Database, email: str, *, client: str, language: str, per_minute: int, now: dt.datetime
) -> None:
    """Note that a link is to be mailed to an address, if it is a member's.

    `client` may ask `per_minute` times. Raises `InvalidParameter` for what is no address, and
    `TooManyRequests`.
    """
    await limits.spend(database, _KIND, client, per_minute=per_minute, now=now)
    email = await _take_address(database, email, is_limited=per_minute > 0, now=now)
    async with database.connection() as connection:
        await mail_requests.insert(connection, "sign_in", email, language=language, now=now)


async def request_address(
    database: Database, by: Actor, email: str, *, language: str, now: dt.datetime
) -> None:
    """Note that a member wants another e-mail address: it is hers once she opens a link sent there.

    Raises `InvalidParameter` for what is no address, and `TooManyRequests`.
    """
    email = await _take_address(database, email, is_limited=True, now=now)
    who = f"by member {by.member}"
    await limits.spend(database, _KIND, who, per_minute=_MOST, minutes=_WITHIN_MINUTES, now=now)
    async with database.connection() as connection:
        await mail_requests.insert(
            connection, "new_address", email, language=language, now=now, member=by.member
        )


async def _take_address(
    database: Database, email: str, *, is_limited: bool, now: dt.datetime
) -> str:
    """Return an address that has the form of one, and take a mail from what it may be sent."""
    email = email.strip()
    if not is_email(email):
        raise InvalidParameter("email: this is no e-mail address")
    who = f"to {sha256(email.lower().encode()).hexdigest()}"
    most = _MOST if is_limited else 0
    await limits.spend(database, _KIND, who, per_minute=most, minutes=_WITHIN_MINUTES, now=now)
    return email


async def read_new_address(
    database: Database, by: Actor, secret: str, *, now: dt.datetime
) -> str | None:
    """Return the address that a link confirms for the member who acts, or None."""
    async with database.connection() as connection:
        return await members.read_address_change(connection, digest_of(secret), by.member or 0, now)


@retried
async def confirm_address(database: Database, by: Actor, secret: str, *, now: dt.datetime) -> str:
    """Set the address that a link confirms as that of the member who acts, and return it.

    Raises `NotFound` for the link of another, or one that has expired.
    """
    email = await read_new_address(database, by, secret, now=now)
    if email is None or by.member is None:
        raise NotFound("this link confirms no address of yours")
    async with database.transaction() as connection:
        await replace_email(connection, by, email, now=now)
    return email


@retried
async def make_links(
    database: Database, asked: MailRequest, *, now: dt.datetime, random: Callable[[int], bytes]
) -> list[tuple[Member, str]]:
    """Make the links that a request asks for: the members, and the secrets, which are mailed.

    The secret is empty in a mail that only tells of something. None where nobody in force is meant,
    or a link was asked for so long ago that nobody waits.
    """
    if asked.kind == "sign_in" and now - asked.made_at >= LINK_LIFETIME:
        return []
    made = []
    async with database.transaction() as connection:
        if asked.member is None:
            meant = await members.read_in_force(connection, asked.email)
        else:
            one = await members.read(connection, asked.member)
            meant = [] if one is None or one.ended_at is not None else [one]
        for member in meant:
            if asked.kind == "address_changed":
                made.append((member, ""))
                continue
            if asked.kind == "new_address":
                secret = make_secret(random)
                digest, until = digest_of(secret), now + ADDRESS_LIFETIME
                await members.insert_address_change(
                    connection, digest, member.id, asked.email, until
                )
            else:
                secret = await insert_link(connection, member.id, now=now, random=random)
            made.append((member, secret))
            actor, subject = actor_of(member), str(member.id)
            await audit_trail.note(connection, actor, "mail_link", subject, before=None, now=now)
    return made


async def drop_links(database: Database, made: Iterable[tuple[Member, str]]) -> None:
    """Delete the links of mails that were not sent, in place of which others are made later."""
    async with database.connection() as connection:
        for _, secret in made:
            await members.take_link(connection, digest_of(secret))


async def forget_expired(database: Database, *, now: dt.datetime) -> None:
    """Delete requests that could not be sent within a day, and addresses not confirmed."""
    async with database.connection() as connection:
        await mail_requests.forget(connection, now - _RETENTION)
        await members.drop_expired_address_changes(connection, now)
