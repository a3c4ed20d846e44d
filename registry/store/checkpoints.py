"""Signed checkpoints of the log, and the entries and contents that are published."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec

from registry.errors import Finding
from registry.log.blob import ErasedMember, KeptSection, KeptVerdict
from registry.log.entry import timestamp
from registry.store.database import Connection, read_row, read_rows, statement
from registry.store.log import Entry


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint that this register has signed; `note` has only its own signature."""

    size: int
    root: bytes
    note: bytes
    signed_at: dt.datetime


async def read_last(connection: Connection) -> Signed | None:
    """Return the last signed checkpoint."""
    return await read_row(connection, Signed, "checkpoints", "last")


async def read_first_beyond(connection: Connection, entry: int) -> Signed | None:
    """Return the first checkpoint that covers an entry."""
    return await read_row(connection, Signed, "checkpoints", "first_beyond", entry)


async def read_time(connection: Connection, size: int) -> str:
    """Return the time of the last of so many entries, as the entry itself says it."""
    [entry] = await read_entries(connection, size - 1, size)
    return timestamp(entry.at)


async def read_of_kinds(connection: Connection, *kinds: str) -> list[Entry]:
    """Return all entries of some kinds, none of them versions, in order."""
    return await read_rows(connection, Entry, "checkpoints", "of_kinds", list(kinds))


async def insert(connection: Connection, signed: Signed, *, previous: Signed | None) -> bool:
    """Insert a checkpoint after the last; return False if another was inserted meanwhile."""
    written = await connection.fetchval(
        statement("checkpoints", "insert"),
        signed.size,
        None if previous is None else previous.size,
        signed.root,
        signed.note.decode(),
        signed.signed_at,
    )
    return written is not None


async def read_entries(connection: Connection, start: int, end: int) -> list[Entry]:
    """Return the entries from index `start` to before `end`, as far as they exist."""
    return await read_rows(connection, Entry, "checkpoints", "entries", start, end)


async def read_safety(connection: Connection) -> dict[str, str]:
    """Return the server settings on which durability of commits depends."""
    return {
        row["name"]: row["setting"]
        for row in await connection.fetch(statement("checkpoints", "safety"))
    }


async def read_contents(
    connection: Connection, entries: Sequence[int], stored: Sequence[Any] | None = None
) -> dict[int, list[KeptSection]]:
    """Return the contents that entries commit to; some entries have none.

    `stored` are the rows of their sections, where they were found otherwise than by versions.
    """
    if stored is None:
        stored = await connection.fetch(statement("checkpoints", "sections"), list(entries))
    erased: dict[tuple[int, str], list[ErasedMember]] = {}
    for row in await connection.fetch(statement("checkpoints", "erased"), list(entries)):
        erased.setdefault((row["entry"], row["key"]), []).append(
            ErasedMember(
                pointer=row["pointer"], commitment=row["commitment"], redaction=row["redaction"]
            )
        )
    found: dict[int, list[KeptSection]] = {entry: [] for entry in entries}
    for row in stored:
        found[row["entry"]].append(
            KeptSection(
                key=row["key"],
                value=row["value"],
                salts=row["salts"],
                erased=tuple(erased.get((row["entry"], row["key"]), ())),
            )
        )
    return found


async def read_verdicts(connection: Connection, entries: Sequence[int]) -> dict[int, KeptVerdict]:
    """Return the verdicts that entries commit to, of those that do."""
    return {
        row["entry"]: KeptVerdict(
            missing=row["missing"],
            findings=msgspec.json.decode(row["findings"], type=list[Finding]),
            salt=row["verdict_salt"],
            redaction=row["verdict_redaction"],
        )
        for row in await connection.fetch(statement("checkpoints", "verdicts"), list(entries))
    }


async def insert_erased(connection: Connection, entry: int, section: KeptSection) -> None:
    """Insert the erased members of a section of a recovered entry."""
    await connection.execute(
        statement("checkpoints", "insert_erased"),
        entry,
        section.key,
        [member.pointer for member in section.erased],
        [member.commitment for member in section.erased],
        [member.redaction for member in section.erased],
    )
