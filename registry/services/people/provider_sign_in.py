"""Signing in by the identity provider: an attempt, its answer, and whose identity that is.

An identity (issuer and subject) is bound to a member when she first signs in by it: through a link
of hers, or by an e-mail address that the provider has verified and that one member alone has.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

import msgspec

from registry.errors import Unauthorized
from registry.services.operations import audit_trail
from registry.services.people import sessions
from registry.services.people.identity_provider import IdentityProvider, PersonIdentity
from registry.services.people.members import actor_of, digest_of, make_secret, unusable_link
from registry.store import members
from registry.store.database import Connection, Database, retried
from registry.store.members import Member, SignInAttempt

LIFETIME = dt.timedelta(minutes=10)
_AGAIN = "again."
"""What the nonce of an attempt begins with that asks to sign in again."""


class NoMember(Unauthorized):
    """Somebody has shown who she is, and is no member; `identity` is what the provider says."""

    def __init__(self, identity: PersonIdentity) -> None:
        """Take the identity."""
        super().__init__("you are no member of this register's console")
        self.identity = identity


class ProviderSignIn(msgspec.Struct, frozen=True, kw_only=True):
    """Who has signed in, the secret of her session, and where she meant to go."""

    member: Member
    session: str
    next_page: str | None


async def begin(
    database: Database,
    provider: IdentityProvider,
    *,
    next_page: str | None,
    link: str | None,
    again: bool = False,
    now: dt.datetime,
    random: Callable[[int], bytes],
) -> tuple[str, str]:
    """Begin an attempt; return its state, a secret of the browser's, and where to send that.

    `link` is the secret of the link by which a member binds her identity. The provider is asked to
    have her sign in `again`, whatever it remembers of her.
    """
    state, nonce, verifier = (make_secret(random) for _ in range(3))
    nonce = f"{_AGAIN if again else ''}{nonce}"
    attempt = SignInAttempt(
        nonce=nonce,
        verifier=verifier,
        next_page=next_page,
        invitation=None if link is None else digest_of(link),
        begun_at=now,
    )
    address = await provider.authorization_address(
        state=state, nonce=nonce, verifier=verifier, max_age=LIFETIME if again else None
    )
    async with database.connection() as connection:
        await members.insert_attempt(connection, digest_of(state), attempt)
    return state, address


@retried
async def finish(
    database: Database,
    provider: IdentityProvider,
    answer: Mapping[str, str],
    *,
    state: str | None,
    replaced: str | None,
    now: dt.datetime,
    random: Callable[[int], bytes],
    request: str = "",
) -> ProviderSignIn:
    """Take the provider's answer to the attempt of a browser, whose `state` it is, and sign in.

    Raises `NoMember` for an identity of nobody here, `Unauthorized` for any answer that is not to
    this attempt or not valid.
    """
    if not state or answer.get("state") != state:
        raise Unauthorized("this answer is not to what this browser has asked")
    async with database.transaction() as connection:
        attempt = await members.take_attempt(connection, digest_of(state))
    if attempt is None or attempt.begun_at <= now - LIFETIME:
        raise Unauthorized("this attempt to sign in has expired; begin again")
    identity = await provider.identify(
        answer,
        nonce=attempt.nonce,
        verifier=attempt.verifier,
        since=attempt.begun_at if attempt.nonce.startswith(_AGAIN) else None,
    )
    async with database.transaction() as connection:
        member = await _member_of(connection, identity, attempt, now)
        await members.mark_signed_in(connection, member.id, now)
        actor = actor_of(member, request=request)
        await audit_trail.note(connection, actor, "sign_in", str(member.id), before=None, now=now)
        session = await sessions.begin(
            connection, member, replaced=replaced, now=now, random=random
        )
    return ProviderSignIn(member=member, session=session, next_page=attempt.next_page)


async def _member_of(
    connection: Connection, identity: PersonIdentity, attempt: SignInAttempt, now: dt.datetime
) -> Member:
    known = await members.read_by_identity(connection, identity.issuer, identity.subject)
    if known is not None:
        return known
    if attempt.invitation is not None:
        link = await members.take_link(connection, attempt.invitation)
        invited = None if link is None else await members.lock(connection, link.member)
        if link is None or link.expires_at <= now or invited is None or invited.ended_at:
            raise unusable_link()
        found = [invited]
    else:
        email = identity.email
        found = await members.read_by_email(connection, email) if email else []
    # Of two members with one address nobody knows which one it is.
    if len(found) != 1 or not await members.bind(
        connection, found[0].id, identity.issuer, identity.subject
    ):
        raise NoMember(identity)
    return found[0]
