"""Redactions: requested and carried out, and the only statements that erase."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from registry.errors import Finding
from registry.record.erasure import Erased
from registry.store import search_rows
from registry.store.database import Connection
from registry.store.sql import read_row, read_rows, statement

_JSON = msgspec.json.Encoder()
_LONGEST_SECONDS = 3600


class Redaction(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be erased of which versions; `entry` and `hash` are null until it is confirmed.

    `is_done` means that it was carried out, and the content no longer exists. The persons are
    null in rows of older releases.
    """

    id: int
    record: str
    versions: list[int]
    pointers: list[str]
    basis: str
    authority: str
    reference: str | None
    requested_by: str
    requested_at: dt.datetime
    confirmed_by: str | None = None
    confirmed_at: dt.datetime | None = None
    entry: int | None = None
    hash: str | None = None
    is_done: bool = False
    requested_person: str | None = None
    confirmed_person: str | None = None


class HeldSection(msgspec.Struct, frozen=True, kw_only=True):
    """A section of a version as stored: JSON text, and the members of it that are `gone`."""

    version: int
    entry: int
    change_note: str | None
    key: str
    value: str
    salts: bytes
    gone: list[str]


class Quoting(msgspec.Struct, frozen=True, kw_only=True):
    """A version with its findings, one of which may quote an erased text."""

    record: str
    version: int
    entry: int
    findings: list[Finding]


class Last(msgspec.Struct, frozen=True, kw_only=True):
    """The last entry of a record in the log, with its 32-byte leaf hash."""

    index: int
    leaf: bytes


async def insert(connection: Connection, redaction: Redaction) -> int:
    """Insert a request and return its number."""
    number: int = await connection.fetchval(
        statement("redactions", "insert"),
        redaction.record,
        redaction.versions,
        redaction.pointers,
        redaction.basis,
        redaction.authority,
        redaction.reference,
        redaction.requested_by,
        redaction.requested_at,
        redaction.requested_person,
    )
    return number


async def read(connection: Connection, number: int) -> Redaction | None:
    """Return a redaction."""
    return await read_row(connection, Redaction, "redactions", "one", number)


async def read_all(connection: Connection, agency: str | None) -> list[Redaction]:
    """Return the redactions of an agency's records, or of all, newest first."""
    return await read_rows(connection, Redaction, "redactions", "all", agency)


async def read_last(connection: Connection, record: str) -> Last | None:
    """Return the last entry of a record."""
    return await read_row(connection, Last, "redactions", "last_entry", record)


async def read_sections(
    connection: Connection, record: str, versions: Sequence[int] | None = None
) -> list[HeldSection]:
    """Return the sections of some versions of a record, or of all."""
    return await read_rows(connection, HeldSection, "redactions", "sections", record, versions)


async def read_waiting(connection: Connection, *, size: int) -> list[int]:
    """Return the entries, in a log of some size, of redactions that are not carried out yet."""
    rows = await connection.fetch(statement("redactions", "waiting"), size)
    return [row["index"] for row in rows]


async def read_entry(connection: Connection, redaction: int) -> bytes | None:
    """Return the entry of a redaction by its index."""
    content: bytes | None = await connection.fetchval(statement("redactions", "entry"), redaction)
    return content


async def erase(
    connection: Connection,
    redaction: int,
    record: str,
    version: int,
    sections: dict[str, Erased],
    *,
    change_note: str | None,
) -> None:
    """Delete members of a version and their salts, with its source row.

    The database refuses what the published entry `redaction` does not name.
    """
    gone = [
        (key, pointer, commitment)
        for key, section in sections.items()
        for pointer, commitment in section.commitments.items()
    ]
    await connection.execute(
        statement("redactions", "erase"),
        redaction,
        record,
        version,
        list(sections),
        [section.value for section in sections.values()],
        [section.salts for section in sections.values()],
        [key for key, _, _ in gone],
        [pointer for _, pointer, _ in gone],
        [commitment for _, _, commitment in gone],
        change_note,
    )


async def read_quoting(connection: Connection, record: str, texts: Sequence[str]) -> list[Quoting]:
    """Return a record's versions, and others of which a finding may quote one of some texts."""
    quoted = [_JSON.encode(text).decode()[1:-1] for text in texts]
    return [
        Quoting(
            record=row["record"],
            version=row["version"],
            entry=row["entry"],
            findings=msgspec.json.decode(row["findings"], type=list[Finding]),
        )
        for row in await connection.fetch(statement("redactions", "quoting"), record, quoted)
    ]


async def erase_findings(
    connection: Connection, redaction: int, version: Quoting, left: Sequence[Finding]
) -> None:
    """Replace a version's findings by those that are left."""
    await connection.execute(
        statement("redactions", "erase_findings"),
        redaction,
        version.record,
        version.version,
        _JSON.encode(left).decode(),
    )


async def recount(
    connection: Connection, record: str, *, levels: Sequence[str], unstated: str
) -> None:
    """Compute the facts of the versions of a record again, from what is left of them.

    `levels` are the risk levels from the lowest.
    """
    await connection.execute(statement("redactions", "recount"), record, list(levels), unstated)


async def drop_search(connection: Connection, entries: Sequence[int]) -> None:
    """Delete the search rows of versions, and let every index be made anew without them."""
    await connection.execute(statement("redactions", "drop_search_rows"), list(entries))
    await search_rows.begin_epoch(connection)


async def drop_unpublished(connection: Connection, record: str) -> None:
    """Delete a record's draft, withdrawals that wait or were returned, and stored responses."""
    await connection.execute(statement("redactions", "drop_draft"), record)
    await connection.execute(statement("redactions", "drop_answers"))


async def finish(connection: Connection, redaction: int, entries: Sequence[int]) -> None:
    """Mark a redaction as carried out, with the entries whose content it changed."""
    await connection.execute(statement("redactions", "done"), redaction, list(entries))


async def read_unsettled(connection: Connection) -> dict[int, list[int]]:
    """Return, by redaction, the entries whose files were not rewritten since."""
    rows = await connection.fetch(statement("redactions", "unsettled"))
    return {row["redaction"]: row["entries"] for row in rows}


async def settle(connection: Connection, redaction: int) -> None:
    """Mark the files of what a redaction changed as rewritten."""
    await connection.execute(statement("redactions", "settle"), redaction)


async def vacuum(connection: Connection) -> None:
    """Free the space of what was deleted; not inside a transaction."""
    await connection.execute(statement("redactions", "vacuum"), timeout=_LONGEST_SECONDS)


async def count(connection: Connection) -> int:
    """Return the number of redactions carried out, with which caches are invalidated."""
    number: int = await connection.fetchval(statement("redactions", "count"))
    return number


async def read_erased(connection: Connection, records: Sequence[str]) -> dict[str, list[str]]:
    """Return all pointers that were erased of records."""
    rows = await connection.fetch(statement("redactions", "erased"), list(records))
    return {row["record"]: row["pointers"] for row in rows}
