"""Members: invited, signed in by links that work once, given roles, ended.

A link's secret is 256 random bits; only its SHA-256 is kept. Who manages members is the operator at
the command line, a register admin, or an agency admin for the own agency; for anybody else, and for
the members of other agencies, the answer is the same as if there were none.
"""

from __future__ import annotations

import datetime as dt
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Sequence
from hashlib import sha256
from unicodedata import normalize

import msgspec

from registry.errors import Conflict, Forbidden, InvalidParameter, NotFound, Unauthorized
from registry.record.ids import is_foreign_agency
from registry.record.pack import Pack
from registry.services import policy
from registry.services.operations import audit_trail
from registry.services.people.access import OPERATOR, Actor
from registry.store import mail_requests, members, sessions
from registry.store.database import Connection, Database, retried
from registry.store.members import Member
from registry.text.text_safety import first_problem

LINK_LIFETIME = dt.timedelta(minutes=15)
SECRET_BYTES = 32

_OF_AN_AGENCY = {"editor", "agency_admin"}
_AUTHORITY = "authority"
_LONGEST_NAME = 120
_LONGEST_EMAIL = 254
_PART = r"[^\s@<>\"(),;:\\\[\]\x00-\x1f\x7f-\x9f]+"
_EMAIL = re.compile(rf"{_PART}@{_PART}\.{_PART}")


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """A member's number, and the secret of the link that signs her in, which is shown once.

    `language` is the member's.
    """

    member: int
    language: str
    secret: str
    expires_at: dt.datetime


def actor_of(member: Member, *, request: str = "") -> Actor:
    """Return the actor of a member: the log names the agency or the authority, never a person."""
    return Actor(
        name=member.agency or _AUTHORITY,
        agency=member.agency,
        scopes=policy.scopes_of(member.roles),
        token=None,
        request=request,
        member=member.id,
        roles=frozenset(member.roles),
    )


def is_email(text: str) -> bool:
    """Return whether a text has the form of an e-mail address."""
    return len(text) <= _LONGEST_EMAIL and _EMAIL.fullmatch(text) is not None


def digest_of(secret: str) -> bytes:
    """Return what is kept of a secret."""
    return sha256(secret.encode()).digest()


def make_secret(random: Callable[[int], bytes]) -> str:
    """Return 256 random bits as 43 characters that addresses and cookies take as they are."""
    return urlsafe_b64encode(random(SECRET_BYTES)).rstrip(b"=").decode()


@retried
async def invite(
    database: Database,
    pack: Pack,
    by: Actor,
    *,
    name: str,
    agency: str | None,
    roles: Sequence[str],
    email: str | None,
    language: str | None,
    now: dt.datetime,
    random: Callable[[int], bytes],
    mails: bool = False,
) -> Invitation:
    """Make a member with a link to sign in; one of her own is mailed to her where it `mails`.

    Raises `InvalidParameter` with what cannot be, `NotFound` where `by` manages no such members.
    """
    _require_manager(by, agency, roles)
    _require_agency(pack, agency)
    _require_roles(roles, agency)
    name, email = name.strip(), (email or "").strip() or None
    name = normalize("NFC", name)
    if not (0 < len(name) <= _LONGEST_NAME and name.isprintable()) or first_problem(name):
        raise InvalidParameter(f"name: give 1 to {_LONGEST_NAME} characters on one line")
    if email is not None and not is_email(email):
        raise InvalidParameter("email: this is no e-mail address")
    language = language or pack.languages[0]
    _require_language(pack, language)
    async with database.transaction() as connection:
        number = await members.insert(
            connection,
            name=name,
            email=email,
            agency=agency,
            roles=_in_order(roles),
            language=language,
            invited_at=now,
            vouched_by=by.member,
        )
        await audit_trail.note(connection, by, "invite_member", str(number), before=None, now=now)
        if mails and email is not None:
            await mail_requests.insert(
                connection, "invitation", email, language=language, now=now, member=number
            )
        return await _make_link(connection, number, language, now=now, random=random)


@retried
async def make_link(
    database: Database,
    by: Actor,
    member: int,
    *,
    now: dt.datetime,
    random: Callable[[int], bytes],
) -> Invitation:
    """Make another link for a member; those made before no longer work.

    Raises `Forbidden` where the link would give an admin of an agency what the authority gives.
    """
    async with database.transaction() as connection:
        known = await _managed(connection, by, member)
        if not may_link(by, known):
            raise Forbidden("the authority makes the links of members with a role that it gives")
        await members.drop_links(connection, member)
        # Whoever makes the link could sign in by it herself.
        await members.vouch(connection, member, by.member)
        await audit_trail.note(connection, by, "link_member", str(member), before=None, now=now)
        return await _make_link(connection, member, known.language, now=now, random=random)


def may_link(by: Actor, member: Member) -> bool:
    """Return whether an actor may sign in as a member whom it manages, as by a link it could."""
    return by.agency is None or policy.GIVEN_BY_AUTHORITY.isdisjoint(member.roles)


async def insert_link(
    connection: Connection, member: int, *, now: dt.datetime, random: Callable[[int], bytes]
) -> str:
    """Store a link for a member beside those that she has; return its secret."""
    secret = make_secret(random)
    await members.insert_link(connection, digest_of(secret), member, now + LINK_LIFETIME)
    return secret


async def redeem_link(
    connection: Connection, secret: str, *, now: dt.datetime, request: str = ""
) -> Member:
    """Use up a link and return whom it signs in; raises `Unauthorized` where it signs in nobody."""
    link = await members.take_link(connection, digest_of(secret))
    member = None if link is None else await members.lock(connection, link.member)
    if link is None or link.expires_at <= now or member is None or member.ended_at is not None:
        raise unusable_link()
    await members.mark_signed_in(connection, member.id, now)
    actor = actor_of(member, request=request)
    await audit_trail.note(connection, actor, "sign_in", str(member.id), before=None, now=now)
    return member


async def is_usable(database: Database, secret: str, *, now: dt.datetime) -> bool:
    """Return whether a link would sign somebody in, without using it up."""
    async with database.connection() as connection:
        link = await members.read_link(connection, digest_of(secret))
    return link is not None and link.expires_at > now


def unusable_link() -> Unauthorized:
    """Return the error for a link that is unknown, used, or expired: nobody learns which."""
    return Unauthorized(
        "this link does not sign in any more: it works once, for 15 minutes; ask for a new one"
    )


@retried
async def change_roles(
    database: Database,
    by: Actor,
    member: int,
    roles: Sequence[str],
    *,
    now: dt.datetime,
) -> None:
    """Replace a member's roles; her sessions end, as do tokens that allow more than that."""
    async with database.transaction() as connection:
        known = await _managed(connection, by, member)
        _require_manager(by, known.agency, set(roles) ^ set(known.roles))
        _require_roles(roles, known.agency)
        if set(roles) == set(known.roles):
            return
        _require_not_oneself(by, known, roles)
        await members.set_roles(connection, member, _in_order(roles))
        await members.vouch(connection, member, by.member)
        await sessions.end_all(connection, member, now)
        await members.revoke_tokens(
            connection, member, allowed=list(policy.scopes_of(roles)), at=now
        )
        before = ",".join(known.roles)
        await audit_trail.note(connection, by, "change_roles", str(member), before=before, now=now)


@retried
async def confirm_member(database: Database, by: Actor, member: int, *, now: dt.datetime) -> None:
    """Confirm, for the authority, that a member is a person of her own: it vouches for her.

    Raises `Forbidden` for an admin of an agency.
    """
    async with database.transaction() as connection:
        await _managed(connection, by, member)
        if by.agency is not None:
            raise Forbidden("the authority confirms members, not an agency")
        await members.vouch(connection, member, by.member)
        await audit_trail.note(connection, by, "confirm_member", str(member), before=None, now=now)


@retried
async def end_member(database: Database, by: Actor, member: int, *, now: dt.datetime) -> None:
    """End a member: her sessions, links and tokens end with her."""
    async with database.transaction() as connection:
        known = await _managed(connection, by, member)
        _require_not_oneself(by, known, ())
        await members.end(connection, member, now)
        await sessions.end_all(connection, member, now)
        await members.drop_links(connection, member)
        await members.revoke_tokens(connection, member, allowed=(), at=now)
        await audit_trail.note(connection, by, "end_member", str(member), before=None, now=now)


@retried
async def set_preferences(
    database: Database,
    pack: Pack,
    by: Actor,
    *,
    language: str,
    daily_digest: bool,
    has_email: bool,
    now: dt.datetime,
) -> None:
    """Set in which language, and how often, a member is written to; she may have no address more.

    Raises `InvalidParameter` for another language than the register's.
    """
    _require_language(pack, language)
    async with database.transaction() as connection:
        if by.member is None:
            raise member_not_found(0)
        await members.set_preferences(
            connection, by.member, language=language, daily_digest=daily_digest
        )
        if not has_email:
            await replace_email(connection, by, None, now=now)


async def replace_email(
    connection: Connection, by: Actor, email: str | None, *, now: dt.datetime
) -> None:
    """Replace the e-mail address of the member who acts; the one that she had is told by a mail.

    The trail says whether she had one, and never which.
    """
    number = by.member or 0
    known = require_member(await members.lock(connection, number), number)
    if email == known.email:
        return
    await members.set_email(connection, number, email)
    if known.email is not None:
        await mail_requests.insert(
            connection,
            "address_changed",
            known.email,
            language=known.language,
            now=now,
            member=number,
        )
    before = None if known.email is None else "set"
    await audit_trail.note(connection, by, "change_address", str(number), before=before, now=now)


async def list_members(database: Database, by: Actor, *, agency: str | None = None) -> list[Member]:
    """List members, also those who have ended: an agency admin's colleagues, or all."""
    if not policy.manages(by):
        raise NotFound("there are no members that you may read")
    async with database.connection() as connection:
        return await members.read_all(connection, by.agency or agency)


async def forget_expired(database: Database, *, now: dt.datetime) -> None:
    """Delete the links that sign nobody in any more, and attempts to sign in a day ago."""
    async with database.connection() as connection:
        await members.drop_attempts(connection, now - dt.timedelta(days=1))
        await members.drop_expired_links(connection, now)


def member_not_found(member: int) -> NotFound:
    """Return the error for a member who is not there, or whom the actor may not know of."""
    return NotFound(f"there is no member {member}; see: registry member list")


def require_member(known: Member | None, number: int) -> Member:
    """Return a member who is in force; raises `NotFound` for any other."""
    if known is None or known.ended_at is not None:
        raise member_not_found(number)
    return known


def _require_manager(by: Actor, agency: str | None, roles: Collection[str]) -> None:
    """Refuse who manages no members, or not those of the agency, or may not change such roles."""
    if by is OPERATOR or "register_admin" in by.roles:
        return
    if "agency_admin" not in by.roles or agency is None or agency != by.agency:
        raise NotFound("there are no members of that agency that you may change")
    for role in policy.GIVEN_BY_AUTHORITY.intersection(roles):
        raise InvalidParameter(f"roles: {role} is given by the authority")


async def _managed(connection: Connection, by: Actor, number: int) -> Member:
    """Lock a member in force whom the actor manages; anybody else is not found."""
    known = await members.lock(connection, number)
    if known is None or not policy.manages(by) or (by.agency not in {None, known.agency}):
        raise member_not_found(number)
    return require_member(known, number)


def _require_not_oneself(by: Actor, known: Member, roles: Collection[str]) -> None:
    """Keep an admin from shutting herself out; another one does it, or the command line."""
    admin = policy.MANAGERS.intersection(known.roles)
    if by.member == known.id and not admin.issubset(roles):
        raise Conflict("you cannot take your own admin role away; another admin does it")


def _require_agency(pack: Pack, agency: str | None) -> None:
    if agency is None:
        return
    if is_foreign_agency(agency) or agency not in pack.agencies:
        known = ", ".join(sorted(pack.agencies))
        raise InvalidParameter(f"agency: {agency} is unknown; the agencies are {known}")


def _require_language(pack: Pack, language: str) -> None:
    if language not in pack.languages:
        raise InvalidParameter(
            f"language: {language} is unknown; the languages are {', '.join(pack.languages)}"
        )


def _require_roles(roles: Collection[str], agency: str | None) -> None:
    unknown = [role for role in roles if role not in policy.ROLES]
    if unknown or not roles:
        raise InvalidParameter(
            f"roles: {', '.join(unknown) or 'none'} is no role; "
            f"the roles are {', '.join(policy.ROLES)}"
        )
    if agency is None and not _OF_AN_AGENCY.isdisjoint(roles):
        bound = " and ".join(sorted(_OF_AN_AGENCY))
        raise InvalidParameter(f"agency: the roles {bound} need one")
    if agency is not None and "register_admin" in roles:
        raise InvalidParameter("agency: a register_admin is of the authority and has none")


def _in_order(roles: Collection[str]) -> list[str]:
    return [role for role in policy.ROLES if role in roles]


async def _make_link(
    connection: Connection,
    member: int,
    language: str,
    *,
    now: dt.datetime,
    random: Callable[[int], bytes],
) -> Invitation:
    secret = await insert_link(connection, member, now=now, random=random)
    return Invitation(
        member=member, language=language, secret=secret, expires_at=now + LINK_LIFETIME
    )
