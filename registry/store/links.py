"""Whether what records refer to was still there when the background runner asked for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Literal, TypeAlias

import msgspec

from registry.store.database import Connection, read_rows, statement

LinkFault: TypeAlias = Literal["gone", "fails", "silent"]
"""What came in place of a page: 404 or 410, another error, or no answer."""

BROKEN_AFTER = 2
"""Times in a row that nothing is there before anybody is told; a server may be away for a day."""


class LinkState(msgspec.Struct, frozen=True, kw_only=True):
    """The last answer of an address, which `digest` stands for.

    `failed`: how often in a row nothing was there, `since` a time and for a reason `why`.
    """

    digest: bytes
    asked_at: dt.datetime
    failed: int = 0
    since: dt.datetime | None = None
    why: LinkFault | None = None


class BrokenLink(LinkState, frozen=True, kw_only=True):
    """An address in the version in force of a record, which has failed more than once."""

    record: str


def digest_of(url: str) -> bytes:
    """Return what stands for an address: its SHA-256."""
    return sha256(url.encode()).digest()


async def read_next_record(connection: Connection, after: str) -> str | None:
    """Return the record in force that follows an id, or None after the last one."""
    record: str | None = await connection.fetchval(statement("links", "next_record"), after)
    return record


async def read_last_answers(
    connection: Connection, digests: Iterable[bytes]
) -> dict[bytes, LinkState]:
    """Return the last answers of addresses, for whichever record they were asked."""
    rows = await read_rows(connection, LinkState, "links", "last_answers", list(digests))
    return {one.digest: one for one in rows}


async def keep(
    connection: Connection, record: str, version: int, states: Mapping[bytes, LinkState]
) -> None:
    """Keep the states of the addresses of a version, in place of those of the record before."""
    await connection.execute(statement("links", "forget"), record, list(states))
    await connection.executemany(
        statement("links", "keep"),
        [
            (record, version, one.digest, one.asked_at, one.failed, one.since, one.why)
            for one in states.values()
        ],
    )


async def read_broken(
    connection: Connection, agency: str, record: str | None = None
) -> list[BrokenLink]:
    """Return what is broken in the records in force of an agency, or in one of them."""
    return await read_rows(connection, BrokenLink, "links", "broken", agency, record, BROKEN_AFTER)
