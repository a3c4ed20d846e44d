"""Records and their versions, as they are kept and as they are read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache
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
    from registry.tlog.compact import CompactRange

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


class Standing(Latest, frozen=True, kw_only=True):
    """A record's last version too, withdrawn or not: `document` is its canonical JSON."""

    published_at: dt.datetime
    document: bytes


class NewVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version about to be written; `content` and `leaf` are the bytes and hash of its entry.

    `source_row` is JSON text of a foreign record's source.
    """

    record: str
    agency: str
    origin: str | None
    version: int
    entry: int
    published_at: dt.datetime
    content: bytes
    leaf: bytes
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


class Namesake(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What another published record of this country is called; told apart by identity."""

    record: str
    agency: str
    name: LangText
    source_id: str | None


async def take_turn(connection: Connection, subject: str) -> None:
    """Keep others from filing a record, new ones too, until the transaction ends."""
    await take_turns(connection, [subject])


async def take_turns(connection: Connection, subjects: Sequence[str]) -> None:
    """Take the turns of many, always in the same order, so that nobody waits in a circle."""
    await connection.fetch(statement("records", "take_turns"), list(subjects))


async def read_latest(connection: Connection, ids: Sequence[str]) -> dict[str, Latest]:
    """Read where records stand; whoever publishes has taken their turns."""
    rows = await connection.fetch(statement("records", "read_latest"), list(ids))
    return {
        row["id"]: Latest(
            version=row["version"], state=row["state"], entry=row["entry"], leaf=row["leaf"]
        )
        for row in rows
    }


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


async def insert(
    connection: Connection, versions: Sequence[NewVersion], after: CompactRange
) -> None:
    """Write versions, each record at most once, with their sections, entries and the log's state.

    `after` is what the log's tree becomes; the caller holds the state's lock.
    """
    sections = [(new, section) for new in versions for section in new.sections]
    await connection.execute(
        statement("records", "insert"),
        [new.record for new in versions],
        [new.agency for new in versions],
        [new.origin for new in versions],
        [new.version for new in versions],
        [new.entry for new in versions],
        [new.published_at for new in versions],
        [new.content for new in versions],
        [new.leaf for new in versions],
        [new.schema_version for new in versions],
        [new.rule_set for new in versions],
        [new.actor for new in versions],
        [new.approved_by for new in versions],
        [new.completeness for new in versions],
        [new.accountability for new in versions],
        [_json(list(new.missing)) for new in versions],
        [_json(list(new.findings)) for new in versions],
        [None if new.change_note is None else _json(new.change_note) for new in versions],
        [new.source_row for new in versions],
        [_json(list(new.truncated)) for new in versions],
        after.size,
        after.packed(),
        [new.record for new, _ in sections],
        [new.version for new, _ in sections],
        [section.key for _, section in sections],
        [section.value for _, section in sections],
        [section.salts for _, section in sections],
        [section.commitment for _, section in sections],
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
    return [_namesake(*row) for row in rows]


@lru_cache(maxsize=20_000)
def _namesake(record: str, agency: str, name: str, source_id: str | None) -> Namesake:
    # Every filing reads the same ones.
    return Namesake(
        record=record,
        agency=agency,
        name=msgspec.json.decode(name, type=LangText),
        source_id=None if source_id is None else msgspec.json.decode(source_id),
    )


def register_of(row: Any) -> Register:
    """Make what the register says beside a version's document of a row with all of it."""
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
        findings=msgspec.json.decode(row["findings"], type=list[Finding]),
        redacted=[],
    )


def _stored(row: Any, versions: list[VersionLine]) -> StoredRecord:
    return StoredRecord(
        id=row["record"],
        agency=row["agency"],
        document=row["document"].encode(),
        register=register_of(row),
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
