"""Appending: entries with their index, time and tree, and what continues a log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec

from registry.errors import ConfigurationError
from registry.ledger.entries import NewEntry
from registry.ledger.guard import LogGuard
from registry.ledger.publication import Publication, seal_document
from registry.log.entry import GenesisEntry, continued_log, entry_bytes, timestamp
from registry.log.files import replace_durable
from registry.record.schema import record_schema_bytes
from registry.settings import Settings
from registry.store import log, records
from registry.store.audit import Act
from registry.store.database import Connection
from registry.store.log import Entry, GuardedState, LogState, TableRow
from registry.tlog.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from registry.tlog.hashing import leaf_hash
from registry.tlog.keys import Signer, Verifier
from registry.tlog.note import NoteRefused
from registry.verify.consistency import read_kept
from registry.verify.gazette import parse_gazette

_BYTES_AT_ONCE = 32 << 20
"""JSON of rows after which another statement takes the rest; PostgreSQL takes 256 MiB of a table.

What a source's row said may have megabytes, and an import publishes hundreds at once.
"""


async def append(
    connection: Connection,
    guard: LogGuard,
    state: GuardedState,
    entries: Sequence[NewEntry],
    *,
    acts: Sequence[Act] = (),
) -> list[Entry]:
    """Append entries at the time of the `state`, and tell the `guard` that has locked it.

    Else as `append_at`.
    """
    appended = await append_at(connection, state, entries, acts=acts, at=state.clock)
    if appended:
        guard.wrote(connection, state, appended[-1])
    return appended


async def append_at(
    connection: Connection,
    state: LogState,
    entries: Sequence[NewEntry],
    *,
    acts: Sequence[Act] = (),
    at: dt.datetime,
) -> list[Entry]:
    """Append entries in order, with all that follows from them, inside the caller's transaction.

    The caller has locked the `state`, so indexes are dense and times never decrease. Each record
    comes at most once. `acts` go into the audit trail. Raises `ConfigurationError` where the log
    has no first entry.
    """
    if state.last_at is None:
        raise ConfigurationError("the log has no first entry yet; start the register once")
    at = max(_whole(at), state.last_at)
    after = state.range
    rows: dict[str, list[msgspec.Raw]] = {"audit": _encoded(map(msgspec.structs.asdict, acts))}
    appended: list[Entry] = []
    written = size = 0
    for new in entries:
        content = new.stored or new.write(at)
        entry = Entry(
            index=after.size,
            kind=new.kind,
            record=new.record,
            at=at,
            content=content,
            leaf=leaf_hash(content),
        )
        after = after.append(entry.leaf)
        appended.append(entry)
        for table, of_entry in new.project(entry).items():
            encoded = _encoded(of_entry)
            rows.setdefault(table, []).extend(encoded)
            size += sum(map(len, encoded))
        if size > _BYTES_AT_ONCE:
            await log.append(connection, appended[written:], rows, after)
            rows, written, size = {}, len(appended), 0
    await log.append(connection, appended[written:], rows, after)
    return appended


async def publish(
    connection: Connection,
    publications: Sequence[Publication],
    *,
    guard: LogGuard,
    now: dt.datetime,
    random: Callable[[int], bytes],
) -> list[Entry]:
    """Lock the log and publish documents in order; each record at most once."""
    if not publications:
        return []
    sealed = [one.sealed or seal_document(one.document, one.agency, random) for one in publications]
    state = await guard.lock(connection, now=now)
    current = await records.read_latest(connection, [one.record for one in publications])
    entries = [
        msgspec.structs.replace(one, sealed=made, current=current.get(one.record))
        for one, made in zip(publications, sealed, strict=True)
    ]
    return await append(connection, guard, state, entries)


async def append_genesis(
    connection: Connection,
    *,
    make_signer: Callable[[], Signer],
    now: dt.datetime | None,
    read_continued: Callable[[], Checkpoint | None] = lambda: None,
    demonstration_from: dt.datetime | None = None,
) -> None:
    """Write the genesis entry of an empty log; the key and what lies beside it are only read then.

    Without a time it gets the database's. `read_continued` returns the last checkpoint of the log
    that this one continues. The log of a demonstration begins at an invented time,
    `demonstration_from`, and says so.
    """
    await log.begin(connection)
    state = await log.lock_state(connection)
    if state.range.size:
        return
    signer = make_signer()
    at = _whole(now or state.clock)
    demonstration = None
    if demonstration_from is not None and demonstration_from < at:
        at, demonstration = demonstration_from, at
    genesis = GenesisEntry(
        at=timestamp(at),
        origin=signer.name,
        key=signer.verifier_key,
        schema=sha256(record_schema_bytes()).hexdigest(),
        continues=continued_log(read_continued()),
        demonstration=None if demonstration is None else timestamp(demonstration),
    )
    content = entry_bytes(genesis)
    entry = Entry(
        index=0,
        kind=genesis.kind,
        record=None,
        at=at,
        content=content,
        leaf=leaf_hash(content),
    )
    await log.append(connection, [entry], {}, state.range.append(entry.leaf))


def _encoded(rows: Iterable[TableRow]) -> list[msgspec.Raw]:
    return [msgspec.Raw(msgspec.json.encode(row)) for row in rows]


def _whole(now: dt.datetime) -> dt.datetime:
    return now.replace(microsecond=0)


_NAME = "continues"


def read_last_word(where: Path, verifier: Verifier | None) -> Checkpoint:
    """Return what was signed or printed of a log last, as somebody kept it in a file.

    A signed note needs the log's key. Raises `ConfigurationError` for anything else.
    """
    content = where.read_bytes()
    try:
        printed = parse_gazette(content)
    except ValueError:
        notes, _ = read_kept(content)
    else:
        return printed.checkpoint
    if len({one.note for one in notes}) != 1:
        raise ConfigurationError(f"{where} is neither a signed note of a log nor its six lines")
    if verifier is None:
        raise ConfigurationError(f"{where} is signed: give the key of that log with --key")
    try:
        opened = open_checkpoint(notes[0].note, origin=verifier.name, verifiers=[verifier])
    except NoteRefused as error:
        raise ConfigurationError(f"{where}: {error}") from error
    return opened.checkpoint


def keep_continued(settings: Settings, checkpoint: Checkpoint) -> None:
    """Keep what the first entry of a log that is not begun yet is to continue.

    Raises `ConfigurationError` for a log of its own name.
    """
    if checkpoint.origin == settings.origin:
        raise ConfigurationError(
            f"a log that continues {checkpoint.origin} needs another name: set REGISTRY_LOG_ORIGIN"
        )
    folder = settings.key_file.parent
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    replace_durable(folder, _NAME, checkpoint.to_text().encode())


def forget_continued(settings: Settings) -> None:
    """Forget what was kept for a first entry, since there is one already."""
    settings.key_file.with_name(_NAME).unlink(missing_ok=True)


def read_continued(settings: Settings) -> Checkpoint | None:
    """Return what the first entry is to continue; None where it is to begin by itself."""
    path = settings.key_file.with_name(_NAME)
    try:
        return parse_checkpoint(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ConfigurationError(f"{path} is not as it was written: {error}") from error
