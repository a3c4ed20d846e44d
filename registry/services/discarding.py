"""Giving up what was acknowledged and contradicts the signed log, or is nowhere any more.

What was signed stays: a log that has gone on otherwise after an older state was restored is cut
back to where it agrees with what was signed, from which it is healed. The receipts that die are
told, kept in a file with all that they stood for, and published in `incidents.json`; so is that
dates ahead of the clock were accepted.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from registry.errors import Unavailable
from registry.ledger.guard import LONGEST_SKEW, SeenLog
from registry.log.blob import content_file
from registry.log.files import LogRefused, sync
from registry.services import audit
from registry.services.access import OPERATOR
from registry.services.agencies import restore_named
from registry.services.context import ServiceContext
from registry.services.recovery import find_divergence, read_furthest
from registry.settings import Settings
from registry.store import checkpoints, discards, log, record_names
from registry.store.database import Connection
from registry.store.discards import DeadReceipt
from registry.tlog.compact import CompactRange

_AT_ONCE = 4096


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
    last, furthest = await read_furthest(context.database, settings)
    async with context.database.snapshot() as connection:
        end = (await log.read_state(connection)).range.size
        found = await find_divergence(connection, settings.log_dir, end, last, furthest)
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
        before = await _range_of(connection, planned.start)
        count = max(state.discards, context.guard.memory.last.discards) + 1
        for record in await discards.discard(connection, before, discards=count):
            await record_names.index(connection, record)
        await restore_named(connection)
        await log.insert_incident(connection, "discarded", _said(planned))
        await audit.note(
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


async def _range_of(connection: Connection, size: int) -> CompactRange:
    before = CompactRange()
    for at in range(0, size, _AT_ONCE):
        for entry in await checkpoints.read_entries(connection, at, min(at + _AT_ONCE, size)):
            before = before.append(entry.leaf)
    return before


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
