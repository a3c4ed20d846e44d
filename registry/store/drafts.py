"""Drafts: what an agency is working on and nobody else sees."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import msgspec

from registry.store.sql import statement

if TYPE_CHECKING:
    from registry.store.database import Connection


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A document on its way: canonical JSON text; `base` is the leaf of what it amends."""

    record: str
    agency: str
    document: str
    tag: str
    base: bytes | None
    actor: str
    saved_at: dt.datetime


async def lock(connection: Connection, record: str) -> Draft | None:
    """Read a draft and keep others from changing it until the transaction ends."""
    return _draft(await connection.fetchrow(statement("drafts", "lock"), record))


async def read(connection: Connection, record: str) -> Draft | None:
    """Read a draft."""
    return _draft(await connection.fetchrow(statement("drafts", "one"), record))


async def read_all(connection: Connection, agency: str | None) -> list[Draft]:
    """Read the drafts of an agency, or of all, in the order of ids."""
    rows = await connection.fetch(statement("drafts", "of_agency"), agency)
    return [draft for row in rows if (draft := _draft(row)) is not None]


async def save(connection: Connection, draft: Draft) -> None:
    """Write a draft in place of the one before."""
    await connection.execute(
        statement("drafts", "save"),
        draft.record,
        draft.agency,
        draft.document,
        draft.tag,
        draft.base,
        draft.actor,
        draft.saved_at,
    )


async def delete(connection: Connection, record: str) -> None:
    """Remove a draft, if there is one."""
    await connection.execute(statement("drafts", "delete"), record)


def _draft(row: Any) -> Draft | None:
    return None if row is None else Draft(**dict(row))
