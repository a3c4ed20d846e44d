"""Imports: the registers that records come from, the imports of their files, and their rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from registry.log.register import SourceEvent
from registry.record.model import Document, SourceState
from registry.record.origin import Origin
from registry.record.pack import Agency
from registry.store.database import Connection, statement


class ImportCounts(msgspec.Struct, kw_only=True):
    """What became of the rows of an import, and of the records of its register.

    Of the `records` that rows became, `added` are new, `changed` have another document than before
    and `moved` another agency, which may be true of one record; `unchanged` have neither, and
    `withdrawn` were withdrawn here and stay so. `gone` are records that are no longer in the file
    and `returned` those that are there again. Of what has changed, `undated` did without moving the
    date that the source states, and `reread` although its row did not: by another crosswalk.
    `fields` counts changed records by field. Of a harvested log rows are entries and records
    versions; `ended` are records withdrawn there, `erased` those of which something was.
    """

    rows: int = 0
    records: int = 0
    refused: int = 0
    added: int = 0
    changed: int = 0
    moved: int = 0
    unchanged: int = 0
    gone: int = 0
    returned: int = 0
    withdrawn: int = 0
    undated: int = 0
    reread: int = 0
    ended: int = 0
    erased: int = 0
    fields: dict[str, int] = {}


class ImportFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is imported: its name and SHA-256 in hex, that of the crosswalk, the origin.

    `as_of` is the source's own date of the file; `complete` says that it is the whole source.
    """

    origin: Origin
    name: str
    sha256: str
    crosswalk_sha256: str
    as_of: dt.date | None = None
    complete: bool = False


class ImportRun(msgspec.Struct, frozen=True, kw_only=True):
    """One import of a file; `ended_at` is None while it runs, and if it was stopped."""

    id: int
    origin: str
    begun_at: dt.datetime
    ended_at: dt.datetime | None
    file_name: str
    file_sha256: str
    crosswalk_sha256: str
    as_of: dt.date | None
    complete: bool
    counts: ImportCounts


class KnownRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record of an origin as it was last published, with what is known of it at its source.

    There may be very many of them, so `content` is the document's JSON. `row_sha256` is of the row
    that is kept, None where none is.
    """

    id: str
    agency: str
    state: str
    source_id: str
    changed_on: str | None
    run: int | None
    source_state: SourceState
    row_sha256: bytes | None
    content: bytes

    @property
    def document(self) -> Document:
        """The document, decoded each time."""
        found: Document = msgspec.json.decode(self.content)
        return found


class KeptRow(msgspec.Struct, frozen=True, kw_only=True):
    """The row that a record was last made from: `content` and `whole` are JSON text.

    `whole` has the texts of which the record has a part, by JSON Pointer.
    """

    content: str
    whole: str


class ReadRow(KeptRow, frozen=True, kw_only=True):
    """A record's row at its source, with when and by which import it was last seen there."""

    source_id: str
    changed_on: str | None
    seen_at: dt.datetime
    run: int | None


class OriginSize(msgspec.Struct, frozen=True, kw_only=True):
    """How many records of an origin are in force here, and how many of them its source lacks."""

    records: int
    gone: int


_counts = msgspec.json.Decoder(ImportCounts)
_origin = msgspec.json.Decoder(Origin)
_agency = msgspec.json.Decoder(Agency)


async def read_origins(connection: Connection) -> dict[str, Origin]:
    """Return the origins of which something was imported, by code."""
    rows = await connection.fetch(statement("imports", "origins"))
    found = [_origin.decode(row["document"]) for row in rows]
    return {origin.code: origin for origin in found}


async def begin(
    connection: Connection, file: ImportFile, counts: ImportCounts, *, now: dt.datetime
) -> int:
    """Insert a run that begins, and return its id."""
    return int(
        await connection.fetchval(
            statement("imports", "begin"),
            file.origin.code,
            now.replace(microsecond=0),
            file.name,
            file.sha256,
            file.crosswalk_sha256,
            file.as_of,
            file.complete,
            _text(counts),
        )
    )


async def keep_report(connection: Connection, run: int, report: str) -> None:
    """Store the report of a run that ended, as its JSON text."""
    await connection.execute(statement("imports", "keep_report"), run, report)


async def go_on_after(connection: Connection, run: int) -> None:
    """Set the number of the next run to one after this, which the log names."""
    await connection.execute(statement("imports", "go_on_after"), run)


async def keep_counts(connection: Connection, run: int, counts: ImportCounts) -> None:
    """Store how far a run has come."""
    await connection.execute(statement("imports", "keep_counts"), run, _text(counts))


async def stop(connection: Connection, run: int, counts: ImportCounts, report: Any) -> None:
    """Store what a run that was stopped has done; `report` is anything that JSON can say."""
    await connection.execute(statement("imports", "stop"), run, _text(counts), _text(report))


async def drop(connection: Connection, run: int) -> None:
    """Delete a run in which nothing was done."""
    await connection.execute(statement("imports", "drop"), run)


async def read_runs(
    connection: Connection, origin: str | None = None, *, before: int | None = None, limit: int
) -> list[ImportRun]:
    """Return runs, of one origin or of all, before a run, the last first."""
    rows = await connection.fetch(statement("imports", "runs"), origin, before, limit)
    return [_run(row) for row in rows]


async def read_latest_runs(connection: Connection, limit: int) -> dict[str, list[ImportRun]]:
    """Return the last runs of each origin by its code, the last first."""
    found: dict[str, list[ImportRun]] = {}
    for row in await connection.fetch(statement("imports", "latest_runs"), limit):
        found.setdefault(row["origin"], []).append(_run(row))
    return found


async def read_progress(connection: Connection) -> tuple[int, int]:
    """Return the number of the last run, 0 if there is none, and how many have ended."""
    row = await connection.fetchrow(statement("imports", "progress"))
    return row["last"], row["ended"]


async def read_sizes(connection: Connection) -> dict[str, OriginSize]:
    """Return how many records there are of each origin, by its code."""
    rows = await connection.fetch(statement("imports", "sizes"))
    return {row["origin"]: OriginSize(records=row["records"], gone=row["gone"]) for row in rows}


async def read_run(connection: Connection, run: int) -> ImportRun | None:
    """Return a run."""
    row = await connection.fetchrow(statement("imports", "run"), run)
    return None if row is None else _run(row)


async def read_report(connection: Connection, run: int) -> str:
    """Return the report of a run, JSON text."""
    return str(await connection.fetchval(statement("imports", "report"), run))


async def read_known(connection: Connection, origin: str) -> list[KnownRecord]:
    """Return every record of an origin, sorted by id; needs a transaction."""
    cursor = connection.cursor(statement("imports", "known"), origin, prefetch=500)
    return [
        KnownRecord(
            id=row["id"],
            agency=row["agency"],
            state=row["state"],
            source_id=row["source_id"],
            changed_on=row["changed_on"],
            run=row["run"],
            source_state=row["source_state"],
            row_sha256=row["row_sha256"],
            content=row["document"],
        )
        async for row in cursor
    ]


async def read_taken(
    connection: Connection, origin: str, ids: Sequence[str], agencies: Sequence[str]
) -> dict[str, str | None]:
    """Return the origins of records and agencies that are not of this one, by id; None for ours."""
    rows = await connection.fetch(statement("imports", "taken"), list(ids), origin)
    rows += await connection.fetch(
        statement("imports", "agencies_elsewhere"), list(agencies), origin
    )
    return {row["id"]: row["origin"] for row in rows}


async def read_sharers(connection: Connection, origin: str, prefix: str) -> list[str]:
    """Return the other origins whose agencies have a prefix."""
    rows = await connection.fetch(statement("imports", "prefixes_elsewhere"), prefix, origin)
    return [row["origin"] for row in rows]


async def read_agencies(connection: Connection, origin: str) -> list[Agency]:
    """Return the agencies of an origin."""
    rows = await connection.fetch(statement("imports", "agency_names"), origin)
    return [_agency.decode(row["document"]) for row in rows]


async def read_source_rows(connection: Connection, records: Sequence[str]) -> dict[str, KeptRow]:
    """Return the rows of the latest versions of records, by id."""
    rows = await connection.fetch(statement("imports", "source_rows"), list(records))
    return {row["record"]: KeptRow(content=row["content"], whole=row["whole"]) for row in rows}


async def replace_rows(connection: Connection, rows: Mapping[str, KeptRow]) -> None:
    """Insert or replace the rows of latest versions, by record."""
    await connection.execute(
        statement("imports", "replace_rows"),
        list(rows),
        [row.content for row in rows.values()],
        [row.whole for row in rows.values()],
    )


async def read_replaced(connection: Connection, *, since: int) -> list[str]:
    """Return the records of which whole texts were replaced since; see `LogState.replaced`."""
    rows = await connection.fetch(statement("imports", "replaced"), since)
    return [row["record"] for row in rows]


async def read_source_events(
    connection: Connection, *, only: Sequence[str] | None = None
) -> dict[str, list[SourceEvent]]:
    """Return what happened to records at their source, of some or of all, oldest first."""
    found: dict[str, list[SourceEvent]] = {}
    for row in await connection.fetch(statement("imports", "source_events"), only):
        facts = {name: row[name] for name in SourceEvent.__struct_fields__}
        found.setdefault(row["record"], []).append(SourceEvent(**facts))
    return found


async def note_met(
    connection: Connection,
    met: Mapping[str, str | None],
    *,
    run: int,
    now: dt.datetime,
) -> None:
    """Store that records were in the file of a run, with their dates of change."""
    await connection.execute(
        statement("imports", "met"),
        list(met),
        list(met.values()),
        now,
        run,
    )


async def read_source_row(connection: Connection, record: str) -> ReadRow | None:
    """Return the row of a foreign record's latest version, None where it has none."""
    row = await connection.fetchrow(statement("imports", "source_row"), record)
    return None if row is None else ReadRow(**row)


def _run(row: Any) -> ImportRun:
    return ImportRun(**{**row, "counts": _counts.decode(row["counts"])})


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
