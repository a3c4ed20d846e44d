"""Members, who sign in to the console, and the links with which they do so once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from registry.store.database import Connection, read_row, read_rows, statement


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A person with roles; without an `agency` she is of the authority.

    `vouched_by` is the member who last let her in: by an invitation, roles, a link, or by
    confirming her; None for the command line.

    `oidc_*` name her at the identity provider, once she has signed in by it. With a `daily_digest`
    her notices are mailed once a day.
    """

    id: int
    name: str
    email: str | None
    agency: str | None
    roles: list[str]
    language: str
    oidc_issuer: str | None
    oidc_subject: str | None
    invited_at: dt.datetime
    signed_in_at: dt.datetime | None
    ended_at: dt.datetime | None
    vouched_by: int | None
    daily_digest: bool


class SignInLink(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a link signs in, and until when."""

    member: int
    expires_at: dt.datetime


async def insert(
    connection: Connection,
    *,
    name: str,
    email: str | None,
    agency: str | None,
    roles: Sequence[str],
    language: str,
    invited_at: dt.datetime,
    vouched_by: int | None = None,
) -> int:
    """Insert a member and return her number."""
    given = [name, email, agency, list(roles), language, invited_at, vouched_by]
    return int(await connection.fetchval(statement("members", "insert"), *given))


async def read(connection: Connection, member: int) -> Member | None:
    """Return a member by her number, also one who has ended, or None."""
    return await read_row(connection, Member, "members", "one", member)


async def lock(connection: Connection, member: int) -> Member | None:
    """Return a member, locked until the transaction ends, or None."""
    return await read_row(connection, Member, "members", "lock", member)


async def read_all(connection: Connection, agency: str | None) -> list[Member]:
    """Return the members of an agency, or all, also those who have ended, in order of number."""
    return await read_rows(connection, Member, "members", "all", agency)


async def set_roles(connection: Connection, member: int, roles: Sequence[str]) -> None:
    """Replace the roles of a member."""
    await connection.execute(statement("members", "set_roles"), member, list(roles))


async def set_preferences(
    connection: Connection, member: int, *, language: str, daily_digest: bool
) -> None:
    """Replace what a member has chosen of the mails to her."""
    sql = statement("members", "set_preferences")
    await connection.execute(sql, member, language, daily_digest)


async def set_email(connection: Connection, member: int, email: str | None) -> None:
    """Replace the e-mail address of a member; what was mailed to her before no longer works."""
    await connection.execute(statement("members", "set_email"), member, email)
    await connection.execute(statement("members", "drop_address_changes"), member)
    await drop_links(connection, member)


async def insert_address_change(
    connection: Connection, digest: bytes, member: int, email: str, expires_at: dt.datetime
) -> None:
    """Store the address that a member wants, by the SHA-256 of the link's secret; it is one."""
    await connection.execute(statement("members", "drop_address_changes"), member)
    sql = statement("members", "insert_address_change")
    await connection.execute(sql, digest, member, email, expires_at)


async def read_address_change(
    connection: Connection, digest: bytes, member: int, now: dt.datetime
) -> str | None:
    """Return the address that a member confirms by the link of a digest, or None."""
    sql = statement("members", "read_address_change")
    email: str | None = await connection.fetchval(sql, digest, member, now)
    return email


async def drop_expired_address_changes(connection: Connection, now: dt.datetime) -> None:
    """Delete the addresses whose links have expired."""
    await connection.execute(statement("members", "drop_expired_address_changes"), now)


async def vouch(connection: Connection, member: int, by: int | None) -> None:
    """Store who vouches for a member, unless that is herself or somebody whom she let in."""
    await connection.execute(statement("members", "vouch"), member, by)


async def are_one(connection: Connection, one: int, other: int) -> bool:
    """Return whether a member let another in, or the same one of an agency both, at any remove."""
    return bool(await connection.fetchval(statement("members", "are_one"), one, other))


async def mark_signed_in(connection: Connection, member: int, at: dt.datetime) -> None:
    """Store when a member has last signed in."""
    await connection.execute(statement("members", "mark_signed_in"), member, at)


async def end(connection: Connection, member: int, at: dt.datetime) -> None:
    """Store when a member has ended."""
    await connection.execute(statement("members", "end"), member, at)


async def insert_link(
    connection: Connection, digest: bytes, member: int, expires_at: dt.datetime
) -> None:
    """Insert a link of the SHA-256 `digest`."""
    await connection.execute(statement("members", "insert_link"), digest, member, expires_at)


async def read_link(connection: Connection, digest: bytes) -> SignInLink | None:
    """Return the link of a digest, expired or not, or None."""
    return await read_row(connection, SignInLink, "members", "read_link", digest)


async def take_link(connection: Connection, digest: bytes) -> SignInLink | None:
    """Delete the link of a digest and return it, or None: of two who take it, one gets it."""
    return await read_row(connection, SignInLink, "members", "take_link", digest)


async def drop_links(connection: Connection, member: int) -> None:
    """Delete all links of a member."""
    await connection.execute(statement("members", "drop_links"), member)


async def drop_expired_links(connection: Connection, now: dt.datetime) -> None:
    """Delete the links that sign nobody in any more."""
    await connection.execute(statement("members", "drop_expired_links"), now)


async def revoke_tokens(
    connection: Connection, member: int, *, allowed: Sequence[str], at: dt.datetime
) -> list[int]:
    """Revoke a member's tokens that have a scope beyond `allowed`; return their numbers."""
    rows = await connection.fetch(statement("members", "revoke_tokens"), member, at, list(allowed))
    return [row["id"] for row in rows]


class SignInAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept while somebody signs in at a provider; `invitation` is the digest of a link."""

    nonce: str
    verifier: str
    next_page: str | None
    invitation: bytes | None
    begun_at: dt.datetime


async def read_by_identity(connection: Connection, issuer: str, subject: str) -> Member | None:
    """Return the member in force of an identity, locked until the transaction ends, or None."""
    return await read_row(connection, Member, "members", "by_identity", issuer, subject)


async def read_by_email(connection: Connection, email: str) -> list[Member]:
    """Return the members in force with an e-mail address and no identity yet, locked."""
    return await read_rows(connection, Member, "members", "by_email", email)


async def read_in_force(connection: Connection, email: str) -> list[Member]:
    """Return the members in force with an e-mail address."""
    return await read_rows(connection, Member, "members", "in_force", email)


async def bind(connection: Connection, member: int, issuer: str, subject: str) -> bool:
    """Bind an identity to a member; return False where she has one."""
    bound = await connection.fetchval(statement("members", "bind"), member, issuer, subject)
    return bound is not None


async def insert_attempt(connection: Connection, digest: bytes, attempt: SignInAttempt) -> None:
    """Insert an attempt by the SHA-256 of its state."""
    values = msgspec.structs.astuple(attempt)
    await connection.execute(statement("members", "insert_attempt"), digest, *values)


async def take_attempt(connection: Connection, digest: bytes) -> SignInAttempt | None:
    """Delete the attempt of a digest and return it, or None: each answer is taken once."""
    return await read_row(connection, SignInAttempt, "members", "take_attempt", digest)


async def drop_attempts(connection: Connection, before: dt.datetime) -> None:
    """Delete the attempts that were begun before a time."""
    await connection.execute(statement("members", "drop_attempts"), before)
