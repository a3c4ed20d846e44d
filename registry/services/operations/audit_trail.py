"""The audit trail: every write and refusal, in a chain of hashes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import Any, Literal, TypeAlias

import msgspec

from registry.errors import Conflict
from registry.record.canonical import canonical
from registry.services.people.access import Actor
from registry.store import audit_trail
from registry.store.audit_trail import Act, ChainLink, NumberedAct
from registry.store.database import Connection, Database, retried

Action: TypeAlias = Literal[
    "save_draft",
    "delete_draft",
    "rename_draft",
    "submit",
    "take_back",
    "approve",
    "return",
    "make_preview_link",
    "end_preview_link",
    "publish",
    "withdraw",
    "attest",
    "request_withdrawal",
    "request_attestation",
    "approve_act",
    "return_act",
    "delete_act",
    "request_redaction",
    "confirm_redaction",
    "delete_redaction",
    "invite_member",
    "link_member",
    "mail_link",
    "change_address",
    "change_roles",
    "confirm_member",
    "end_member",
    "sign_in",
    "sign_out",
    "create_token",
    "revoke_token",
    "read_draft",
    "list_drafts",
    "list_redactions",
    "search_texts",
    "read_act",
    "list_acts",
    "file_many",
    "read_audit",
    "read_metrics",
    "discard_entries",
    "rewrite_rows",
    "rotate_key",
    "add_agency",
]
"""What can be done or refused. Reading is noted only where it was refused."""

DONE = "done"


def done(
    actor: Actor, action: Action, subject: str, *, before: str | None, now: dt.datetime
) -> Act:
    """Return the note of a write that is done."""
    return Act(
        at=now,
        request=actor.request,
        actor=actor.name,
        token=actor.token,
        action=action,
        subject=subject,
        before=before,
        result=DONE,
        member=actor.member,
    )


async def note(
    connection: Connection,
    actor: Actor,
    action: Action,
    subject: str,
    *,
    before: str | None,
    now: dt.datetime,
) -> None:
    """Note a write in the trail, inside the transaction that writes."""
    await audit_trail.insert(connection, done(actor, action, subject, before=before, now=now))


@retried
async def note_refusal(
    database: Database,
    actor: Actor | None,
    action: Action,
    subject: str | None,
    *,
    request: str,
    result: str,
    now: dt.datetime,
) -> None:
    """Note that somebody was refused; `result` is the slug of the refusal."""
    async with database.transaction() as connection:
        await audit_trail.insert(
            connection,
            Act(
                at=now,
                request=request,
                actor=None if actor is None else actor.name,
                token=None if actor is None else actor.token,
                action=action,
                subject=subject,
                before=None,
                result=result,
                member=None if actor is None else actor.member,
            ),
        )


BATCH = 500
START = ChainLink(position=0, hash=bytes(32))
"""What stands before the first act."""

Progress = Callable[[int, int], None]


class ChainBroken(Conflict):
    """The audit trail, or what was kept of it, is not as it was."""


class AuditLine(msgspec.Struct, frozen=True, kw_only=True):
    """An act as it is shipped: `previous` and `hash`, in hex, are of the chain at its position."""

    position: int
    id: int
    at: dt.datetime
    request: str
    actor: str | None
    token: int | None
    action: str
    subject: str | None
    before: str | None
    result: str
    member: int | None
    previous: str
    hash: str


def next_link(last: ChainLink, act: NumberedAct) -> ChainLink:
    """Return the link of the act that follows the last."""
    position = last.position + 1
    members = {"position": position, **msgspec.to_builtins(act)}
    return ChainLink(position=position, hash=_hash(last.hash, members))


async def chain_acts(database: Database) -> int:
    """Append a batch of acts that have no place in the chain to it; return how many."""
    async with database.transaction() as connection:
        if not await audit_trail.lock_chain(connection):
            return 0
        acts = await audit_trail.take_unchained(connection, BATCH)
        if not acts:
            return 0
        link = await audit_trail.read_last_link(connection) or START
        links = [link := next_link(link, act) for act in acts]
        await audit_trail.insert_links(connection, links, acts)
    return len(acts)


async def read_lines(connection: Connection, last: ChainLink, *, limit: int) -> list[AuditLine]:
    """Return the acts after a link, as they are shipped.

    Raises `ChainBroken` where the trail does not go on from the link.
    """
    await require_link(connection, last)
    lines = []
    for one in await audit_trail.read_chained(connection, after=last.position, limit=limit):
        if one.act is None or one.link != next_link(last, one.act):
            raise ChainBroken(_broken(one.link.position))
        lines.append(
            AuditLine(
                position=one.link.position,
                previous=last.hash.hex(),
                hash=one.link.hash.hex(),
                **msgspec.structs.asdict(one.act),
            )
        )
        last = one.link
    return lines


async def read_after(connection: Connection, position: int, *, limit: int) -> list[AuditLine]:
    """Return the acts after a position; none where the trail has not come to it yet."""
    last = await audit_trail.read_link(connection, position) if position else START
    return [] if last is None else await read_lines(connection, last, limit=limit)


async def require_link(connection: Connection, link: ChainLink) -> None:
    """Raise `ChainBroken` unless the trail has this link."""
    if link.position and await audit_trail.read_link(connection, link.position) != link:
        raise ChainBroken(
            f"the audit trail is not the one that was followed: position {link.position} has "
            "another hash, or is gone; keep what was shipped, and find out who had the database"
        )


async def verify_chain(database: Database, *, progress: Progress) -> ChainLink:
    """Check the whole trail, in one state of the database; return its end.

    Raises `ChainBroken` at the first act that is not as it was.
    """
    async with database.snapshot() as connection:
        last = START
        end = await audit_trail.read_last_link(connection) or START
        while last != end:
            found = await audit_trail.read_chained(connection, after=last.position, limit=BATCH)
            for one in found:
                if one.act is None or one.link != next_link(last, one.act):
                    raise ChainBroken(_broken(last.position + 1))
                last = one.link
            if not found:
                raise ChainBroken(_broken(last.position + 1))
            progress(last.position, end.position)
        unlinked = await audit_trail.read_unlinked(connection)
        if unlinked is not None:
            raise ChainBroken(
                f"the audit trail has an act, number {unlinked}, that is not in its chain: it was "
                "put in past the register"
            )
    return end


def verify_lines(lines: Iterable[bytes]) -> Iterator[AuditLine]:
    """Yield the acts that were shipped, each checked, and that it follows the one before it.

    The first may be at any position. Raises `ChainBroken`.
    """
    last: AuditLine | None = None
    for number, text in enumerate(lines, 1):
        try:
            line = msgspec.json.decode(text, type=AuditLine)
            members = msgspec.to_builtins(line)
            previous, known = bytes.fromhex(members.pop("previous")), members.pop("hash")
        except ValueError as error:
            raise ChainBroken(f"line {number} is no act of an audit trail: {error}") from error
        if _hash(previous, members).hex() != known:
            raise ChainBroken(f"line {number}, position {line.position}, is not as it was shipped")
        if last is not None and (line.position, line.previous) != (last.position + 1, last.hash):
            raise ChainBroken(
                f"line {number}, position {line.position}, does not follow position {last.position}"
            )
        yield line
        last = line


def _hash(previous: bytes, members: dict[str, Any]) -> bytes:
    return sha256(previous + canonical(members)).digest()


def _broken(position: int) -> str:
    return (
        f"the audit trail is not as it was: the act at position {position} was changed, moved or "
        "removed past the register"
    )
