"""Records and their versions."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from registry.log.entry import ApprovedBy
from registry.log.erasure import readable
from registry.log.register import END, Redacted, Register, SourceFacts, StoredRecord, VersionLine
from registry.record.canonical import canonical
from registry.record.model import LangText
from registry.store.database import Connection, statement

_redacted = msgspec.json.Decoder(list[Redacted])


def read_redacted(members: str | None) -> list[Redacted]:
    """Return what was erased of an entry's content, from the view of it."""
    return [] if members is None else _redacted.decode(members)


_OF_LINES = ("approved_by", "moved_from", "changed_on", "undated", "run")

_source = msgspec.json.Decoder(SourceFacts)
_whole = msgspec.json.Decoder(dict[str, str])


class CurrentVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A record's current state: latest version, status, last entry.

    `risk` is the latest version's level, `risk_changes` all its changes up to now. The last entry
    may be a redaction. `code` is the record's short code, if it has one, `origin` the register that
    a foreign one comes from.
    """

    agency: str
    version: int
    state: str
    entry: int
    leaf: bytes
    risk: str
    risk_changes: Sequence[str]
    last_entry: int = -1
    last_leaf: bytes = b""
    code: str | None = None
    origin: str | None = None


class CurrentDocument(CurrentVersion, frozen=True, kw_only=True):
    """A record's current state with its last document, withdrawn or not, as canonical JSON.

    `ever_erased` are the pointers of members that were erased of any version.
    """

    published_at: dt.datetime
    document: bytes
    ever_erased: Sequence[str] = ()


class AgencyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record as its own agency's list has it, in force or withdrawn; `name` is by language."""

    id: str
    state: str
    version: int
    risk: str
    status: str
    completeness: int
    findings: int
    published_at: dt.datetime
    next_review_on: dt.date | None
    name: LangText


async def read_of_agency(connection: Connection, agency: str) -> list[AgencyRecord]:
    """Return the records that an agency has filed, by id."""
    rows = await connection.fetch(statement("records", "of_agency"), agency)
    return [
        AgencyRecord(**{**row, "name": msgspec.json.decode(row["name"] or b"{}")}) for row in rows
    ]


async def lock_record(connection: Connection, subject: str) -> None:
    """Lock a record, new or not, until the transaction ends, so that no other process files it."""
    await lock_records(connection, [subject])


async def lock_records(connection: Connection, subjects: Sequence[str]) -> None:
    """Lock many records, always in the same order, so that there is no deadlock."""
    await connection.fetch(statement("records", "take_turns"), list(subjects))


async def read_latest(connection: Connection, ids: Sequence[str]) -> dict[str, CurrentVersion]:
    """Return the current state of records."""
    rows = await connection.fetch(statement("records", "read_latest"), list(ids))
    return {row["id"]: CurrentVersion(**_latest(row)) for row in rows}


async def read_current(connection: Connection, ids: Sequence[str]) -> dict[str, CurrentDocument]:
    """Return the current state of records with their last documents, withdrawn ones too."""
    rows = await connection.fetch(statement("records", "current"), list(ids))
    return {
        row["id"]: CurrentDocument(
            **_latest(row),
            published_at=row["published_at"],
            document=document_of(row, row["erased"]),
            ever_erased=row["ever_erased"],
        )
        for row in rows
    }


async def read(
    connection: Connection, record: str, version: int | None = None, *, as_of: int = END
) -> StoredRecord | None:
    """Return a version of a record (by default the latest), without its history.

    The state is that when the entry `as_of` was the last of the log.
    """
    row = await connection.fetchrow(statement("records", "version"), record, version, as_of)
    return None if row is None else record_of(row, [])


async def read_versions(
    connection: Connection, record: str, *, as_of: int = END
) -> list[VersionLine]:
    """Return a record's history, oldest first; empty if there is no such record."""
    rows = await connection.fetch(statement("records", "versions"), [record], as_of)
    return [_line(row) for row in rows]


async def read_all(
    connection: Connection, *, withdrawn: bool = False, only: Sequence[str] | None = None
) -> AsyncIterator[StoredRecord]:
    """Yield the latest versions of some records, or of all, sorted by id; needs a transaction.

    `withdrawn` adds the last versions of withdrawn records.
    """
    history: dict[str, list[VersionLine]] = {}
    async for row in connection.cursor(statement("records", "versions"), only, END, prefetch=1000):
        history.setdefault(row["record"], []).append(_line(row))
    async for row in connection.cursor(
        statement("records", "latest"), withdrawn, only, prefetch=500
    ):
        yield record_of(row, history[row["record"]])


async def read_earlier(
    connection: Connection, *, only: Sequence[str] | None = None
) -> dict[str, list[StoredRecord]]:
    """Return the versions before the last by record, of some or of all, oldest first."""
    found: dict[str, list[StoredRecord]] = {}
    for row in await connection.fetch(statement("records", "earlier"), only):
        found.setdefault(row["record"], []).append(record_of(row, []))
    return found


async def read_approved_by(connection: Connection, record: str) -> ApprovedBy | None:
    """Return for whom a published record's latest version was approved, or None."""
    side: ApprovedBy | None = await connection.fetchval(statement("records", "approved_by"), record)
    return side


def _register_of(row: Any) -> Register:
    """Return the state of a version in the register, from a row with all its columns."""
    return Register(
        version=row["version"],
        state=row["state"],
        published_at=row["published_at"],
        superseded_at=row["superseded_at"],
        hash=row["leaf"].hex(),
        entry=row["entry"],
        origin=row["origin"],
        fictitious=row["fictitious"],
        completeness=row["completeness"],
        accountability=row["accountability"],
        missing=row["missing"],
        findings=msgspec.Raw(row["findings"]),
        redacted=read_redacted(row["redacted"]),
        code=row["code"],
        source=msgspec.UNSET if row["source"] is None else _source.decode(row["source"]),
    )


def document_of(row: Any, erased: Sequence[str]) -> bytes:
    """Return a version's canonical JSON as shown to readers: without erased members."""
    content: bytes = row["document"]
    if not erased:
        return content
    return canonical(readable(msgspec.json.decode(content), erased))


def _latest(row: Any) -> dict[str, Any]:
    return {name: row[name] for name in CurrentVersion.__struct_fields__}


def record_of(row: Any, versions: list[VersionLine]) -> StoredRecord:
    """Return a version from a row of it."""
    register = _register_of(row)
    return StoredRecord(
        id=row["record"],
        agency=row["agency"],
        document=document_of(row, [one.pointer for one in register.redacted]),
        register=register,
        versions=versions,
        whole=_whole.decode(row.get("whole") or "{}"),
    )


def _line(row: Any) -> VersionLine:
    note = row["change_note"]
    return VersionLine(
        version=row["version"],
        published_at=row["published_at"],
        hash=row["leaf"].hex(),
        entry=row["entry"],
        change_note=None if note is None else msgspec.json.decode(note, type=LangText),
        **{name: row[name] for name in _OF_LINES if row[name]},
    )
