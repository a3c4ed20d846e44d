"""Access tokens: made, recognised, listed and ended.

A token is `regt_`, 43 characters that carry 256 random bits, and 8 hexadecimal digits of their
CRC-32: a mistyped or cut token is refused before the database is asked. Only its SHA-256 is kept;
with 256 random bits in it, a plain hash cannot be searched.
"""

from __future__ import annotations

import datetime as dt
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Sequence
from hashlib import sha256
from unicodedata import normalize
from zlib import crc32

from registry.errors import ConfigurationError, Conflict, InvalidParameter, NotFound, Unauthorized
from registry.record.ids import is_foreign_agency
from registry.services import policy
from registry.services.operations import audit_trail
from registry.services.people.access import OPERATOR, SCOPES, Actor, person_of
from registry.services.people.identity_provider import IdentityProvider
from registry.services.people.members import require_member
from registry.store import agencies, members, records, tokens
from registry.store.database import Connection, Database, retried
from registry.store.tokens import StoredToken
from registry.text.text_safety import first_problem, is_confusable

LONGEST_DAYS = 365
MOST_IN_FORCE = 2
"""Tokens of one actor for one agency: the one in use, and the one that takes over."""

_NEVER = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
_AUTHORITY = "authority"
_LONGEST_ACTOR = 60
_PREFIX = "regt_"
_TOKEN = re.compile(rf"{_PREFIX}([A-Za-z0-9_-]{{43}})([0-9a-f]{{8}})")


class MistypedToken(Unauthorized):
    """What was sent is no token at all: a part of it is missing or wrong."""


class EndedToken(Unauthorized):
    """The token was revoked or has expired; `actor` is whose it was, for the audit trail."""

    def __init__(self, detail: str, actor: Actor) -> None:
        """Take the sentence, and who held the token."""
        super().__init__(detail)
        self.actor = actor


@retried
async def create_token(
    database: Database,
    *,
    agency: str | None,
    scopes: Sequence[str],
    actor: str | None,
    days: int,
    now: dt.datetime,
    random: Callable[[int], bytes],
    member: int | None = None,
    by: Actor = OPERATOR,
    user: str | None = None,
) -> str:
    """Make a token and give it; it can never be shown again.

    The audit trail says whose it is, what it may, and which `user` of the machine made it. What it
    does, the `member` has done, for whom it is. A third one beside two in force is refused
    by `Conflict`.
    """
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise ConfigurationError(
            f"unknown scope {', '.join(unknown) or '(none)'}; the scopes are {', '.join(SCOPES)}"
        )
    if not 0 < days <= LONGEST_DAYS:
        raise ConfigurationError(f"a token lives 1 to {LONGEST_DAYS} days, not {days}")
    if "file" in scopes and agency is None:
        raise ConfigurationError("the scope file needs an agency: --agency CODE")
    _require_reviewer(agency, scopes, member)
    token = _write(random(32))
    name = _tidied(actor) if actor else agency or _AUTHORITY
    async with database.transaction() as connection:
        if agency is not None:
            await _require_agency(connection, agency)
        await _require_distinct(connection, name, agency or _AUTHORITY)
        if member is not None:
            await _require_member(connection, member, agency, scopes)
        await records.lock_record(connection, f"tokens/{name}/{agency}")
        in_force = await tokens.read_in_force(connection, actor=name, agency=agency, now=now)
        if len(in_force) >= MOST_IN_FORCE:
            numbers = " and ".join(str(one.id) for one in in_force)
            least_used = min(
                in_force, key=lambda one: (one.last_used_on or one.created_at.date(), one.id)
            )
            raise Conflict(
                f"{name} has the tokens {numbers} in force already, one to use and one to take "
                f"over; end the one that is not used any more: registry token revoke "
                f"{least_used.id}"
            )
        number = await tokens.insert(
            connection,
            digest=sha256(token.encode()).digest(),
            actor=name,
            agency=agency,
            scopes=scopes,
            created_at=now,
            expires_at=now + dt.timedelta(days=days),
            member=member,
        )
        ends = now + dt.timedelta(days=days)
        made = [f"for {name}", *([f"of {agency}"] if agency else []), f"may {' '.join(scopes)}"]
        made += [f"until {ends:%Y-%m-%d}", *([f"by {user}"] if user else [])]
        await audit_trail.note(
            connection, by, "create_token", str(number), before=", ".join(made), now=now
        )
    return token


async def recognise(
    database: Database, token: str, *, now: dt.datetime, request: str = ""
) -> Actor:
    """Find whose token this is; raises `Unauthorized` with what to do.

    `request` is the id of the request that brings it. Without its checksum (`MistypedToken`) the
    database is not asked.
    """
    match = _TOKEN.fullmatch(token)
    if match is None or f"{crc32(match[1].encode()):08x}" != match[2]:
        raise MistypedToken(
            "this is not a token of the register: it is incomplete or mistyped; copy it whole"
        )
    digest = sha256(token.encode()).digest()
    async with database.connection() as connection:
        stored = await tokens.find(connection, digest)
        if stored is None or not hmac.compare_digest(stored.digest, digest):
            raise Unauthorized("this token is unknown; ask for a new one")
        actor = Actor(
            name=stored.actor,
            agency=stored.agency,
            scopes=frozenset(stored.scopes),
            token=stored.id,
            member=stored.member,
            request=request,
        )
        _require_in_force(stored, actor, now)
    await _mark_used(database, stored, now)
    return actor


@retried
async def recognise_program(
    database: Database,
    provider: IdentityProvider,
    token: str,
    *,
    now: dt.datetime,
    request: str = "",
) -> Actor:
    """Find which program a token of the identity provider was issued to; raises `Unauthorized`.

    A program has a row among the tokens, made when it first comes, so that it is counted, listed
    and revoked as they are; no secret fits its digest. What it may do stands in the settings.
    """
    program, grant = await provider.recognise_program(token)
    digest = sha256(f"program\0{provider.issuer}\0{program}".encode()).digest()
    name = _tidied(grant.actor) if grant.actor else grant.agency or _AUTHORITY
    unknown = [scope for scope in grant.scopes if scope not in SCOPES]
    if unknown or ("file" in grant.scopes and grant.agency is None):
        raise ConfigurationError(f"the scopes of the program {program} cannot be: {grant.scopes}")
    _require_reviewer(grant.agency, grant.scopes, None)
    async with database.transaction() as connection:
        stored = await tokens.find(connection, digest)
        if stored is None:
            if grant.agency is not None:
                await _require_agency(connection, grant.agency)
            await records.lock_record(connection, f"tokens/{program}/{grant.agency}")
            stored = await tokens.find(connection, digest)
        if stored is None:
            await tokens.insert(
                connection,
                digest=digest,
                actor=name,
                agency=grant.agency,
                scopes=grant.scopes,
                created_at=now,
                expires_at=_NEVER,
                member=None,
            )
            stored = await tokens.find(connection, digest)
        if stored is None:
            raise Unauthorized("this program is unknown; ask for it to be added")
        actor = Actor(
            name=name,
            agency=grant.agency,
            scopes=frozenset(grant.scopes),
            token=stored.id,
            request=request,
        )
        _require_in_force(stored, actor, now)
    await _mark_used(database, stored, now)
    return actor


@retried
async def require_in_force(database: Database, actor: Actor, *, now: dt.datetime) -> None:
    """Refuse, by `EndedToken`, whose token has ended since it was recognised.

    For what goes on for longer than one act. The operator at the command line has no token.
    """
    if actor.token is None:
        return
    async with database.connection() as connection:
        stored = await tokens.read(connection, actor.token)
    if stored is not None:
        _require_in_force(stored, actor, now)


@retried
async def create_own_token(
    database: Database,
    by: Actor,
    *,
    scopes: Sequence[str],
    actor: str | None,
    days: int,
    now: dt.datetime,
    random: Callable[[int], bytes],
) -> str:
    """Make a token of the agency of an admin, for whom it acts, and who may do what it may.

    Raises `NotFound` where `by` is no admin, `InvalidParameter` with what cannot be, `Conflict`
    beside two tokens in force.
    """
    _require_admin(by)
    if not scopes or not by.scopes.issuperset(scopes):
        raise InvalidParameter("scopes: choose among those that your own roles allow")
    if not 0 < days <= LONGEST_DAYS:
        raise InvalidParameter(f"days: a token lives 1 to {LONGEST_DAYS} days")
    return await create_token(
        database,
        agency=by.agency,
        scopes=scopes,
        actor=(actor or "").strip() or by.name,
        days=days,
        now=now,
        random=random,
        member=by.member,
        by=by,
    )


async def list_tokens(database: Database, by: Actor = OPERATOR) -> list[StoredToken]:
    """Read the tokens of an admin's agency, or all, without the secrets, which nobody has."""
    async with database.connection() as connection:
        every = await tokens.read_all(connection)
    if by is OPERATOR:
        return every
    _require_admin(by)
    return [one for one in every if one.agency == by.agency]


@retried
async def revoke_token(
    database: Database, token: int, *, now: dt.datetime, by: Actor = OPERATOR
) -> None:
    """End a token at once; raises `NotFound` where none with this number is in force.

    An admin ends those of the own agency; others are not found.
    """
    if by is not OPERATOR:
        _require_admin(by)
    async with database.transaction() as connection:
        known = await tokens.read(connection, token)
        is_own = by is OPERATOR or (known is not None and known.agency == by.agency)
        if not is_own or not await tokens.revoke(connection, token, now):
            raise NotFound(f"there is no token {token} in force; see: registry token list")
        await audit_trail.note(connection, by, "revoke_token", str(token), before=None, now=now)


def _require_admin(by: Actor) -> None:
    if not policy.manages(by):
        raise NotFound("there are no tokens that you may read")


async def _mark_used(database: Database, stored: StoredToken, now: dt.datetime) -> None:
    """Store the day on which a token was used; a standby takes no note."""
    if stored.last_used_on != now.date() and not await database.is_standby():
        async with database.connection() as connection:
            await tokens.mark_used(connection, stored.id, now.date())


def _require_in_force(stored: StoredToken, actor: Actor, now: dt.datetime) -> None:
    if stored.revoked_at is not None:
        raise EndedToken("this token was revoked; ask for a new one", actor)
    if stored.expires_at <= now:
        raise EndedToken(
            f"this token expired on {stored.expires_at:%Y-%m-%d}; ask for a new one", actor
        )


def _tidied(actor: str) -> str:
    """Return the name of an actor with single blanks; raises `InvalidParameter` for look-alikes."""
    name = " ".join(normalize("NFC", actor).split())
    if not 0 < len(name) <= _LONGEST_ACTOR or not name.isprintable() or first_problem(name):
        raise InvalidParameter(f"actor: give 1 to {_LONGEST_ACTOR} characters on one line")
    if is_confusable(name) or person_of(name) == person_of(""):
        raise InvalidParameter(f"actor: {name} has letters that look like others, or none at all")
    return name


async def _require_distinct(connection: Connection, name: str, own: str) -> None:
    """Raise `InvalidParameter` where a name reads like that of somebody else; `own` is nobody's."""
    bodies = [one.agency.id for one in await agencies.read_all(connection)]
    for other in (_AUTHORITY, OPERATOR.name, *bodies):
        if name != own and person_of(other) == person_of(name):
            raise InvalidParameter(f"actor: {name} is, or reads like, the name of {other}")
    for other in await tokens.read_actors(connection):
        if other != name and person_of(other) == person_of(name):
            raise InvalidParameter(
                f"actor: {name} reads like {other}, whose tokens there are; write it as these "
                "have it, or take another name"
            )


def _require_reviewer(agency: str | None, scopes: Collection[str], member: int | None) -> None:
    """Refuse a program that reviews for an agency: four eyes are of people there."""
    if "review" in scopes and agency is not None and member is None:
        raise ConfigurationError(
            "for an agency people review, not programs: a token with the scope review is a "
            "member's (--member NUMBER), or the authority's (without --agency)"
        )


async def _require_agency(connection: Connection, agency: str) -> None:
    if is_foreign_agency(agency):
        raise ConfigurationError(
            f"{agency} belongs to another register (a dot marks those); it cannot file here"
        )
    if await agencies.read(connection, agency) is None:
        known = [
            counted.agency.id
            for counted in await agencies.read_all(connection)
            if counted.agency.origin is None
        ]
        raise ConfigurationError(f"unknown agency {agency}; the agencies are {', '.join(known)}")


async def _require_member(
    connection: Connection, number: int, agency: str | None, scopes: Collection[str]
) -> None:
    """Refuse a token for a member that allows more than she may herself."""
    known = require_member(await members.lock(connection, number), number)
    allowed = policy.scopes_of(known.roles)
    if known.agency != agency or not allowed.issuperset(scopes):
        where = f"--agency {known.agency}" if known.agency else "no agency"
        raise ConfigurationError(
            f"a token of member {number} has {where} and of the scopes "
            f"{', '.join(sorted(allowed)) or '(none)'}, as her roles have"
        )


def _write(secret: bytes) -> str:
    body = urlsafe_b64encode(secret).rstrip(b"=").decode()
    return f"{_PREFIX}{body}{crc32(body.encode()):08x}"
