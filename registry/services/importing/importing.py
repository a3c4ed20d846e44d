"""Importing: the records of other registers, published here under their register's name.

A record is recognised by what its source calls it (`import_matching`), and keeps the id that it was
given here first. A new version is published where its document differs, or its agency; another row
of the same meaning replaces the one that is kept. Every import is a run, whose report is kept.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import msgspec

from registry.errors import ImportRefused
from registry.ledger.append import append, publish
from registry.ledger.entries import StatedEntry, after
from registry.ledger.publication import Publication
from registry.log.entry import Imported, ImportEntry, SourceEntry, stated_origin, timestamp
from registry.log.erasure import without_erased
from registry.record.canonical import canonical
from registry.record.model import Document, SourceState
from registry.record.origin import Origin
from registry.record.pointers import pointer
from registry.services.context import ServiceContext
from registry.services.importing.matching import (
    ForeignFiling,
    PlacedFiling,
    RecordKey,
    RefusedRow,
    maybe_renamed,
    missing,
    place_filings,
    refuse_foreign_ids,
    refuse_large_rows,
    refuse_moved_names,
)
from registry.services.people.agencies import save_agencies
from registry.store import imports, records, redactions
from registry.store.database import Connection
from registry.store.heartbeats import leadership
from registry.store.imports import ImportCounts, ImportFile, KeptRow, KnownRecord
from registry.store.records import CurrentDocument, CurrentVersion


class ImportOutcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one record: `outcome` is a count of `ImportCounts`.

    `source_id` is the record's id at its source, `fields` are the JSON Pointers of what differs,
    and `moved` are the agencies before and now, if it is another one.
    """

    record: str
    outcome: str
    source_id: str = ""
    fields: Sequence[str] = ()
    moved: tuple[str, str] | None = None
    undated: bool = False


class RunReport(msgspec.Struct, kw_only=True):
    """What an import did: counts, refused rows by reason with their places, and each record.

    Records that stay as they were are only counted. `notes` are sentences about the whole, and
    `reading` is what was noticed while the file was read. `run` is the number of the run, None of a
    dry run.
    """

    run: int | None = None
    counts: ImportCounts = msgspec.field(default_factory=ImportCounts)
    notes: list[str] = []
    reading: Mapping[str, Any] = {}
    refused: dict[str, list[str]] = {}
    records: list[ImportOutcome] = []


def by_reason(refused: Sequence[RefusedRow]) -> dict[str, list[str]]:
    """Return the places of refused rows by the reason."""
    found: dict[str, list[str]] = {}
    for one in refused:
        found.setdefault(one.reason, []).append(one.place)
    return found


def _changed_members(before: Document, after: Document) -> Iterator[str]:
    """Yield the JSON Pointers of what differs: of members, or of members of members."""
    for name in sorted({*before, *after}):
        earlier, later = before.get(name), after.get(name)
        if earlier == later:
            continue
        if isinstance(earlier, dict) and isinstance(later, dict):
            for member in sorted({*earlier, *later}):
                if earlier.get(member) != later.get(member):
                    yield pointer([name, member])
        else:
            yield pointer([name])


_BATCH = 250
"""Records a transaction: large enough to be fast, short enough that filings do not wait."""

_MANY = 50
"""From so many records on, a file in which most of them are missing is taken for a mistake."""


async def import_foreign(
    context: ServiceContext,
    file: ImportFile,
    filings: Sequence[ForeignFiling],
    *,
    key_of: Callable[[Document, str, str], RecordKey],
    now: Callable[[], dt.datetime],
    refused: Sequence[RefusedRow] = (),
    reading: Mapping[str, Any] | None = None,
    dry_run: bool = False,
    gone_anyway: bool = False,
    renamed_anyway: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> RunReport:
    """Publish what a file says of the records of its register, a batch a transaction.

    `key_of` makes the key of a published record out of its document, agency and id at the source;
    `reading` is kept in the report.
    What was withdrawn here stays so, and what was erased here stays out. Stopped half-way, the
    batches that were finished stay, and the next import goes on from there. Imports take turns. A
    dry run publishes nothing. Raises `ImportRefused` where most records would be gone, unless they
    are `gone_anyway`, and where ids are those of other systems, unless they are `renamed_anyway`.
    """
    origin = file.origin.code
    filings, large = refuse_large_rows(filings)
    async with leadership(context.database, "importer"):
        async with context.database.snapshot() as connection:
            known = [
                msgspec.structs.replace(
                    one, source_id=key_of(one.document, one.agency, one.source_id).source_id
                )
                for one in await imports.read_known(connection, origin)
            ]
            named = await imports.read_agencies(connection, origin)
            before = (await imports.read_origins(connection)).get(origin, file.origin)
            erased = await redactions.read_erased(connection, [one.id for one in known])
            placed, elsewhere, notes = await refuse_foreign_ids(
                connection, origin, place_filings(filings, known, named, key_of, erased)
            )
        if not renamed_anyway:
            refuse_moved_names(origin, known, placed)
        refused = [*refused, *large, *elsewhere]
        gone, unclear = missing(known, placed, refused) if file.complete else ([], [])
        standing = sum(one.state == "published" for one in known)
        if len(gone) > max(_MANY, standing / 2) and not gone_anyway:
            raise ImportRefused(
                f"{len(gone):,} of {standing:,} records of {origin} are not in this file: if it is "
                "the whole source all the same, add --gone-anyway; if not, leave out --complete"
            )
        report = RunReport(
            counts=ImportCounts(
                rows=len(placed) + len(refused), records=len(placed), refused=len(refused)
            ),
            notes=[
                *notes,
                *_other_source(before, file.origin),
                *unclear,
                *maybe_renamed(known, placed, gone),
            ],
            reading=reading or {},
            refused=by_reason(refused),
        )
        work = _Run(context, file, report, dry_run=dry_run)
        await work.begin(now())
        try:
            for start in range(0, len(placed), _BATCH):
                with work.taken_back():
                    await work.publish(placed[start : start + _BATCH], now=now())
                if progress is not None:
                    progress(min(start + _BATCH, len(placed)), len(placed))
            for start in range(0, len(gone), _BATCH):
                with work.taken_back():
                    await work.mark_gone(gone[start : start + _BATCH], now=now())
        except BaseException:
            await work.end(None)
            raise
        await work.end(now())
    return report


async def save_origin(
    context: ServiceContext, connection: Connection, origin: Origin, *, now: dt.datetime
) -> None:
    """Append an entry of what is known of an origin, where that is new."""
    if (await imports.read_origins(connection)).get(origin.code) != origin:
        state = await context.guard.lock(connection, now=now)
        entry = StatedEntry(entry=stated_origin(context.pack.code, origin))
        await append(connection, context.guard, state, [entry])


async def end_run(
    context: ServiceContext,
    connection: Connection,
    number: int,
    report: RunReport,
    *,
    now: dt.datetime | None,
) -> None:
    """Append the entry of a run's outcome, or store it; `now` is None where it was stopped."""
    run = None if now is None else await imports.read_run(connection, number)
    if now is None or run is None:
        await imports.stop(connection, number, report.counts, report)
    else:
        text = msgspec.json.encode(report)
        state = await context.guard.lock(connection, now=now)
        stated = ImportEntry(
            actor=context.pack.code,
            run=number,
            origin=run.origin,
            begun_at=timestamp(run.begun_at),
            file_name=run.file_name,
            file_sha256=run.file_sha256,
            crosswalk_sha256=run.crosswalk_sha256,
            as_of=run.as_of,
            complete=run.complete,
            counts=msgspec.to_builtins(report.counts),
            report=sha256(text).hexdigest(),
        )
        entry = StatedEntry(entry=stated, report=text.decode())
        await append(connection, context.guard, state, [entry])


def _other_source(before: Origin, now: Origin) -> Iterator[str]:
    """Yield a sentence if the crosswalk may be a copy that kept the code of its original."""
    if before.title != now.title and before.homepage != now.homepage:
        yield (
            f"{now.code} was {before.title!r} until now, with another homepage: if this is another "
            'source, give its crosswalk an "origin" and a prefix of its own'
        )


class _Batch(msgspec.Struct, kw_only=True):
    """What is to be written of a batch; `met` are ids at the source with dates of change."""

    publications: list[Publication] = []
    back: list[tuple[str, CurrentVersion]] = []
    met: dict[str, str | None] = {}
    rows: dict[str, KeptRow] = {}


class _Run:
    """A run of an import: it publishes in batches, and counts what became of each record."""

    def __init__(
        self, context: ServiceContext, file: ImportFile, report: RunReport, *, dry_run: bool
    ) -> None:
        self._context = context
        self._file = file
        self._report = report
        self._counts = report.counts
        self._fields: Counter[str] = Counter()
        self._dry_run = dry_run
        self._number = 0

    async def begin(self, now: dt.datetime) -> None:
        if not self._dry_run:
            async with self._context.transaction() as connection:
                await save_origin(self._context, connection, self._file.origin, now=now)
                self._number = await imports.begin(connection, self._file, self._counts, now=now)
            self._report.run = self._number

    async def end(self, now: dt.datetime | None) -> None:
        self._counts.fields = dict(self._fields.most_common())
        if not self._dry_run:
            async with self._context.transaction() as connection:
                await end_run(self._context, connection, self._number, self._report, now=now)

    @contextmanager
    def taken_back(self) -> Iterator[None]:
        """Take back what the block has counted if it fails: its transaction has kept nothing."""
        counts, fields = msgspec.structs.asdict(self._counts), self._fields.copy()
        told = len(self._report.records)
        try:
            yield
        except BaseException:
            for name, number in counts.items():
                setattr(self._counts, name, number)
            self._fields = fields
            del self._report.records[told:]
            raise

    async def publish(self, placed: Sequence[PlacedFiling], *, now: dt.datetime) -> None:
        """Publish what has changed of a batch."""
        if self._dry_run:
            async with self._context.database.connection() as connection:
                await self._compare(connection, placed)
            return
        async with self._context.transaction() as connection:
            homes = {one.agency.id: one.agency for one in placed}
            guard, random = self._context.guard, self._context.random
            own = self._context.pack.code
            await records.lock_records(connection, [one.id for one in placed])
            await save_agencies(connection, [*homes.values()], guard=guard, actor=own, now=now)
            batch = await self._compare(connection, placed)
            await imports.replace_rows(connection, batch.rows)
            await publish(connection, batch.publications, guard=guard, now=now, random=random)
            await imports.note_met(connection, batch.met, run=self._number, now=now)
            await self._append(connection, batch.back, "present", now=now)
            await imports.keep_counts(connection, self._number, self._counts)

    async def mark_gone(self, batch: Sequence[KnownRecord], *, now: dt.datetime) -> None:
        """Publish of records that they are no longer in their source."""
        for one in batch:
            self._note("gone", one.id, one.source_id)
        if self._dry_run:
            return
        async with self._context.transaction() as connection:
            await records.lock_records(connection, [one.id for one in batch])
            latest = await records.read_latest(connection, [one.id for one in batch])
            still = [(name, one) for name, one in latest.items() if one.state == "published"]
            await self._append(connection, still, "gone", now=now)
            await imports.keep_counts(connection, self._number, self._counts)

    async def _append(
        self,
        connection: Connection,
        about: Sequence[tuple[str, CurrentVersion]],
        state: SourceState,
        *,
        now: dt.datetime,
    ) -> None:
        entries = [
            StatedEntry(
                entry=SourceEntry(
                    actor=self._context.pack.code,
                    id=name,
                    origin=self._file.origin.code,
                    version=current.version,
                    state=state,
                    day=self._file.as_of or now.date(),
                    run=self._number,
                    prev=after(current),
                    sections={},
                )
            )
            for name, current in about
        ]
        if entries:
            guard = self._context.guard
            await append(connection, guard, await guard.lock(connection, now=now), entries)

    async def _compare(self, connection: Connection, placed: Sequence[PlacedFiling]) -> _Batch:
        """Compare filings with what is published of their records."""
        ids = [one.id for one in placed]
        current = await records.read_current(connection, ids)
        erased = await redactions.read_erased(connection, ids)
        kept = await imports.read_source_rows(connection, ids)
        batch = _Batch()
        for one in placed:
            before, filing = current.get(one.id), one.filing
            if before is not None and before.state == "withdrawn":
                self._note("withdrawn", one.id, filing.source_id)
                continue
            document = without_erased(filing.document | {"id": one.id}, erased.get(one.id, {}))
            row = filing.kept_row
            batch.met[one.id] = filing.changed_on
            is_back = one.known is not None and one.known.source_state == "gone"
            if is_back:
                self._note("returned", one.id, filing.source_id)
            if (
                before is None
                or before.document != canonical(document)
                or before.agency != one.agency.id
            ):
                imported = self._imported(one, before, document, kept.get(one.id), row)
                batch.publications.append(
                    Publication(
                        document=document,
                        agency=one.agency,
                        actor=self._context.pack.code,
                        verdict=filing.verdict,
                        source_row=None if one.id in erased else row.content,
                        whole=filing.whole,
                        imported=imported,
                    )
                )
                continue
            self._counts.unchanged += 1
            if is_back:
                batch.back.append((one.id, before))
            if kept.get(one.id) != row and one.id not in erased:
                batch.rows[one.id] = row
        return batch

    def _imported(
        self,
        one: PlacedFiling,
        before: CurrentDocument | None,
        document: Document,
        kept: KeptRow | None,
        row: KeptRow,
    ) -> Imported:
        """Count a new version, and return what its entry says of its source."""
        filing, known = one.filing, one.known
        fields = (
            []
            if before is None
            else list(_changed_members(msgspec.json.decode(before.document), document))
        )
        has_moved = before is not None and before.agency != one.agency.id
        is_reread = bool(fields) and kept is not None and kept.content == row.content
        is_undated = (
            bool(fields)
            and not is_reread
            and filing.changed_on is not None
            and known is not None
            and known.changed_on == filing.changed_on
        )
        moved_from = before.agency if before is not None and has_moved else None
        self._counts.undated += is_undated
        self._counts.reread += is_reread
        self._fields.update(fields)
        outcomes = {"added": before is None, "changed": bool(fields), "moved": has_moved}
        for outcome in (name for name, holds in outcomes.items() if holds):
            self._note(
                outcome,
                one.id,
                filing.source_id,
                fields=fields if outcome == "changed" else (),
                moved=(moved_from, one.agency.id) if outcome == "moved" else None,
                undated=is_undated and outcome == "changed",
            )
        return Imported(
            origin=self._file.origin.code,
            run=self._number,
            moved_from=moved_from,
            changed_on=filing.changed_on,
            undated=is_undated,
        )

    def _note(self, outcome: str, record: str, source_id: str, **said: object) -> None:
        setattr(self._counts, outcome, getattr(self._counts, outcome) + 1)
        self._report.records.append(
            msgspec.convert(
                {"record": record, "outcome": outcome, "source_id": source_id, **said},
                ImportOutcome,
            )
        )
