"""What the check of the database by its log reads, and the comparison of rows in SQL.

Nothing that is checked is decoded here, and nothing is called that the database itself defines.
"""

# ruff: noqa: S608  names of tables and columns are our own, or quoted

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from registry.log.blob import KeptSection
from registry.log.entry import ImportEntry, LogEntry, VersionEntry
from registry.store import checkpoints
from registry.store.database import Connection, read_rows, statement
from registry.store.log import Entry
from registry.store.records import CurrentVersion

_PLACES = {"entry", "index", "ord"}
"""The columns that have the index of an entry."""

_FIRST, _LAST = -(2**63), 2**63 - 1


class ProjectedTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table whose rows follow from the log: its key, and by what a part of it is found.

    `part` is the column with the entry's index, or where the table has none the columns that name
    what the entries of a part are about; a table without is compared as a whole. `unstated` are
    the columns that follow from no entry, or were checked by their digests. `only` limits it to
    some rows, stored (s) and derived (d).
    `named` are the columns by which a row is named, if these are not the usual ones.
    """

    key: tuple[str, ...]
    part: tuple[str, ...] = ("entry",)
    unstated: frozenset[str] = frozenset()
    only: str = "true"
    named: tuple[str, ...] = ()

    def name(self, columns: Sequence[str]) -> list[str]:
        """Return the columns by which a row is named: whose it is, and which one of these."""
        subject = next((one for one in ("record", "agency") if one in columns), self.key[0])
        further = [one for one in ("version", *self.key) if one in columns and one not in _PLACES]
        return list(self.named or dict.fromkeys((subject, *further)))

    def is_of_part(self) -> str:
        """Return the condition of the rows of a part, whose parameters begin with $3."""
        if not self.part:
            return "true"
        if self.part[0] in _PLACES:
            return f'"{self.part[0]}" between $3 and $4'
        kinds = {"version": "integer"}
        values = [f"${at}::{kinds.get(one, 'text')} []" for at, one in enumerate(self.part, 3)]
        return f"({', '.join(self.part)}) in (select * from unnest({', '.join(values)}))"

    def compared(self, columns: Sequence[str]) -> list[str]:
        """Return those of the table's columns that are compared."""
        return [one for one in columns if one not in self.unstated]


PROJECTED: dict[str, ProjectedTable] = {
    # The bytes are what all else follows from.
    "log_state": ProjectedTable(
        key=("only_row",),
        part=(),
        # The office's: what was decided and counted of the log, which no entry says.
        unstated=frozenset(
            {
                "erasures",
                "pack",
                "replaced",
                "fault",
                "incarnation",
                "stopped",
                "discards",
                "dated_ahead",
            }
        ),
    ),
    "log_entry": ProjectedTable(key=("index",), part=("index",), unstated=frozenset({"bytes"})),
    "version": ProjectedTable(key=("entry",)),
    "section": ProjectedTable(
        key=("record", "version", "key"),
        part=("record", "version"),
        unstated=frozenset({"value", "salts"}),
    ),
    "entry_section": ProjectedTable(key=("entry", "key"), unstated=frozenset({"value", "salts"})),
    "erased_member": ProjectedTable(key=("entry", "key", "pointer")),
    "withdrawal": ProjectedTable(key=("entry",)),
    "attestation": ProjectedTable(key=("entry",)),
    "source_event": ProjectedTable(key=("entry",)),
    "agency": ProjectedTable(key=("id",), part=()),
    "agency_entry": ProjectedTable(key=("entry",)),
    "origin": ProjectedTable(key=("code",), part=()),
    # Its report is checked by its digest. What has not ended is the office's.
    "import_run": ProjectedTable(
        key=("id",),
        part=(),
        unstated=frozenset({"report"}),
        only="(d.id is not null or s.ended_at is not null)",
    ),
    "short_code": ProjectedTable(key=("entry",)),
    "redaction": ProjectedTable(
        key=("entry",),
        # The office's: numbers of requests, times, and persons, of whom the log says nothing.
        unstated=frozenset({"id", "requested_at", "requested_person", "confirmed_person"}),
        only="(d.entry is not null or s.entry is not null)",
    ),
    "record": ProjectedTable(key=("id",), part=("id",), named=("id",)),
    "figure": ProjectedTable(key=("entry",)),
    "search_version": ProjectedTable(
        key=("ord",),
        part=("ord",),
        # What another analysis wrote answers nothing before it is derived again.
        only="(s.ord is null or d.ord is null or s.analysis is not distinct from d.analysis)",
    ),
    "blocking_key": ProjectedTable(key=("key", "record"), part=("record",), named=("record",)),
    "foreign_record": ProjectedTable(
        key=("record",),
        part=("record",),
        # When an import met it last, which appends no entry.
        unstated=frozenset({"seen_at", "run", "changed_on"}),
    ),
}
"""The tables that are compared, in the order in which differences are reported."""

_COMPARE = """
select
    concat_ws(' ', {named}) as key, {entry} as entry, s.{first} is null as is_missing,
    d.{first} is null as is_invented, c.name as column_name, c.stored, c.derived
from (select * from {table} where {part}) as s
full join jsonb_populate_recordset((select t from {table} as t limit 0), $1::jsonb) as d on {joined}
left join lateral (
    select name, a.value::text as stored, b.value::text as derived
    from jsonb_each(to_jsonb(s)) as a (name, value)
    inner join jsonb_each(to_jsonb(d)) as b (name, value) using (name)
    where a.value is distinct from b.value and name = any($2::text [])
) as c on s.{first} is not null and d.{first} is not null
where ({stored}) is distinct from ({derived}) and {only}
order by entry, key, column_name
limit {most}
"""


class RowDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A row that is stored otherwise than it follows from the log: JSON of a column, if in one."""

    key: str
    entry: int | None
    is_missing: bool
    is_invented: bool
    column_name: str | None
    stored: str | None
    derived: str | None


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the log: from an index to before another, without bound where there is none."""

    start: int | None
    end: int | None

    @property
    def words(self) -> str:
        """The part in words."""
        return f"entries from {self.start or 0}{'' if self.end is None else f' to {self.end - 1}'}"

    @property
    def bounds(self) -> tuple[int, int]:
        """The first and the last index that a row may have."""
        return (
            _FIRST if self.start is None else self.start,
            _LAST if self.end is None else self.end - 1,
        )


class StoredVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on a version as stored: `findings` is text, and nobody knows of what."""

    entry: int
    findings: str
    missing: Sequence[str]
    salt: bytes


class EntryContent(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry commits to, as stored; `verdict` is None of what is no version.

    `left` is the text of the verdicts that a redaction leaves, until it is carried out; `report`
    the SHA-256 in hex of an import's report.
    """

    sections: Sequence[KeptSection]
    verdict: StoredVerdict | None
    left: str | None
    report: str | None


class Following(msgspec.Struct, frozen=True, kw_only=True):
    """What follows on a record after a part of the log.

    `until_entry` and `until_at` are of the next version or withdrawal; `is_amended` says that
    there is a later version.
    """

    record: str
    until_entry: int
    until_at: dt.datetime
    is_amended: bool


class LastBefore(msgspec.Struct, frozen=True, kw_only=True):
    """The last entry of a record or agency before an index, and the version then in force."""

    subject: str
    index: int
    leaf: bytes
    version: int


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """A redaction that was carried out, and the entries that it has changed the content of."""

    redaction: int
    entries: Sequence[int]


class Stray(msgspec.Struct, frozen=True, kw_only=True):
    """A row of no entry: its table and key."""

    in_table: str
    key: str


async def read_columns(connection: Connection) -> dict[str, list[str]]:
    """Return the columns of the projected tables, as the catalogue has them."""
    found: dict[str, list[str]] = {table: [] for table in PROJECTED}
    for row in await connection.fetch(statement("log_checks", "columns"), list(PROJECTED)):
        found[row["in_table"]].append(row["name"])
    return found


async def compare(
    connection: Connection,
    table: str,
    columns: Sequence[str],
    rows: bytes,
    part: Sequence[Any],
    *,
    most: int,
) -> list[RowDifference]:
    """Return the first differences between the stored rows of a part and those that follow.

    `rows` are these as JSON. `part` are the bounds of the entries' indexes, or the values of what
    the part is about.
    """
    of_table = PROJECTED[table]
    key, compared = of_table.key, of_table.compared(columns)
    place = next((one for one in ("entry", *key) if one in _PLACES and one in columns), None)
    question = _COMPARE.format(
        table=table,
        named=", ".join(f'coalesce(s."{one}", d."{one}")' for one in of_table.name(columns)),
        entry=f'coalesce(d."{place}", s."{place}")' if place else "null::bigint",
        first=f'"{key[0]}"',
        part=of_table.is_of_part(),
        joined=" and ".join(f's."{one}" = d."{one}"' for one in key),
        stored=", ".join(f's."{one}"' for one in compared),
        derived=", ".join(f'd."{one}"' for one in compared),
        only=of_table.only,
        most=most,
    )
    found = await connection.fetch(question, rows.decode(), compared, *part)
    return [RowDifference(**row) for row in found]


async def read_entries_of(connection: Connection, records: Sequence[str]) -> list[Entry]:
    """Return all entries of records, in order."""
    return await read_rows(connection, Entry, "log_checks", "entries_of", list(records))


async def read_records(connection: Connection) -> list[str]:
    """Return the records that entries are about."""
    return [row["record"] for row in await connection.fetch(statement("log_checks", "records"))]


async def read_contents(
    connection: Connection, said: Mapping[int, LogEntry]
) -> dict[int, EntryContent]:
    """Return what entries commit to, by index."""
    versions = {at: one for at, one in said.items() if isinstance(one, VersionEntry)}
    runs = {at: one.run for at, one in said.items() if isinstance(one, ImportEntry)}
    rows = await connection.fetch(
        statement("log_checks", "sections"),
        list(versions),
        [one.id for one in versions.values()],
        [one.version for one in versions.values()],
        [index for index in said if index not in versions],
    )
    sections = await checkpoints.read_contents(connection, list(said), rows)
    stored = await read_rows(connection, StoredVerdict, "log_checks", "verdicts", list(versions))
    verdicts = {one.entry: one for one in stored}
    rows = await connection.fetch(statement("redactions", "left"), list(said))
    left = {row["entry"]: row["verdicts"] for row in rows}
    rows = await connection.fetch(statement("log_checks", "reports"), list(runs.values()))
    reports = {row["id"]: row["digest"] for row in rows}
    return {
        index: EntryContent(
            sections=of_entry,
            verdict=verdicts.get(index),
            left=left.get(index),
            report=reports.get(runs.get(index)),
        )
        for index, of_entry in sections.items()
    }


async def read_current(
    connection: Connection, records: Collection[str], start: int
) -> dict[str, CurrentVersion]:
    """Return where records stood before an index, as far as rows follow from it."""
    rows = await connection.fetch(statement("log_checks", "current"), list(records), start)
    return {
        row["record"]: CurrentVersion(
            agency=row["agency"],
            origin=row["origin"],
            # The log says its number itself.
            version=0,
            state="published",
            entry=row["entry"],
            leaf=b"",
            risk=row["risk"],
            risk_changes=row["risk_changes"],
        )
        for row in rows
    }


async def read_following(
    connection: Connection, records: Collection[str], end: int
) -> dict[str, Following]:
    """Return what follows on records from an index on."""
    rows = await read_rows(connection, Following, "log_checks", "following", list(records), end)
    return {one.record: one for one in rows}


async def read_before(
    connection: Connection, start: int, subjects: Collection[str]
) -> list[LastBefore]:
    """Return the last entries of records and agencies before an index."""
    return await read_rows(connection, LastBefore, "log_checks", "before", start, list(subjects))


async def read_erasures(connection: Connection) -> list[Erasure]:
    """Return the redactions that were carried out."""
    return await read_rows(connection, Erasure, "log_checks", "erasures")


async def read_indexes(
    connection: Connection, record: str | None, versions: Sequence[int]
) -> list[int]:
    """Return the entries of versions of a record."""
    rows = await connection.fetch(statement("log_checks", "indexes"), record, list(versions))
    return [row["entry"] for row in rows]


async def read_size(connection: Connection) -> int:
    """Return the number of entries up to the last."""
    return int(await connection.fetchval(statement("log_checks", "size")))


async def read_strays(connection: Connection) -> list[Stray]:
    """Return rows that are of no entry, one of each table."""
    return await read_rows(connection, Stray, "log_checks", "strays")


async def count_outdated(connection: Connection, analysis: str) -> int:
    """Return the number of search rows of another analysis."""
    return int(await connection.fetchval(statement("log_checks", "outdated"), analysis))


async def count_source_rows(connection: Connection) -> int:
    """Return the number of rows of other registers, which no entry states."""
    return int(await connection.fetchval(statement("log_checks", "source_rows")))


async def set_fault(connection: Connection, fault: str | None) -> None:
    """Store what a check of the log found, or that it found nothing."""
    await connection.execute(statement("log_checks", "set_fault"), fault)


async def read_fault(connection: Connection) -> str | None:
    """Return what the last check of the log found; None while it found nothing."""
    fault: str | None = await connection.fetchval(statement("log_checks", "fault"))
    return fault
