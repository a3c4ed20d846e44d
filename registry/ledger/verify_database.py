"""Checking the database by the log: nobody has changed, removed or moved what was published.

Triggers keep everybody from that, except whoever can remove triggers. So each publication checks
some of the log again, all of it in turn, and the command `log verify` the whole. What they find
stops publication until the whole has been found in order again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from registry.ledger import signing
from registry.ledger.published_log import read_keys
from registry.ledger.verify_rows import (
    DATABASE,
    RowCheck,
    RowCoverage,
    check_agency,
    check_rows,
    derive_rows,
    reading,
)
from registry.log.blob import ContentRefused, KeptSection, check_kept
from registry.log.entry import LogEntry, timestamp
from registry.log.files import LogRefused, read_tile
from registry.log.replay import ChainHead, LogInconsistent, LogReplay
from registry.record.pack import Pack
from registry.settings import Settings
from registry.store import agencies, bound_rows, checkpoints, log, log_checks, search_rows
from registry.store.bound_rows import Unstated
from registry.store.database import Connection, Database, transaction
from registry.store.log import LogState
from registry.store.log_checks import KeptEntry, RecordRow
from registry.tlog.compact import CompactRange
from registry.tlog.hashing import leaf_hash
from registry.tlog.tile import WIDTH, Tile, split

_BLOCKED = "log-blocked"
_ROWS = {"version", "withdrawal", "attestation", "source", "agency"}
_STATES = {"version": "published", "withdrawal": "withdrawn"}


class VerifiedDatabase(msgspec.Struct, frozen=True, kw_only=True):
    """A database that was found in order: entries, what of the rows the log binds, and what not."""

    size: int
    coverage: RowCoverage
    unstated: Unstated


async def check_database(
    database: Database, settings: Settings, pack: Pack, *, progress: Callable[[int, int], None]
) -> VerifiedDatabase:
    """Check the whole log in the database, and every row that follows from it.

    Raises `LogInconsistent` at the first fault, which blocks publication until this finds none;
    what is found in a standby blocks nothing.
    """
    try:
        known = await asyncio.to_thread(signing.read_signed_size, settings)
        async with database.snapshot() as connection:
            seen = {one.size: one.root for one in known}
            found = await check_all(connection, pack, seen, progress)
    except LogRefused as error:
        await _block_publication(database, settings, error.detail)
        raise
    if not await database.is_standby():
        await asyncio.to_thread(_block(settings).unlink, missing_ok=True)
        async with database.transaction() as connection:
            await bound_rows.set_fault(connection, None)
    return found


async def check_rows_from(
    database: Database, settings: Settings, pack: Pack, start: int, *, most: int = WIDTH
) -> None:
    """Check the rows of `most` entries from an index on.

    Raises `LogInconsistent` at the first fault, which blocks publication.
    """
    try:
        async with database.snapshot() as connection:
            size = (await log.read_state(connection)).range.size
            await check_slice(connection, pack, start, min(start + most, size))
    except LogRefused as error:
        await _block_publication(database, settings, error.detail)
        raise


async def check_slice(connection: Connection, pack: Pack, start: int, end: int) -> None:
    """Check the rows of the entries from an index to before another, as a transaction sees them.

    Raises `LogInconsistent` at the first fault.
    """
    if start < end:
        entries = await _read(connection, start, end)
        contents = await _check_part(connection, await _walk_from(connection, entries), entries)
        await _check_rows(connection, await _row_check(connection, pack), entries, contents)


async def rewrite_rows(
    database: Database, pack: Pack, *, progress: Callable[[int, int], None]
) -> int:
    """Write rows anew that do not follow from the log; return of how many entries.

    An entry of which something else is wrong is left as it is, for the next check to name.
    """
    async with database.connection() as connection:
        size = (await log.read_state(connection)).range.size
    count = 0
    for start in range(0, size, WIDTH):
        end, before = min(start + WIDTH, size), count
        async with database.transaction() as connection:
            await search_rows.lock_state(connection)
            state = await log.lock_state(connection)
            try:
                await check_slice(connection, pack, start, end)
            except LogInconsistent:
                for index in range(start, end):
                    count += await _rewrite_entry(connection, pack, state, index)
            if count > before:
                await search_rows.begin_epoch(connection)
        progress(end, size)
    return count


async def _rewrite_entry(connection: Connection, pack: Pack, state: LogState, index: int) -> bool:
    """Return whether rows of an entry were written anew, with which all of it is in order."""
    try:
        await check_slice(connection, pack, index, index + 1)
    except LogInconsistent:
        with suppress(LogInconsistent), reading(DATABASE, index):
            async with transaction(connection):
                [entry] = await _read(connection, index, index + 1)
                contents = await checkpoints.read_contents(connection, [index])
                rows = await bound_rows.read(connection, index, index + 1)
                check = await _row_check(connection, pack)
                derived = derive_rows(check, entry, contents, rows)
                await log.rewrite_rows(connection, state, index, derived)
                await check_slice(connection, pack, index, index + 1)
            return True
    return False


async def check_in_turn(database: Database, settings: Settings, *, signed: int) -> None:
    """Check one bundle's worth of the log, another one as it grows.

    Raises `LogRefused` where something is found now, or was before.
    """
    block = _block(settings)
    if block.exists():
        raise LogRefused(
            f"{block.read_text(encoding='utf-8').strip()} Nothing is published until "
            "`registry log verify` finds the log in order"
        )
    try:
        async with database.snapshot() as connection:
            size = (await log.read_state(connection)).range.size
            start = size % -(-size // WIDTH) * WIDTH
            entries = await _read(connection, start, min(start + WIDTH, size))
            await _check_part(connection, await _walk_from(connection, entries), entries)
            _check_by_tile(settings.log_dir, entries, signed)
    except LogRefused as error:
        await _block_publication(database, settings, error.detail)
        raise


async def check_all(
    connection: Connection,
    pack: Pack,
    seen: dict[int, bytes],
    progress: Callable[[int, int], None],
) -> VerifiedDatabase:
    """Check the whole log, and every row, as a transaction sees them; `seen` are signed roots.

    Raises `LogInconsistent` at the first fault.
    """
    walk = LogReplay()
    tree = CompactRange()
    check = await _row_check(connection, pack)
    state = await log.read_state(connection)
    signed = await checkpoints.read_last(connection)
    size = state.range.size
    if signed is not None:
        seen = {**seen, signed.size: signed.root}
    for start in range(0, size, WIDTH):
        entries = await _read(connection, start, min(start + WIDTH, size))
        contents = await _check_part(connection, walk, entries)
        await _check_rows(connection, check, entries, contents)
        for entry in entries:
            tree = tree.append(entry.leaf)
            if tree.size in seen and tree.root() != seen[tree.size]:
                raise LogInconsistent(
                    DATABASE, entry.index, "the entries so far are not those signed"
                )
        progress(start + len(entries), size)
    walk.check_erased()
    if await checkpoints.read_entries(connection, size, size + 1):
        raise LogInconsistent(DATABASE, size, "it is there, but was never committed to")
    if max(seen, default=0) > size:
        raise LogInconsistent(DATABASE, size, "it was signed, and is missing")
    stray = await bound_rows.read_stray(connection)
    if stray is not None:
        raise LogInconsistent(
            f"{DATABASE}, table {stray.in_table}, {stray.key}",
            None,
            "is stored, and no such row follows from the log",
        )
    with reading(f"{DATABASE}, table import_run", None):
        unlike = await bound_rows.read_unlike_import(connection)
    if unlike is not None:
        raise LogInconsistent(
            f"{DATABASE}, table import_run, {unlike.id}",
            None,
            f"{unlike.column_name} is {unlike.stored}, and {unlike.derived} follows from the "
            "versions that name it",
        )
    if tree != state.range:
        raise LogInconsistent(
            DATABASE, size - 1, "the entries are not those that the log was made of"
        )
    unstated = await bound_rows.read_unstated(connection)
    return VerifiedDatabase(size=size, coverage=check.coverage, unstated=unstated)


async def _row_check(connection: Connection, pack: Pack) -> RowCheck:
    """Read the agencies, which must be as the log says, as far as it says something of them.

    Raises `LogInconsistent`.
    """
    with reading(f"{DATABASE}, tables agency and agency_entry", None):
        known = {one.agency.id: one.agency for one in await agencies.read_all(connection)}
        logged = await agencies.read_named_by_log(connection)
    for agency, named in logged.items():
        check_agency(named.entry, stored=known.get(agency), logged=named.agency)
    unnamed = len(await agencies.read_unnamed(connection))
    return RowCheck(agencies=known, pack=pack, coverage=RowCoverage(unnamed=unnamed))


async def _check_rows(
    connection: Connection,
    check: RowCheck,
    entries: Sequence[KeptEntry],
    contents: dict[int, list[KeptSection]],
) -> None:
    start, end = entries[0].index, entries[-1].index + 1
    with reading(f"{DATABASE}, a row of the entries before {end}", start):
        rows = await bound_rows.read(connection, start, end)
    await asyncio.to_thread(check_rows, check, entries, contents, rows)


async def _read(connection: Connection, start: int, end: int) -> list[KeptEntry]:
    entries = await log_checks.read_kept(connection, start, end)
    for index, entry in enumerate(entries, start):
        if entry.index != index:
            raise LogInconsistent(DATABASE, index, "it is missing")
    if len(entries) < end - start:
        raise LogInconsistent(DATABASE, start + len(entries), "it is missing")
    return entries


async def _walk_from(connection: Connection, entries: Sequence[KeptEntry]) -> LogReplay:
    """Begin a walk in the middle of the log."""
    start = entries[0].index
    subjects = {name for entry in entries if (name := entry.record or entry.subject)}
    found = await log_checks.read_before(connection, start, subjects)
    at = ""
    if start:
        [earlier] = await checkpoints.read_entries(connection, start - 1, start)
        at = timestamp(earlier.at)
    return LogReplay(
        at=at,
        keys=await read_keys(connection, start) if start else None,
        last={
            one.subject: ChainHead(index=one.index, leaf=one.leaf.hex(), version=one.version)
            for one in found
        },
    )


async def _check_part(
    connection: Connection, walk: LogReplay, entries: Sequence[KeptEntry]
) -> dict[int, list[KeptSection]]:
    contents = await checkpoints.read_contents(connection, [entry.index for entry in entries])
    await asyncio.to_thread(_check_entries, walk, entries, contents)
    records = {entry.record for entry in entries if entry.record is not None}
    for row in await log_checks.read_standing(connection, records):
        _check_record(row)
    return contents


def _check_entries(
    walk: LogReplay, entries: Sequence[KeptEntry], contents: dict[int, list[KeptSection]]
) -> None:
    for kept in entries:
        if leaf_hash(kept.content) != kept.leaf:
            raise LogInconsistent(
                DATABASE, kept.index, "its bytes are not those that were committed to"
            )
        entry = walk.step(DATABASE, kept.index, kept.content)
        why = _differs(kept, entry)
        if why is not None:
            raise LogInconsistent(DATABASE, kept.index, why)
        sections = contents[kept.index]
        try:
            check_kept(sections, entry.commitments)
        except ContentRefused as error:
            raise LogInconsistent(DATABASE, kept.index, str(error)) from error
        for section in sections:
            walk.note_erased(DATABASE, kept.index, entry, section.erased)


def _differs(kept: KeptEntry, entry: LogEntry) -> str | None:
    """Return in what the rows beside an entry differ from it."""
    if (kept.kind, timestamp(kept.at)) != (entry.kind, entry.at):
        return "its row has another kind or time than it says itself"
    if kept.kind not in _ROWS:
        return None
    if kept.subject is None or kept.kept_at is None:
        return f"its {kept.kind} is missing"
    if kept.subject != entry.subject or timestamp(kept.kept_at) != entry.at:
        return f"its {kept.kind} is of another record or time"
    if hasattr(entry, "version") and kept.version != entry.version:
        return f"its {kept.kind} is of another version"
    return None


def _check_record(row: RecordRow) -> None:
    index = row.entry
    if row.last_kind is None or row.last_entry is None or row.last_version is None:
        raise LogInconsistent(DATABASE, index, f"the entries or versions of {row.id} are missing")
    stands = (_STATES[row.last_kind], row.last_version, row.last_entry)
    if (row.state, row.version, row.entry) != stands:
        raise LogInconsistent(DATABASE, index, f"{row.id} stands otherwise than its entries say")


def _check_by_tile(folder: Path, entries: Sequence[KeptEntry], signed: int) -> None:
    """Compare entries that were signed with the tile on disk, which may know better."""
    first = entries[0].index
    width = min(WIDTH, signed - first)
    if width < 1:
        return
    try:
        hashes = split(read_tile(folder, Tile(level=0, index=first // WIDTH, width=width)))
    except LogRefused:
        return  # It is lost, and will be made anew.
    for entry, leaf in zip(entries, hashes, strict=False):
        if entry.leaf != leaf:
            raise LogInconsistent(
                DATABASE, entry.index, "it is not the entry that was published here"
            )


def _block(settings: Settings) -> Path:
    return settings.key_file.with_name(_BLOCKED)


async def _block_publication(database: Database, settings: Settings, sentence: str) -> None:
    """Stop publication on this host, and say so to every process, in the database."""
    if await database.is_standby():
        # What is wrong may be this copy of the database alone.
        return
    await asyncio.to_thread(_write_block, _block(settings), sentence)
    async with database.transaction() as connection:
        await bound_rows.set_fault(connection, sentence)


def _write_block(path: Path, sentence: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(f"The last check of the log found: {sentence}.\n", encoding="utf-8")
