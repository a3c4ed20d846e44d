"""Drafts: what an agency is working on and nobody else sees, until it is in review."""

from __future__ import annotations

import datetime as dt
from typing import Literal, TypeAlias

import msgspec

from registry.store.database import Connection
from registry.store.sql import read_row, read_rows, statement

DraftState: TypeAlias = Literal["draft", "in_review"]


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A document on its way: canonical JSON text; `base` is the leaf of what it amends.

    `submitted_*` are of its latest submission, `returned_*` and `comment` (JSON: a text, or texts
    by language) of its latest return.
    """

    record: str
    agency: str
    document: str
    tag: str
    base: bytes | None
    actor: str
    saved_at: dt.datetime
    state: DraftState = "draft"
    submitted_by: str | None = None
    submitted_at: dt.datetime | None = None
    comment: str | None = None
    returned_by: str | None = None
    returned_at: dt.datetime | None = None


async def lock(connection: Connection, record: str) -> Draft | None:
    """Read a draft and keep others from changing it until the transaction ends."""
    return await read_row(connection, Draft, "drafts", "lock", record)


async def read(
    connection: Connection, record: str, *, state: DraftState | None = None
) -> Draft | None:
    """Read a draft, if it is in the state."""
    return await read_row(connection, Draft, "drafts", "one", record, state)


async def read_all(
    connection: Connection, agency: str | None, *, state: DraftState | None = None
) -> list[Draft]:
    """Read the drafts of an agency, or of all, in one state or any, in the order of ids."""
    return await read_rows(connection, Draft, "drafts", "of_agency", agency, state)


async def save(connection: Connection, draft: Draft) -> Draft:
    """Write a draft, and give what is kept: where there was one, its base and its review stay."""
    row = await connection.fetchrow(
        statement("drafts", "save"),
        draft.record,
        draft.agency,
        draft.document,
        draft.tag,
        draft.base,
        draft.actor,
        draft.saved_at,
    )
    return Draft(**row)


async def submit(connection: Connection, record: str, *, by: str, at: dt.datetime) -> None:
    """Put a draft into review."""
    await connection.execute(statement("drafts", "submit"), record, by, at)


async def give_back(
    connection: Connection, record: str, *, comment: str, by: str, at: dt.datetime
) -> None:
    """Take a draft out of review, with a comment (JSON)."""
    await connection.execute(statement("drafts", "give_back"), record, comment, by, at)


async def delete(connection: Connection, record: str) -> None:
    """Remove a draft, if there is one."""
    await connection.execute(statement("drafts", "delete"), record)
