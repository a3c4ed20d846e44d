"""The check of the rows of a part of the log: what follows from it, compared with what is stored.

Entries and what they commit to are checked by their hashes; from these the rows are derived, and
the database compares them with those that are stored. Nothing is written to what is checked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec

from registry.errors import RegistryError
from registry.ledger.entries import StatedEntry
from registry.ledger.projection import ComparableRows, LogPart, comparable_rows
from registry.ledger.published_log import read_keys
from registry.log.blob import ContentRefused, check_kept
from registry.log.configuration import PACK, read_pack_agencies
from registry.log.entry import (
    AgencyEntry,
    LogEntry,
    RedactionEntry,
    VersionEntry,
    decode_entry,
    parse_timestamp,
    timestamp,
)
from registry.log.replay import ChainHead, LogInconsistent, LogReplay
from registry.record.pack import Agency
from registry.store import checkpoints, log_checks, redactions
from registry.store.agencies import agency_document
from registry.store.database import AWAY, Connection, transaction
from registry.store.log import Entry, TableRow
from registry.store.log_checks import PROJECTED, EntryContent, RowDifference, Span
from registry.tlog.hashing import leaf_hash

DATABASE = "the database"

MOST_FAULTS = 20
"""The faults after which a check ends."""

STORED = "is stored, and no such row follows from the log"
MISSING = "is missing, and follows from the log"
_LONGEST = 120
_AROUND = 40


class DatabaseInconsistent(LogInconsistent):
    """The database does not follow from its log: up to `MOST_FAULTS` places, the first first."""

    def __init__(self, faults: Sequence[LogInconsistent]) -> None:
        """Take what was found, at least one."""
        first = faults[0]
        super().__init__(first.where, first.index, first.why)
        self.faults = faults[:MOST_FAULTS]
        self.detail = "\n".join(one.detail for one in self.faults)
        self.args = (self.detail,)

    @property
    def sentence(self) -> str:
        """The first fault, and how many there are."""
        more = len(self.faults) - 1
        return self.faults[0].detail + (f"; and {more} more" if more else "")


class CheckedBy(msgspec.Struct, frozen=True, kw_only=True):
    """What parts of the log are checked by: facts of all of it, and the columns of the tables."""

    columns: Mapping[str, Sequence[str]]
    agencies: dict[str, Agency]
    redactions: Sequence[tuple[int, RedactionEntry]]
    erasures: Mapping[int, Sequence[int]]


class RowCheck:
    """A check under way: what it knows, and what it has found."""

    def __init__(self, connection: Connection, known: CheckedBy) -> None:
        """Take a snapshot of the database, and what its parts are checked by."""
        self.connection = connection
        self.known = known
        self.faults: list[LogInconsistent] = []
        self.erased: dict[int, set[int]] = {}
        """The entries that each redaction has erased something of."""

    def add(self, where: str, index: int | None, why: str) -> None:
        """Note a fault, once."""
        fault = LogInconsistent(where, index, why)
        if fault.detail not in {one.detail for one in self.faults}:
            self.faults.append(fault)

    def finish(self) -> None:
        """Raise `DatabaseInconsistent` if something was found."""
        if self.faults:
            raise DatabaseInconsistent(self.faults)

    @asynccontextmanager
    async def looking(self, where: str, index: int | None = None) -> AsyncIterator[None]:
        """Take any error of a block for a fault at a place, and go on after it.

        Only that the database is away is none.
        """
        try:
            # A statement that fails must not end the snapshot.
            async with transaction(self.connection):
                yield
        except LogInconsistent as error:
            self.faults.append(error)
        except (RegistryError, *AWAY):
            raise
        except Exception as error:  # noqa: BLE001  whatever somebody has written there
            why = f"cannot be checked ({type(error).__name__}: {str(error)[:_LONGEST]})"
            self.add(where, index, why)

    async def read_agencies(self) -> dict[str, Agency]:
        """Return the agencies as configurations and entries of their own state them last."""
        configured = await checkpoints.read_of_kinds(self.connection, "genesis", "configuration")
        said = said_by(configured)
        contents = await log_checks.read_contents(self.connection, said)
        await asyncio.to_thread(self.check_contents, said, contents)
        if self.faults:
            return {}
        found: dict[str, Agency] = {}
        for content in contents.values():
            for section in content.sections:
                if section.key == PACK:
                    found |= read_pack_agencies(section.value)
        named = said_by(await checkpoints.read_of_kinds(self.connection, "agency"))
        return found | {
            one.agency: one.facts for one in named.values() if isinstance(one, AgencyEntry)
        }

    async def read_entries(self, span: Span, size: int) -> list[Entry]:
        """Return the entries of a part of a log of a size; those that are missing are faults."""
        found, expected = [], span.start or 0
        first, last = span.bounds
        for entry in await checkpoints.read_entries(
            self.connection, first, last if span.end is None else span.end
        ):
            if not expected <= entry.index < size:
                self.add(DATABASE, entry.index, "it is there, but was never committed to")
                continue
            for index in range(expected, entry.index):
                self.add(DATABASE, index, "it is missing")
            found.append(_stated(entry))
            expected = entry.index + 1
        for index in range(expected, size if span.end is None else span.end):
            self.add(DATABASE, index, "it is missing")
        return found

    async def walk_from(self, entries: Sequence[Entry]) -> LogReplay:
        """Begin a walk in the middle of the log."""
        if not entries or not entries[0].index:
            return LogReplay()
        start, connection = entries[0].index, self.connection
        subjects = {said.subject for one in entries if (said := _decoded(one)) and said.subject}
        found = await log_checks.read_before(connection, start, subjects)
        earlier = await checkpoints.read_entries(connection, start - 1, start)
        return LogReplay(
            at=timestamp(earlier[0].at) if earlier else "",
            keys=await read_keys(connection, start),
            last={
                one.subject: ChainHead(index=one.index, leaf=one.leaf.hex(), version=one.version)
                for one in found
            },
        )

    def step(self, walk: LogReplay, entries: Sequence[Entry]) -> dict[int, str | None]:
        """Check entries by their leaf hashes and by those before.

        Return the records of those that are refused, by index.
        """
        refused = {}
        for entry in entries:
            if leaf_hash(entry.content) != entry.leaf:
                self.add(DATABASE, entry.index, "its bytes are not those that were committed to")
                refused[entry.index] = entry.record
                continue
            try:
                walk.step(DATABASE, entry.index, entry.content)
            except LogInconsistent as error:
                self.faults.append(error)
                refused[entry.index] = entry.record
        return refused

    async def read_part(self, span: Span, entries: Sequence[Entry]) -> LogPart:
        """Read what the rows of entries follow from."""
        connection, known = self.connection, self.known
        records = sorted({entry.record for entry in entries if entry.record is not None})
        contents = await log_checks.read_contents(connection, said_by(entries))
        erasers = {
            member.redaction
            for content in contents.values()
            for section in content.sections
            for member in section.erased
        }
        replaced: dict[int, list[Any] | None] = {}
        async with self.looking(f"{DATABASE}, what redactions have put in the place of members"):
            replaced = await redactions.read_replaced(connection, erasers)
        first, last = span.bounds
        return LogPart(
            entries=entries,
            contents=contents,
            agencies=known.agencies,
            current=await log_checks.read_current(connection, records, max(first, 0)),
            following=await log_checks.read_following(connection, records, last + 1)
            if span.end is not None
            else {},
            redactions=known.redactions,
            erasures=known.erasures,
            replaced=replaced,
        )

    def check_contents(
        self, said: Mapping[int, LogEntry], contents: Mapping[int, EntryContent]
    ) -> None:
        """Check what entries commit to by their commitments."""
        for index, entry in said.items():
            try:
                check_kept(contents[index].sections, entry.commitments)
            except ContentRefused as error:
                table = "section" if isinstance(entry, VersionEntry) else "entry_section"
                self.add(f"{DATABASE}, table {table}", index, str(error))

    async def check_part(self, span: Span, entries: Sequence[Entry], walk: LogReplay) -> None:
        """Check consecutive entries and what they commit to, and compare the rows that follow."""
        refused = self.step(walk, entries)
        good = [entry for entry in entries if entry.index not in refused]
        rows = await asyncio.to_thread(comparable_rows, await self.read_part(span, good))
        await self.compare_part(span, rows, refused)

    async def compare_part(
        self, span: Span, made: ComparableRows, refused: Mapping[int, str | None]
    ) -> None:
        """Compare the rows of a part with those that follow; of what was refused nothing does."""
        for fault in made.faults:
            subject = f", {fault.subject}" if fault.subject else ""
            self.add(f"{DATABASE}, table {fault.table}{subject}", fault.index, fault.why)
        for redaction, entry in made.erased:
            self.erased.setdefault(redaction, set()).add(entry)
        silent = made.silent | {record for record in refused.values() if record is not None}
        for table in PROJECTED:
            if PROJECTED[table].part:
                rows, part = made.rows.get(table, b"[]"), made.about.get(table, span.bounds)
                for one in await self._differences(table, rows, part):
                    record = (
                        one.key.split(" ")[0] if one.entry is None else made.names.get(one.entry)
                    )
                    is_refused = one.entry in made.refused or one.entry in refused
                    if not is_refused and record not in silent:
                        self._note_difference(table, one, record)

    async def compare(self, table: str, rows: Sequence[TableRow], part: Sequence[Any]) -> None:
        """Compare the rows of a table that follow from a part with those that are stored."""
        for one in await self._differences(table, msgspec.json.encode(rows), part):
            self._note_difference(table, one, None)

    async def _differences(
        self, table: str, rows: bytes, part: Sequence[Any]
    ) -> list[RowDifference]:
        """Return in what the stored rows of a part differ from those that follow."""
        found: list[RowDifference] = []
        async with self.looking(f"{DATABASE}, table {table}"):
            columns = self.known.columns[table]
            found += await log_checks.compare(
                self.connection, table, columns, rows, part, most=MOST_FAULTS
            )
        return found

    def _note_difference(self, table: str, one: RowDifference, record: str | None) -> None:
        """Note a difference by table, key and column."""
        key = one.key if record is None or one.key.startswith(record) else f"{record} {one.key}"
        where = f"{DATABASE}, table {table}{', ' if key else ''}{key}"
        if one.is_invented:
            self.add(where, one.entry, STORED)
        elif one.is_missing:
            self.add(where, one.entry, MISSING)
        else:
            stored, derived = _shown(one.stored, one.derived), _shown(one.derived, one.stored)
            why = f"{one.column_name} is {stored}, and {derived} follows from the log"
            self.add(where, one.entry, why)


async def begin_check(connection: Connection) -> RowCheck:
    """Begin a check: read what all parts are checked by, and compare tables that are of no part."""
    redacting = said_by(await checkpoints.read_of_kinds(connection, "redaction"))
    erasures = await log_checks.read_erasures(connection)
    known = CheckedBy(
        columns=await log_checks.read_columns(connection),
        agencies={},
        redactions=[
            (index, said) for index, said in redacting.items() if isinstance(said, RedactionEntry)
        ],
        erasures={one.redaction: one.entries for one in erasures},
    )
    check = RowCheck(connection, known)
    async with check.looking(f"{DATABASE}, table agency"):
        known.agencies.update(await check.read_agencies())
    if not known.agencies:
        # Without them hardly anything follows.
        check.finish()
    rows = [
        {
            "id": one.id,
            "document": agency_document(one),
            "origin": one.origin,
            "fictitious": one.fictitious,
        }
        for one in known.agencies.values()
    ]
    await check.compare("agency", rows, [])
    for kind, table, key in (("origin", "origin", "code"), ("import", "import_run", "id")):
        last: dict[Any, TableRow] = {}
        for entry in await checkpoints.read_of_kinds(connection, kind):
            for said in said_by([entry]).values():
                for row in StatedEntry(entry=said).project(_stated(entry))[table]:
                    last[row[key]] = row
        await check.compare(table, list(last.values()), [])
    return check


def said_by(entries: Sequence[Entry]) -> dict[int, LogEntry]:
    """Return what entries say, by index, of those that say something."""
    return {entry.index: said for entry in entries if (said := _decoded(entry)) is not None}


def _stated(entry: Entry) -> Entry:
    """Return an entry as its bytes say what it is, with which its row is compared."""
    said = _decoded(entry)
    if said is None:
        return entry
    return msgspec.structs.replace(
        entry, kind=said.kind, record=said.record, at=parse_timestamp(said.at)
    )


def _decoded(entry: Entry) -> LogEntry | None:
    """Return what an entry says; None where that is nothing, as the check of its part says."""
    with suppress(ValueError, RecursionError):
        return decode_entry(entry.content)
    return None


def _shown(value: str | None, other: str | None) -> str:
    """Return the JSON of a value, of a long text what is around its first difference."""
    text, beside = _plain(value), _plain(other)
    if len(text) <= _LONGEST:
        return text
    same = next(
        (at for at, signs in enumerate(zip(text, beside, strict=False)) if signs[0] != signs[1]),
        min(len(text), len(beside)),
    )
    start = max(0, same - _AROUND)
    cut = text[start : start + _LONGEST]
    return f"{'…' if start else ''}{cut}{'…' if start + _LONGEST < len(text) else ''}"


def _plain(value: str | None) -> str:
    """Return the JSON of a value, a text as it is between quotes."""
    text = "null" if value is None else value
    return f'"{msgspec.json.decode(text)}"' if text.startswith('"') else text
