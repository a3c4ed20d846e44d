"""The demonstration: fictitious records with a history, whose times are invented.

A folder of records may have a table `histories.csv` of the days on which its fictitious versions
would have been published. They are taken into a log that begins as a demonstration's, whose first
entry says until when times are invented: docs/decisions/0044. No other log takes them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from registry.errors import ConfigurationError, RegistryError
from registry.ledger.guard import LogGuard, LogMemory
from registry.record.codelists import read_rows
from registry.record.ids import agency_of
from registry.record.pack import Pack
from registry.services.context import ServiceContext
from registry.services.filing.loading import (
    LoadCounts,
    RecordFiles,
    find_files,
    read_end,
    read_version,
)
from registry.services.filing.pipeline import Command, execute
from registry.services.filing.receipts import Receipt
from registry.store import log, records
from registry.store.database import Connection, Database
from registry.store.log import GuardedState

HISTORIES = "histories.csv"
"""One row a version: `id`, `version`, `published_on`, and `withdrawn_on` of one that was ended."""

_FIRST_HOUR = dt.time(9, tzinfo=dt.UTC)


class InventedEvent(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A publication or withdrawal and its invented time; sorted, they are a history."""

    at: dt.datetime
    record: str
    version: int
    withdraws: bool = False


class DatedGuard(LogGuard):
    """A guard that gives entries an invented time, for a log that says so."""

    def __init__(self, memory: LogMemory) -> None:
        """Take what the process remembers."""
        super().__init__(memory, clock=None)
        self.at: dt.datetime | None = None

    async def lock(self, connection: Connection, *, now: dt.datetime) -> GuardedState:
        """Lock the log; its clock shows the time of the event, or now where there is none."""
        return await super().lock(connection, now=self.at or now)


def read_histories(folder: Path, pack: Pack) -> list[InventedEvent]:
    """Return the events of a folder's table in order, none where there is no table.

    Events of one day follow each other by the minute. Raises `ConfigurationError` for days that
    are none or do not rise, and for a record of an agency that is not fictitious.
    """
    path = folder / HISTORIES
    found: list[InventedEvent] = []
    for number, row in enumerate(read_rows(path) if path.exists() else (), start=2):
        record = row.get("id", "")
        agency = pack.agencies.get(agency_of(record))
        if agency is None:
            continue
        if not agency.fictitious:
            raise ConfigurationError(
                f"{path}, row {number}: {record} is not fictitious, so its days are what they are"
            )
        try:
            version = int(row["version"])
            days = [dt.date.fromisoformat(row["published_on"])]
            if "withdrawn_on" in row:
                days.append(dt.date.fromisoformat(row["withdrawn_on"]))
        except (KeyError, ValueError) as error:
            raise ConfigurationError(f"{path}, row {number}: {error}") from error
        found += [
            InventedEvent(
                at=dt.datetime.combine(day, _FIRST_HOUR),
                record=record,
                version=version,
                withdraws=bool(at),
            )
            for at, day in enumerate(days)
        ]
    by_record: dict[str, InventedEvent] = {}
    for event in sorted(found, key=lambda one: (one.record, one.version, one.withdraws)):
        before = by_record.get(event.record)
        if before is not None and before.at >= event.at:
            raise ConfigurationError(f"{path}: the days of {event.record} do not rise")
        by_record[event.record] = event
    return [
        msgspec.structs.replace(event, at=event.at + dt.timedelta(minutes=place))
        for place, event in enumerate(sorted(found))
    ]


def begins_at(events: list[InventedEvent]) -> dt.datetime | None:
    """Return the time of the first entry of a demonstration's log, None where nothing is dated."""
    return events[0].at - dt.timedelta(hours=1) if events else None


async def invented_until(database: Database) -> dt.datetime | None:
    """Return when the log of a demonstration truly began; None for any other log."""
    async with database.connection() as connection:
        return await log.read_demonstration(connection)


async def load_demonstration(
    context: ServiceContext,
    folder: Path,
    events: list[InventedEvent],
    *,
    now: Callable[[], dt.datetime],
    progress: Callable[[int, int], None] | None = None,
) -> list[LoadCounts]:
    """Publish the history of a folder in its invented order, going on where that was stopped.

    Raises `ConfigurationError` where the log is no demonstration's, or an event is later than its
    true beginning.
    """
    until = await invented_until(context.database)
    if until is None or (events and events[-1].at >= until):
        raise ConfigurationError(
            f"{folder / HISTORIES}: only a log that begins as a demonstration's, after the last of "
            "these days, takes them"
        )
    guard = DatedGuard(context.guard.memory)
    dated = msgspec.structs.replace(context, guard=guard)
    files = {one.record: one for one in find_files(folder)}
    receipts: dict[str, list[Receipt]] = {}
    refused: dict[str, RegistryError] = {}
    for place, event in enumerate(events, start=1):
        record = event.record
        if record not in refused and not await _is_done(context, event):
            guard.at = event.at
            try:
                command = _command(dated, files, event)
                receipts.setdefault(record, []).append(await execute(dated, command, now=now()))
            except RegistryError as error:
                refused[record] = error
        if progress is not None:
            progress(place, len(events))
    return [
        LoadCounts(record=record, receipts=receipts.get(record, []), refused=refused.get(record))
        for record in sorted({*receipts, *refused})
    ]


def _command(
    context: ServiceContext, files: Mapping[str, RecordFiles], event: InventedEvent
) -> Command[Receipt]:
    found = files.get(event.record)
    if found is None or event.version > len(found.paths):
        raise ConfigurationError(f"{HISTORIES}: {event.record} has no version {event.version}")
    if not event.withdraws:
        return read_version(context, found, event.version, today=context.pack.day(event.at))
    if event.version not in found.withdrawals:
        raise ConfigurationError(f"{HISTORIES}: no version {event.version} of {event.record} ends")
    return read_end(context, found, event.version)


async def _is_done(context: ServiceContext, event: InventedEvent) -> bool:
    async with context.database.connection() as connection:
        current = (await records.read_current(connection, [event.record])).get(event.record)
    if current is None:
        return False
    if event.withdraws:
        return current.version > event.version or current.state == "withdrawn"
    return current.version >= event.version
