"""The ledger: the one place where log entries are written, with the rows that follow from them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

import msgspec

from registry.errors import ConfigurationError
from registry.ledger.entries import NewEntry, section_row
from registry.ledger.guard import LogGuard
from registry.ledger.publication import Publication, seal_document
from registry.log.disclosure_tree import Section, commitments
from registry.log.entry import GenesisEntry, continued_log, entry_bytes, timestamp
from registry.record.schema import record_schema_bytes
from registry.store import log, records
from registry.store.audit_trail import Act
from registry.store.database import Connection
from registry.store.log import Entry, GuardedState, LogState, TableRow
from registry.tlog.checkpoint import Checkpoint
from registry.tlog.hashing import leaf_hash
from registry.tlog.keys import Signer

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

    The caller has locked the `state`, so indexes are dense and times never decrease: those that
    have no time of their own get this one. Each record comes at most once. `acts` go into the audit
    trail. Raises `ConfigurationError` where the log has no first entry.
    """
    if state.last_at is None and not (entries and entries[0].kind == "genesis"):
        raise ConfigurationError("the log has no first entry yet; start the register once")
    at, last = _whole(at), state.last_at
    after = state.range
    rows: dict[str, list[msgspec.Raw]] = {"audit": _encoded(map(msgspec.structs.asdict, acts))}
    appended: list[Entry] = []
    written = size = 0
    for new in entries:
        given = new.at or at
        last = given if last is None else max(given, last)
        content = new.stored or new.write(last)
        entry = Entry(
            index=after.size,
            kind=new.kind,
            record=new.record,
            at=last,
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
    configuration: Callable[[], Sequence[Section]],
    now: dt.datetime | None,
    read_continued: Callable[[], Checkpoint | None] = lambda: None,
    demonstration_from: dt.datetime | None = None,
) -> None:
    """Write the genesis entry of an empty log; the key and what lies beside it are only read then.

    `configuration` returns the sections of the configuration that it commits to.
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
    sections = configuration()
    genesis = GenesisEntry(
        at=timestamp(at),
        origin=signer.name,
        key=signer.verifier_key,
        schema=sha256(record_schema_bytes()).hexdigest(),
        sections=commitments(sections),
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
    rows = _encoded({"entry": 0} | section_row(one) for one in sections)
    after = state.range.append(entry.leaf)
    await log.append(connection, [entry], {"entry_section": rows}, after)


def _encoded(rows: Iterable[TableRow]) -> list[msgspec.Raw]:
    return [msgspec.Raw(msgspec.json.encode(row)) for row in rows]


def _whole(now: dt.datetime) -> dt.datetime:
    return now.replace(microsecond=0)
