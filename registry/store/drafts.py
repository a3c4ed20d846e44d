"""Drafts: documents that only their agency sees, and its reviewers once submitted."""

from __future__ import annotations

import datetime as dt
from typing import Literal, TypeAlias

import msgspec

from registry.store.database import Connection, read_row, read_rows, statement

DraftState: TypeAlias = Literal["draft", "in_review"]

LEAST_WEIGHT = 1024
"""The bytes that a small draft counts as, so that their number has a limit as well."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A draft: canonical JSON text; `base` is the leaf hash of the version that it amends.

    `submitted_*` are of its latest submission, `returned_*`, `comment` (JSON: a text, or texts by
    language) and `comments` (JSON: the same by JSON Pointer) of its latest return.
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
    comments: str | None = None
    returned_by: str | None = None
    returned_at: dt.datetime | None = None
    submitted_person: str | None = None


async def lock(connection: Connection, record: str) -> Draft | None:
    """Return a draft, locked until the transaction ends."""
    return await read_row(connection, Draft, "drafts", "lock", record)


async def read(
    connection: Connection, record: str, *, state: DraftState | None = None
) -> Draft | None:
    """Return a draft if it is in the state, or None."""
    return await read_row(connection, Draft, "drafts", "one", record, state)


async def read_all(
    connection: Connection, agency: str | None, *, state: DraftState | None = None
) -> list[Draft]:
    """Return the drafts of an agency, or of all, in one state or any, sorted by id."""
    return await read_rows(connection, Draft, "drafts", "of_agency", agency, state)


async def read_weight(connection: Connection, agency: str, beside: str) -> int:
    """Return the bytes of an agency's drafts beside one, each at least `LEAST_WEIGHT`."""
    weight = statement("drafts", "weight")
    return int(await connection.fetchval(weight, agency, beside, LEAST_WEIGHT))


async def save(connection: Connection, draft: Draft) -> Draft:
    """Insert or update a draft and return it; an update leaves base and review as they are."""
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


async def submit(
    connection: Connection, record: str, *, by: str, person: str, at: dt.datetime
) -> None:
    """Set the state of a draft to in review."""
    await connection.execute(statement("drafts", "submit"), record, by, person, at)


async def give_back(
    connection: Connection,
    record: str,
    *,
    comment: str | None,
    comments: str | None,
    by: str,
    at: dt.datetime,
) -> None:
    """Set the state of a draft in review to draft, with what was commented (JSON)."""
    await connection.execute(statement("drafts", "give_back"), record, comment, comments, by, at)


async def take_back(connection: Connection, record: str) -> None:
    """Set the state of a draft in review to draft, as if it had not been submitted."""
    await connection.execute(statement("drafts", "take_back"), record)


async def delete(connection: Connection, record: str) -> None:
    """Delete a draft, if there is one."""
    await connection.execute(statement("drafts", "delete"), record)


async def rename(
    connection: Connection, record: str, renamed: str, *, document: str, tag: str, at: dt.datetime
) -> None:
    """Move a draft, with what reviewers said of it and the links to its preview, to another id."""
    given = [record, renamed, document, tag, at]
    await connection.execute(statement("drafts", "rename"), *given)
