"""The packages of the register: one an hour in which it changed, one of each day's last entry."""

from __future__ import annotations

import asyncio
import datetime as dt
import shutil
import time
from contextlib import suppress
from pathlib import Path

import structlog

from registry.clock import utc_now
from registry.errors import InvalidParameter
from registry.exports.package import UNFINISHED, erasures_in, packages, write_package
from registry.log.files import read_checkpoint
from registry.services.context import ServiceContext
from registry.settings import Settings
from registry.store import redactions
from registry.store.as_of import AsOf, read_as_of
from registry.worker.tasks import WorkTask

_EVERY = dt.timedelta(hours=1)
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
        """Write the package of yesterday's last entry, or of now, if it is due."""
        if time.monotonic() - self._began < _ROUND_SECONDS:
            return  # what was just started is often ended at once
        async with self._context.database.connection() as connection:
            erasures = await redactions.count(connection)
            made = await asyncio.to_thread(self._delete_erased, erasures)
            latest = await read_as_of(connection, None, now=now)
            days = [latest]
            with suppress(InvalidParameter):  # the log began later
                yesterday = (now - dt.timedelta(days=1)).date().isoformat()
                days.append(await read_as_of(connection, yesterday, now=now))
        for moment in reversed(days):
            is_due = not made or now - _made(self._settings.packages_dir / str(made[-1])) >= _EVERY
            if moment.entry not in made and (is_due or moment is not latest):
                await self._write(moment)
                await asyncio.to_thread(self._delete, days[-1].entry, now)
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
            if erasures_in(folder / str(entry)) < erasures:
                shutil.rmtree(folder / str(entry))
        return packages(folder)

    def _delete(self, of_day: int, now: dt.datetime) -> None:
        """Keep the newest, those of the last entries of days for a month, and none unfinished."""
        folder = self._settings.packages_dir
        made = packages(folder)
        by_day = {_made(folder / str(one)).date(): one for one in made}
        kept = {one for day, one in by_day.items() if (now.date() - day).days <= _KEPT_DAYS}
        for entry in made:
            if entry not in {made[-1], of_day} | kept:
                shutil.rmtree(folder / str(entry), ignore_errors=True)
        for left in folder.glob(f"{UNFINISHED}*"):
            shutil.rmtree(left, ignore_errors=True)


def _made(folder: Path) -> dt.datetime:
    return dt.datetime.fromtimestamp(folder.stat().st_mtime, dt.UTC)
