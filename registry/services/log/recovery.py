"""Repair: what a restored older database has lost, and entries that contradict the signed log."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from registry.errors import Unavailable
from registry.ledger import key
from registry.ledger.guard import LONGEST_SKEW, SeenLog, lacks
from registry.ledger.published_log import read_keys
from registry.ledger.rewrite import rewrite_records
from registry.ledger.signing import SignedSize, find_divergence, reached_elsewhere, sign_again
from registry.ledger.verify_database import check_database
from registry.log.blob import content_file
from registry.log.entry import decode_entry
from registry.log.files import LogRefused, read_bundle, sync, tree_of
from registry.log.key_chain import KeyChain
from registry.log.replay import LogInconsistent
from registry.services.context import ServiceContext
from registry.services.log.fold import Fold
from registry.services.operations import audit_trail
from registry.services.people.access import OPERATOR
from registry.services.people.agencies import restore_named
from registry.settings import Settings
from registry.store import checkpoints, discards, log, log_checks, published_files, search_rows
from registry.store.checkpoints import Signed
from registry.store.database import Connection
from registry.store.discards import DeadReceipt
from registry.tlog.bundle import parse_bundle
from registry.tlog.compact import CompactRange
from registry.tlog.proof import root_of

_AT_ONCE = 4096


async def heal_log(
    context: ServiceContext,
    settings: Settings,
    *,
    now: dt.datetime,
    progress: Callable[[int, int], None],
) -> int:
    """Bring back the entries that were signed and are missing, and give how many.

    All of them come back, or none; raises `LogRefused` where the files do not allow it. Filings are
    taken again, unless entries were acknowledged that are in no file.
    """
    folder = settings.log_dir
    async with context.database.transaction() as connection:
        state = await log.lock_state(connection)
        last, furthest = await _read_furthest(connection, settings)
        first = await find_divergence(connection, folder, last, furthest)
        if first is not None:
            raise LogRefused(
                "the database has gone on otherwise than what was signed: entries were appended "
                "after an older state was restored. Restore a state from before them, or give up "
                f"what was acknowledged since: registry log heal --discard-from {first}"
            )
        if furthest is None or furthest.size <= state.range.size:
            return 0
        here, nodes = state.range, tree_of(folder, furthest.size)
        if here.size and await asyncio.to_thread(root_of, nodes, here.size) != here.root():
            raise LogRefused(
                "the database has other entries than were signed; run: registry log verify"
            )
        fold = Fold(folder, state.range.size, furthest.size)
        await fold.append(connection, progress)
        healed = await log.read_state(connection)
        if healed.range.root() != furthest.root:
            raise LogRefused("what was brought back is not what was signed; nothing was changed")
        signed = await sign_again(connection, settings, healed, last, now=now)
        if not await checkpoints.insert(connection, signed, previous=last):
            raise Unavailable("another process has signed the log meanwhile; try again")
        await fold.erase(connection)
        # What was acknowledged and never signed is in no file.
        seen = context.guard.memory.last
        await log.keep_discards(connection, seen.discards)
        why = lacks(await log.lock_state(connection, seen.size - 1), seen)
        if why is None:
            await log.confirm(connection, state.database)
        else:
            await log.stop(connection, why)
    return furthest.size - state.range.size


async def heal_rows(
    context: ServiceContext,
    settings: Settings,
    *,
    now: dt.datetime,
    progress: Callable[[int, int], None],
) -> bool:
    """Write rows again that do not follow from the log, and check the whole, as `check_database`.

    Return whether there were any. Raises `LogInconsistent` where anything else is wrong.
    """
    since, before = 0, -1
    while since != before:
        before, since = since, await search_rows.rewrite_outdated(context.database, since)
    try:
        await check_database(context.database, settings, progress=progress)
    except LogInconsistent as error:
        async with context.transaction() as connection:
            await search_rows.lock_state(connection)
            await log.lock_state(connection)
            await restore_named(connection)
            named = await log_checks.read_records(connection)
            await rewrite_records(connection, named, progress=progress)
            where = error.where
            await audit_trail.note(
                connection, OPERATOR, "rewrite_rows", where, before=None, now=now
            )
        await check_database(context.database, settings, progress=progress)
        return True
    return False


async def _read_furthest(
    connection: Connection, settings: Settings
) -> tuple[Signed | None, SignedSize | None]:
    """Return the last checkpoint of the database, and the furthest known of all."""
    last = await checkpoints.read_last(connection)
    if (await log.read_state(connection)).range.size:
        chain = await read_keys(connection)
    else:
        content, width = read_bundle(settings.log_dir, 0, 1)
        chain = KeyChain.begin(decode_entry(parse_bundle(content, width)[0]))
    reached = reached_elsewhere(settings, key.read_all(settings.key_file), chain, last)
    return last, max(reached, key=lambda one: one.size, default=None)


class Discard(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be given up: the entries from `start` to before `end`, the database's size.

    `lost` are the first and last index of entries that were acknowledged, were not signed, and are
    not in the database: nothing else is known of them.
    """

    start: int
    end: int
    receipts: Sequence[DeadReceipt]
    lost: tuple[int, int] | None


async def plan_discard(context: ServiceContext, settings: Settings, start: int) -> Discard:
    """Return what would be given up from an index on.

    Raises `LogRefused` unless that is the first entry in which the database contradicts what was
    signed, or the size of the database where it does not.
    """
    async with context.database.snapshot() as connection:
        last, furthest = await _read_furthest(connection, settings)
        end = (await log.read_state(connection)).range.size
        found = await find_divergence(connection, settings.log_dir, last, furthest)
        first = end if found is None else found
        if start != first:
            raise LogRefused(
                f"the database and what was signed agree up to entry {first}; only from there on "
                f"can entries be given up: registry log heal --discard-from {first}"
            )
        receipts = await discards.read_receipts(connection, start)
    signed = 0 if furthest is None else furthest.size
    missing = max(start, signed), context.guard.memory.last.size - 1
    return Discard(
        start=start,
        end=end,
        receipts=receipts,
        lost=missing if missing[0] <= missing[1] else None,
    )


async def discard_entries(
    context: ServiceContext, settings: Settings, planned: Discard, *, now: dt.datetime
) -> Path | None:
    """Discard what was planned; return the file that keeps it, if it was in the database.

    Raises `Unavailable` where the log has changed since.
    """
    kept: Path | None = None
    async with context.transaction() as connection:
        state = await log.lock_state(connection)
        receipts = await discards.read_receipts(connection, planned.start)
        if (state.range.size, receipts) != (planned.end, planned.receipts):
            raise Unavailable("the log has changed meanwhile; try again")
        if receipts:
            folder = settings.data_dir / "discarded"
            kept = folder / f"entries-{planned.start}-{planned.end - 1}-{now:%Y%m%dT%H%M%SZ}.jsonl"
            await _keep(connection, kept, planned)
        before = CompactRange()
        for leaf in await published_files.read_leaves(connection, 0, planned.start):
            before = before.append(leaf)
        count = max(state.discards, context.guard.memory.last.discards) + 1
        await search_rows.lock_state(connection)
        changed = await discards.discard(connection, before, discards=count)
        await restore_named(connection)
        await rewrite_records(connection, changed)
        await log.insert_incident(connection, "discarded", _said(planned))
        await audit_trail.note(
            connection, OPERATOR, "discard_entries", str(planned.start), before=None, now=now
        )
        [last] = await checkpoints.read_entries(connection, planned.start - 1, planned.start)
    context.guard.memory.note(SeenLog(count, planned.start, last.leaf))
    return kept


async def accept_dates(context: ServiceContext) -> dt.datetime | None:
    """Accept that the database's clock is behind the last entry, and return its time.

    None where it is not. Until that time all entries get it; `incidents.json` says so.
    """
    async with context.database.transaction() as connection:
        state = await log.lock_state(connection)
        if state.last_at is None or state.last_at - state.clock <= LONGEST_SKEW:
            return None
        await log.accept_dates(connection)
        said = {"entry": state.range.size - 1, "until": state.last_at}
        await log.insert_incident(connection, "dated_ahead", said)
        return state.last_at


def _said(planned: Discard) -> dict[str, Any]:
    said: dict[str, Any] = {
        "from": planned.start,
        "receipts": [
            {
                "entry": one.entry,
                "kind": one.kind,
                "subject": one.subject,
                "version": one.version,
                "at": one.at,
                "hash": one.hash.hex(),
            }
            for one in planned.receipts
        ],
    }
    if planned.lost is not None:
        said["lost"] = {"from": planned.lost[0], "until": planned.lost[1]}
    return said


async def _keep(connection: Connection, path: Path, planned: Discard) -> None:
    """Write the entries with their contents, a line each, for the operator alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for at in range(planned.start, planned.end, _AT_ONCE):
            entries = await checkpoints.read_entries(
                connection, at, min(at + _AT_ONCE, planned.end)
            )
            contents = await checkpoints.read_contents(connection, [one.index for one in entries])
            for one in entries:
                line = {
                    "index": one.index,
                    "leaf": one.leaf.hex(),
                    "entry": one.content.decode(),
                    "content": msgspec.Raw(content_file(one.index, contents[one.index])),
                }
                file.write(msgspec.json.encode(line) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    sync(path.parent)
