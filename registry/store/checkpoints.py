"""What was signed of the log, and what its publication is made from: entries and their contents."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from registry.record.content_file import ErasedMember, KeptSection
from registry.store.database import Connection
from registry.store.log import Entry
from registry.store.sql import read_row, read_rows, statement


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint that this register has signed; `note` has its own signature alone."""

    size: int
    root: bytes
    note: bytes
    signed_at: dt.datetime


async def read_last(connection: Connection) -> Signed | None:
    """Read the last checkpoint that was signed."""
    return await read_row(connection, Signed, "checkpoints", "last")


async def insert(connection: Connection, signed: Signed, *, previous: Signed | None) -> bool:
    """Write a checkpoint after the one that was the last; False when it no longer is."""
    written = await connection.fetchval(
        statement("checkpoints", "insert"),
        signed.size,
        None if previous is None else previous.size,
        signed.root,
        signed.note.decode(),
        signed.signed_at,
    )
    return written is not None


async def read_cosignatures(connection: Connection, size: int) -> list[str]:
    """Read the signature lines of witnesses under the checkpoint of a size."""
    return [
        row["line"]
        for row in await connection.fetch(statement("checkpoints", "cosignatures"), size)
    ]


async def read_entries(connection: Connection, start: int, end: int) -> list[Entry]:
    """Read the entries from index `start` to before `end`, as far as there are any."""
    return await read_rows(connection, Entry, "checkpoints", "entries", start, end)


async def read_safety(connection: Connection) -> dict[str, str]:
    """Read the settings on which it depends whether what was committed outlasts a crash."""
    return {
        row["name"]: row["setting"]
        for row in await connection.fetch(statement("checkpoints", "safety"))
    }


async def read_contents(
    connection: Connection, entries: Sequence[int]
) -> dict[int, list[KeptSection]]:
    """Read what entries commit to; one that commits to nothing has no sections."""
    erased: dict[tuple[int, str], list[ErasedMember]] = {}
    for row in await connection.fetch(statement("checkpoints", "erased"), list(entries)):
        erased.setdefault((row["entry"], row["key"]), []).append(
            ErasedMember(
                pointer=row["pointer"], commitment=row["commitment"], redaction=row["redaction"]
            )
        )
    found: dict[int, list[KeptSection]] = {entry: [] for entry in entries}
    for row in await connection.fetch(statement("checkpoints", "sections"), list(entries)):
        found[row["entry"]].append(
            KeptSection(
                key=row["key"],
                value=row["value"],
                salts=row["salts"],
                erased=tuple(erased.get((row["entry"], row["key"]), ())),
            )
        )
    return found


async def insert_erased(connection: Connection, entry: int, section: KeptSection) -> None:
    """Write what is known to be erased of a section whose entry is brought back."""
    await connection.execute(
        statement("checkpoints", "insert_erased"),
        entry,
        section.key,
        [member.pointer for member in section.erased],
        [member.commitment for member in section.erased],
        [member.redaction for member in section.erased],
    )
