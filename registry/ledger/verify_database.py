"""Checking the database by its log: nobody has changed, removed or moved what was published.

Triggers keep everybody from that, except whoever can remove triggers. So each publication checks
the newest of the log, the background runner all of it in turn, and the command `log verify` the
whole. What they find stops publication until the whole has been found in order again.

Entries and what they commit to are checked by their hashes; from these the rows are derived, and
the database compares them with those that are stored. Nothing is written to what is checked.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import cycle
from pathlib import Path
from typing import TypeAlias

import msgspec

from registry.ledger import signing
from registry.ledger.projection import ComparableRows, LogPart, comparable_rows
from registry.ledger.verify_rows import (
    DATABASE,
    MISSING,
    MOST_FAULTS,
    STORED,
    DatabaseInconsistent,
    RowCheck,
    begin_check,
)
from registry.log.files import LogRefused, tree_of
from registry.log.replay import LogReplay
from registry.record.search_document import DERIVATION
from registry.settings import Settings
from registry.store import checkpoints, log_checks
from registry.store.database import Connection, Database
from registry.store.log import Entry, bytea
from registry.store.log_checks import Span
from registry.tlog.compact import CompactRange
from registry.tlog.proof import Nodes
from registry.tlog.tile import WIDTH
from registry.work import WorkProcess

NEWEST = 16
"""The entries that are checked before each signature."""

_BLOCKED = "log-blocked"
_SHORT, _AHEAD, _MOST_PROCESSES, _PART_SECONDS = 4 * WIDTH, 4, 4, 600.0
"""The entries of a log that is checked in one process, and else the parts that are read ahead."""


_Waiting: TypeAlias = tuple[Span, dict[int, str | None], Awaitable["ComparableRows"]]
"""A part of the log, the entries of it that were refused, and the rows that will follow from it."""


class VerifiedDatabase(msgspec.Struct, frozen=True, kw_only=True):
    """A database that was found in order: the number of entries, and what was not compared.

    `outdated` counts search rows of another analysis, `source_rows` those of other registers, which
    no entry states, and reports of imports that are lost.
    """

    size: int
    outdated: int
    source_rows: int


async def check_database(
    database: Database, settings: Settings, *, progress: Callable[[int, int], None]
) -> VerifiedDatabase:
    """Check the whole log in the database, and every row that follows from it.

    Raises `DatabaseInconsistent`, which blocks publication until this finds nothing; what is found
    in a standby blocks nothing.
    """
    try:
        known = await asyncio.to_thread(signing.read_signed_size, settings)
        async with database.snapshot() as connection:
            seen = {one.size: one.root for one in known}
            found = await check_all(connection, seen, progress)
    except LogRefused as error:
        await _block_publication(database, settings, error)
        raise
    if not await database.is_standby():
        await asyncio.to_thread(_block(settings).unlink, missing_ok=True)
        async with database.transaction() as connection:
            await log_checks.set_fault(connection, None)
    return found


async def check_newest(database: Database, settings: Settings) -> None:
    """Check the newest entries, and the rows that follow from them, before they are signed.

    Raises `LogRefused` where something is found now, or was before.
    """
    block = _block(settings)
    if block.exists():
        raise LogRefused(
            f"{block.read_text(encoding='utf-8').strip()} Nothing is published until "
            "`registry log verify` finds the log in order"
        )
    await check_rows_from(database, settings, -NEWEST, most=NEWEST)


async def check_rows_from(
    database: Database, settings: Settings, start: int, *, most: int = WIDTH
) -> None:
    """Check `most` entries and their rows from an index on, a negative one counted from the end.

    Raises `DatabaseInconsistent`, which blocks publication.
    """
    try:
        async with database.snapshot() as connection:
            size = await log_checks.read_size(connection)
            start = max(start + size, 0) if start < 0 else start
            await check_slice(connection, start, min(start + most, size), settings.log_dir)
    except LogRefused as error:
        await _block_publication(database, settings, error)
        raise


async def check_slice(
    connection: Connection, start: int, end: int, folder: Path | None = None
) -> None:
    """Check the rows of the entries from an index to before another, as a transaction sees them.

    With the folder of the published log also by its tiles. Raises `DatabaseInconsistent`.
    """
    if start >= end:
        return
    check = await begin_check(connection)
    span = Span(start=start or None, end=end)
    async with check.looking(f"{DATABASE}, {span.words}"):
        entries = await check.read_entries(span, end)
        walk = await check.walk_from(entries)
        await check.check_part(span, entries, walk)
        if folder is not None and (signed := await checkpoints.read_last(connection)):
            known = [entry for entry in entries if entry.index < signed.size]
            await asyncio.to_thread(_check_by_tiles, check, tree_of(folder, signed.size), known)
    check.finish()


async def check_all(
    connection: Connection,
    seen: Mapping[int, bytes],
    progress: Callable[[int, int], None],
) -> VerifiedDatabase:
    """Check the whole log, and every row, as a transaction sees them; `seen` are signed roots.

    Raises `DatabaseInconsistent`.
    """
    walk, tree = LogReplay(), CompactRange()
    check = await begin_check(connection)
    signed = await checkpoints.read_last(connection)
    if signed is not None:
        seen = {**seen, signed.size: signed.root}
    size = await log_checks.read_size(connection)
    waiting: deque[_Waiting] = deque()
    async with _deriving(size) as derive_rows:
        for start in range(0, size, WIDTH):
            end = start + WIDTH
            span = Span(start=start or None, end=end if end < size else None)
            async with check.looking(f"{DATABASE}, {span.words}"):
                entries = await check.read_entries(span, size)
                refused = check.step(walk, entries)
                good = [entry for entry in entries if entry.index not in refused]
                part = await check.read_part(span, good)
                waiting.append((span, refused, derive_rows(part)))
                for entry in entries:
                    tree = tree.append(entry.leaf)
                    if tree.size in seen and tree.root() != seen[tree.size]:
                        check.add(DATABASE, entry.index, "the entries so far are not those signed")
            if len(waiting) > _AHEAD:
                await _compare_next(check, waiting)
            progress(min(end, size), size)
            if len(check.faults) >= MOST_FAULTS:
                break
        while waiting:
            await _compare_next(check, waiting)
    if len(check.faults) >= MOST_FAULTS:
        check.finish()
    if max(seen, default=0) > size:
        check.add(DATABASE, size, "it was signed, and is missing")
    await _check_whole(check, tree, walk.at)
    check.finish()
    return VerifiedDatabase(
        size=size,
        outdated=await log_checks.count_outdated(connection, DERIVATION),
        source_rows=await log_checks.count_source_rows(connection),
    )


@asynccontextmanager
async def _deriving(
    size: int,
) -> AsyncIterator[Callable[[LogPart], asyncio.Task[ComparableRows]]]:
    """Yield what derives the rows of a part of a log, in processes where the log is long."""
    number = min(os.cpu_count() or 1, _MOST_PROCESSES) if size > _SHORT else 0
    processes = [WorkProcess("parts of the log", seconds=_PART_SECONDS) for _ in range(number)]
    turns, tasks = cycle(processes), set[asyncio.Task[ComparableRows]]()

    def begin(part: LogPart) -> asyncio.Task[ComparableRows]:
        work = (
            next(turns).run(comparable_rows, part)
            if processes
            else asyncio.to_thread(comparable_rows, part)
        )
        task = asyncio.ensure_future(work)
        # Else the rows of the whole log would stay in memory.
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task

    try:
        yield begin
    finally:
        for task in tasks:
            task.cancel()
        for process in processes:
            process.close()


async def _compare_next(check: RowCheck, waiting: deque[_Waiting]) -> None:
    span, refused, made = waiting.popleft()
    async with check.looking(f"{DATABASE}, {span.words}"):
        await check.compare_part(span, await made, refused)


async def _check_whole(check: RowCheck, tree: CompactRange, at: str) -> None:
    """Check what is of no single part: the state, the erasures, and rows of no entry."""
    state = {"only_row": True, "size": tree.size, "peaks": bytea(tree.packed()), "last_at": at}
    await check.compare("log_state", [state], [])
    for one in await log_checks.read_erasures(check.connection):
        where = f"{DATABASE}, table erasure, {one.redaction}"
        said = dict(check.known.redactions).get(one.redaction)
        if said is None:
            check.add(where, None, STORED)
            continue
        changed = check.erased.pop(one.redaction, set()) | {*map(int, said.left)}
        if left_out := changed - {*one.entries}:
            why = f"entries is without {min(left_out)}, of which it has erased something"
            check.add(where, one.redaction, why)
        further = {*one.entries} - changed - {one.redaction, *said.entries}
        if further:
            named = await log_checks.read_indexes(check.connection, said.id, said.versions)
            if beyond := further - {*named}:
                why = f"entries has {min(beyond)}, of which it could erase nothing"
                check.add(where, one.redaction, why)
    for redaction in check.erased:
        check.add(f"{DATABASE}, table erasure, {redaction}", redaction, MISSING)
    async with check.looking(f"{DATABASE}, rows of no entry"):
        for stray in await log_checks.read_strays(check.connection):
            check.add(f"{DATABASE}, table {stray.in_table}, {stray.key}", None, STORED)


def _check_by_tiles(check: RowCheck, nodes: Nodes, entries: Sequence[Entry]) -> None:
    """Compare entries that were signed with the tiles on disk, which may know better."""
    # Tiles that are lost will be made anew.
    with suppress(LogRefused):
        for entry in entries:
            if entry.leaf != nodes(0, entry.index):
                check.add(DATABASE, entry.index, "it is not the entry that was published here")


def _block(settings: Settings) -> Path:
    return settings.key_file.with_name(_BLOCKED)


async def _block_publication(database: Database, settings: Settings, error: LogRefused) -> None:
    """Stop publication on this host, and say so to every process, in the database."""
    if await database.is_standby():
        # What is wrong may be this copy of the database alone.
        return
    sentence = error.sentence if isinstance(error, DatabaseInconsistent) else error.detail
    await asyncio.to_thread(_write_block, _block(settings), sentence)
    async with database.transaction() as connection:
        await log_checks.set_fault(connection, sentence)


def _write_block(path: Path, sentence: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(f"The last check of the log found: {sentence}.\n", encoding="utf-8")
