"""Records and their versions, as they are kept and as they are read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from registry.errors import Finding
from registry.record.model import LangText
from registry.record.sections import Section
from registry.store.moments import END
from registry.store.sql import statement

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

    from registry.store.database import Connection

_JSON = msgspec.json.Encoder()


class Register(msgspec.Struct, frozen=True, kw_only=True):
    """What the register says beside the document; `hash` is the entry's leaf hash in hex."""

    version: int
    state: str
    published_at: dt.datetime
    superseded_at: dt.datetime | None
    hash: str
    entry: int
    origin: str | None
    fictitious: bool
    completeness: int
    accountability: int
    missing: list[str]
    findings: list[Finding]
    redacted: list[str]


class VersionLine(msgspec.Struct, frozen=True, kw_only=True):
    """One version in a record's history."""

    version: int
    published_at: dt.datetime
    hash: str
    entry: int
    change_note: LangText | None


class StoredRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a record: `document` is its canonical JSON."""

    id: str
    agency: str
    document: bytes
    register: Register
    versions: list[VersionLine]


class Latest(msgspec.Struct, frozen=True, kw_only=True):
    """Where a record stands now: latest version, its state, its last entry."""

    version: int
    state: str
    entry: int
    leaf: bytes


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A record's last version, withdrawn or not: `document` is its canonical JSON."""

    version: int
    state: str
    entry: int
    leaf: bytes
    published_at: dt.datetime
    document: bytes


class NewVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version about to be written; `source_row` is JSON text of a foreign record's source."""

    record: str
    agency: str
    origin: str | None
    version: int
    entry: int
    published_at: dt.datetime
    schema_version: str
    rule_set: str
    actor: str
    approved_by: str | None
    completeness: int
    accountability: int
    missing: Sequence[str]
    findings: Sequence[Finding]
    change_note: LangText | None
    sections: Sequence[Section]
    source_row: str | None
    truncated: Sequence[str]


class Namesake(msgspec.Struct, frozen=True, kw_only=True):
    """What another published record of this country is called."""

    record: str
    agency: str
    name: LangText
    source_id: str | None


async def take_turn(connection: Connection, record: str) -> None:
    """Keep others from filing a record, new ones too, until the transaction ends."""
    await connection.execute(statement("records", "take_turn"), record)


async def take_turns(connection: Connection, subjects: Sequence[str]) -> None:
    """Take the turns of many, always in the same order, so that nobody waits in a circle."""
    await connection.fetch(statement("records", "take_turns"), list(subjects))


async def lock_latest(connection: Connection, ids: Sequence[str]) -> dict[str, Latest]:
    """Read where records stand and keep others from publishing them until the transaction ends."""
    rows = await connection.fetch(statement("records", "lock_latest"), list(ids))
    return {
        row["id"]: Latest(
            version=row["version"], state=row["state"], entry=row["entry"], leaf=row["leaf"]
        )
        for row in rows
    }


async def latest_documents(connection: Connection, ids: Sequence[str]) -> dict[str, bytes]:
    """Read the canonical JSON of published records' latest versions."""
    rows = await connection.fetch(statement("records", "latest_documents"), list(ids))
    return {row["id"]: row["document"].encode() for row in rows}


async def read_standings(connection: Connection, ids: Sequence[str]) -> dict[str, Standing]:
    """Read the last versions of records, those that are withdrawn too."""
    rows = await connection.fetch(statement("records", "standings"), list(ids))
    return {
        row["id"]: Standing(
            version=row["version"],
            state=row["state"],
            entry=row["entry"],
            leaf=row["leaf"],
            published_at=row["published_at"],
            document=row["document"].encode(),
        )
        for row in rows
    }


async def latest_source_rows(connection: Connection, origin: str) -> dict[str, str]:
    """Read the source rows, JSON text, from which an origin's records were last made."""
    rows = await connection.fetch(statement("records", "latest_source_rows"), origin)
    return {row["id"]: row["content"] for row in rows}


async def insert(connection: Connection, versions: Sequence[NewVersion]) -> None:
    """Write versions with their sections; each record at most once."""
    await connection.execute(
        statement("records", "upsert_records"),
        [new.record for new in versions],
        [new.agency for new in versions],
        [new.origin for new in versions],
        [new.version for new in versions],
        [new.entry for new in versions],
    )
    await connection.execute(
        statement("records", "insert_versions"),
        [new.record for new in versions],
        [new.version for new in versions],
        [new.entry for new in versions],
        [new.published_at for new in versions],
        [new.schema_version for new in versions],
        [new.rule_set for new in versions],
        [new.actor for new in versions],
        [new.completeness for new in versions],
        [new.accountability for new in versions],
        [_json(list(new.missing)) for new in versions],
        [_json(list(new.findings)) for new in versions],
        [None if new.change_note is None else _json(new.change_note) for new in versions],
        [new.approved_by for new in versions],
    )
    sections = [(new, section) for new in versions for section in new.sections]
    await connection.execute(
        statement("records", "insert_sections"),
        [new.record for new, _ in sections],
        [new.version for new, _ in sections],
        [section.key for _, section in sections],
        [section.value for _, section in sections],
        [section.salts for _, section in sections],
        [section.commitment for _, section in sections],
    )
    foreign = [new for new in versions if new.source_row is not None]
    await connection.execute(
        statement("records", "insert_source_rows"),
        [new.record for new in foreign],
        [new.version for new in foreign],
        [new.source_row for new in foreign],
        [_json(list(new.truncated)) for new in foreign],
    )


async def read(
    connection: Connection, record: str, version: int | None = None, *, as_of: int = END
) -> StoredRecord | None:
    """Read one version of a record (the latest where none is named), with its history.

    It is told as it was known when the entry `as_of` was the log's last.
    """
    row = await connection.fetchrow(statement("records", "version"), record, version, as_of)
    if row is None:
        return None
    return _stored(row, await read_versions(connection, record, as_of=as_of))


async def read_versions(
    connection: Connection, record: str, *, as_of: int = END
) -> list[VersionLine]:
    """Read a record's history, oldest first; empty where there is no such record."""
    rows = await connection.fetch(statement("records", "versions"), record, as_of)
    return [_line(row) for row in rows]


async def read_all(
    connection: Connection, *, withdrawn: bool = False
) -> AsyncIterator[StoredRecord]:
    """Read every published record's latest version in the order of ids; needs a transaction.

    `withdrawn` adds the last versions of the records that are out of force.
    """
    history: dict[str, list[VersionLine]] = {}
    async for row in connection.cursor(statement("records", "versions"), None, END, prefetch=1000):
        history.setdefault(row["record"], []).append(_line(row))
    async for row in connection.cursor(statement("records", "latest"), withdrawn, prefetch=500):
        yield _stored(row, history[row["record"]])


async def read_approver(connection: Connection, record: str) -> str | None:
    """Read who approved a published record's latest version, if anybody did."""
    approver: str | None = await connection.fetchval(statement("records", "approver"), record)
    return approver


async def withdraw(connection: Connection, record: str, *, entry: int) -> None:
    """Take a record's latest version out of force; `entry` is the withdrawal's in the log."""
    await connection.execute(statement("records", "withdraw"), record, entry)


async def read_namesakes(
    connection: Connection, agencies: Collection[str] | None
) -> list[Namesake]:
    """Read what the local records are called, of some agencies or of all (None)."""
    wanted = None if agencies is None else list(agencies)
    rows = await connection.fetch(statement("records", "namesakes"), wanted)
    return [
        Namesake(
            record=row["id"],
            agency=row["agency"],
            name=msgspec.json.decode(row["name"], type=LangText),
            source_id=None if row["source_id"] is None else msgspec.json.decode(row["source_id"]),
        )
        for row in rows
    ]


def _stored(row: Any, versions: list[VersionLine]) -> StoredRecord:
    return StoredRecord(
        id=row["record"],
        agency=row["agency"],
        document=row["document"].encode(),
        register=Register(
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
            findings=msgspec.json.decode(row["findings"], type=list[Finding]),
            redacted=[],
        ),
        versions=versions,
    )


def _line(row: Any) -> VersionLine:
    note = row["change_note"]
    return VersionLine(
        version=row["version"],
        published_at=row["published_at"],
        hash=row["leaf"].hex(),
        entry=row["entry"],
        change_note=None if note is None else msgspec.json.decode(note, type=LangText),
    )


def _json(value: Any) -> str:
    return _JSON.encode(value).decode()
