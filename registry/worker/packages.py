"""The packages of the register: one an hour in which it changed, one of each day's last entry."""

from __future__ import annotations

import asyncio
import datetime as dt
import shutil
import time
from contextlib import suppress

import structlog

from registry.clock import utc_now
from registry.errors import InvalidParameter
from registry.exports.package import UNFINISHED, packages, state_of, write_package
from registry.log.files import read_checkpoint
from registry.services.context import ServiceContext
from registry.settings import Settings
from registry.store import redactions
from registry.store.as_of import AsOf, read_as_of
from registry.worker.tasks import WorkTask

_ROUND_SECONDS = 15.0
_KEPT_DAYS = 31
_log = structlog.get_logger()


def package_task(settings: Settings, context: ServiceContext) -> WorkTask:
    """Return the task that writes packages: on each host its own, of the same bytes."""
    packages = Packages(settings, context)
    return WorkTask(
        "the package of the register could not be written",
        lambda: packages.go_on(now=utc_now()),
        every=_ROUND_SECONDS,
    )


class Packages:
    """Writes packages and deletes those that nobody needs: each can be made again, by its entry."""

    def __init__(self, settings: Settings, context: ServiceContext) -> None:
        """Begin without a package, whatever lies in the folder."""
        self._settings = settings
        self._context = context
        self._began = time.monotonic()

    async def go_on(self, *, now: dt.datetime) -> None:
        """Write the package of the last full hour, or of the end of yesterday, if it is not there.

        Entries go by the clock, so that all hosts have the same ones.
        """
        if time.monotonic() - self._began < _ROUND_SECONDS:
            return  # what was just started is often ended at once
        hour = now.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
        async with self._context.database.connection() as connection:
            erasures = await redactions.count(connection)
            made = await asyncio.to_thread(self._delete_erased, erasures)
            due: dict[int, AsOf] = {}
            for time_ in (hour.replace(hour=0), hour):
                with suppress(InvalidParameter):  # the log began later
                    moment = await read_as_of(connection, f"{time_:%Y-%m-%dT%H:%M:%SZ}", now=now)
                    due[moment.entry] = moment
        for entry, moment in due.items():
            if entry not in made:
                await self._write(moment)
                await asyncio.to_thread(self._delete, {*due}, now)
                return

    async def _write(self, moment: AsOf) -> None:
        facts = await write_package(
            self._context.database,
            self._settings.packages_dir / str(moment.entry),
            moment,
            pack=self._context.pack,
            site=self._settings.base_url.rstrip("/"),
            checkpoint=await asyncio.to_thread(read_checkpoint, self._settings.log_dir),
        )
        _log.info("package written", entry=facts.entry, records=facts.records)

    def _delete_erased(self, erasures: int) -> list[int]:
        """Delete what was written before the last erasure; return the entries of the others."""
        folder = self._settings.packages_dir
        for entry in packages(folder):
            state = state_of(folder / str(entry))
            if state is None or state.erasures < erasures:
                shutil.rmtree(folder / str(entry))
        return packages(folder)

    def _delete(self, due: set[int], now: dt.datetime) -> None:
        """Keep what is due, of days before the last one for a month, and nothing unfinished."""
        folder = self._settings.packages_dir
        last: dict[dt.date, int] = {}
        for entry in packages(folder):
            if (state := state_of(folder / str(entry))) is not None:
                last[state.at.date()] = entry
        kept = {entry for day, entry in last.items() if (now.date() - day).days <= _KEPT_DAYS}
        for entry in packages(folder):
            if entry not in due | kept:
                shutil.rmtree(folder / str(entry), ignore_errors=True)
        for left in folder.glob(f"{UNFINISHED}*"):
            shutil.rmtree(left, ignore_errors=True)
