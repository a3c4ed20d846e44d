"""The audit trail: every write and every refusal, append-only, in a chain of hashes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from registry.store.database import Connection, read_row, read_rows, statement

# Any constant will do, as long as it is the same in every process.
_LOCK = 0x7265_6769_6175


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """A write or refusal.

    `subject` is a record's id, an agency or the number of a token or a member; `before` the version
    or tag that it began from; `result` is `done` or the slug of the refusal. `member` is the number
    of who acted, where that is known. It holds no part of a document.
    """

    at: dt.datetime
    request: str
    actor: str | None
    token: int | None
    action: str
    subject: str | None
    before: str | None
    result: str
    member: int | None = None


class NumberedAct(Act, frozen=True, kw_only=True):
    """An act with its number in the trail."""

    id: int


class ChainLink(msgspec.Struct, frozen=True, kw_only=True):
    """A position of the chain, from 1 without a gap, and its hash of 32 bytes."""

    position: int
    hash: bytes


class ChainedAct(msgspec.Struct, frozen=True, kw_only=True):
    """An act at its place in the chain; None where its row is gone."""

    link: ChainLink
    act: NumberedAct | None


async def insert(connection: Connection, act: Act) -> None:
    """Append an act."""
    await connection.execute(statement("audit", "insert"), *msgspec.structs.astuple(act))


async def read(
    connection: Connection, *, since: int, subject: str | None, limit: int
) -> list[NumberedAct]:
    """Return the acts after the one numbered `since`, of one subject or of all, in order."""
    return await read_rows(connection, NumberedAct, "audit", "after", since, subject, limit)


async def read_renamed(connection: Connection, record: str) -> str | None:
    """Return the id that the draft of a record was moved to; None where it was not."""
    renamed: str | None = await connection.fetchval(statement("audit", "renamed_to"), record)
    return renamed


async def lock_chain(connection: Connection) -> bool:
    """Lock the end of the chain until the transaction ends.

    Return False where another has it, or where this role or server may not append to it.
    """
    return bool(await connection.fetchval(statement("audit", "lock_chain"), _LOCK))


async def take_unchained(connection: Connection, limit: int) -> list[NumberedAct]:
    """Return acts that have no place in the chain yet, in order, for one who gives them theirs."""
    return await read_rows(connection, NumberedAct, "audit", "take_unchained", limit)


async def read_last_link(connection: Connection) -> ChainLink | None:
    """Return the end of the chain; None before the first act."""
    return await read_row(connection, ChainLink, "audit", "last_link")


async def read_link(connection: Connection, position: int) -> ChainLink | None:
    """Return the link at a position, if there is one."""
    return await read_row(connection, ChainLink, "audit", "link_at", position)


async def insert_links(
    connection: Connection, links: Sequence[ChainLink], acts: Sequence[NumberedAct]
) -> None:
    """Append links to the chain, each for one act."""
    await connection.execute(
        statement("audit", "insert_links"),
        [one.position for one in links],
        [one.id for one in acts],
        [one.hash for one in links],
    )


async def read_chained(connection: Connection, *, after: int, limit: int) -> list[ChainedAct]:
    """Return the acts after a position, in the order of the chain."""
    found = []
    for row in await connection.fetch(statement("audit", "chained"), after, limit):
        values = dict(row)
        link = ChainLink(position=values.pop("position"), hash=values.pop("hash"))
        act = None if values["id"] is None else NumberedAct(**values)
        found.append(ChainedAct(link=link, act=act))
    return found


async def read_unlinked(connection: Connection) -> int | None:
    """Return the number of an act that has no place in the chain, and waits for none."""
    number: int | None = await connection.fetchval(statement("audit", "unlinked"))
    return number
