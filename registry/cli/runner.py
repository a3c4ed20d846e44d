"""The background runner: it publishes the log, builds the site, folds the index, forgets."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

import structlog

from registry.api.app import describe_api
from registry.cli.opened import now, run_in
from registry.errors import RegistryError
from registry.office import answers, limits
from registry.office.filing import Office
from registry.office.log_contents import write_contents
from registry.office.log_files import prune, published_size
from registry.office.publishing_log import publish_log
from registry.office.redacting import carry_out
from registry.pages.build import BuildReport
from registry.pages.from_register import build_register, day_of, is_current
from registry.settings import Settings
from registry.store.index.fold import fold
from registry.store.leader import leadership

_LOOK_SECONDS = 0.5
_AFTER_FAULT_SECONDS = 10.0
_FORGETS_EVERY = dt.timedelta(hours=1)
_PARTIALS_STAY = dt.timedelta(days=1)

_log = structlog.get_logger()


class _Faults:
    """Tells what keeps a piece of the work from being done.

    A sentence of ours, which quotes nobody, is told once until it goes well again.
    """

    def __init__(self, event: str) -> None:
        self._event = event
        self._told: str | None = None

    def tell(self, error: Exception) -> None:
        if not isinstance(error, RegistryError):
            _log.exception(self._event)
        elif error.detail != self._told:
            _log.error(self._event, why=error.detail)
            self._told = error.detail

    def forget(self) -> None:
        self._told = None


async def build_site(
    settings: Settings,
    office: Office,
    *,
    out: Path | None = None,
    full: bool = False,
    as_of: dt.datetime | None = None,
    progress: Callable[[int, int], None] | None = None,
    processes: int = 1,
) -> BuildReport:
    """Build the site from the register as it is now, in force at `out` or the settings' place."""
    return await build_register(
        office.database,
        office.pack,
        settings,
        out=out or settings.site_dir,
        as_of=as_of or day_of(now()),
        full=full,
        progress=progress,
        description=_description(settings),
        processes=processes,
    )


@cache
def _description(settings: Settings) -> dict[str, Any]:
    """Describe the API, once a process."""
    return describe_api(settings)


async def keep_site_current(settings: Settings, office: Office) -> None:
    """Build the site and fold the index whenever the register has moved on; never returns."""
    # What an older process built may be of older templates or settings, which nothing tells of.
    is_looked_through = False
    faults = _Faults("the site could not be built; the old one stays")
    while True:
        try:
            async with leadership(office.database, "runner") as still_leads:
                forgets_at = now()
                while True:
                    await still_leads()
                    if now() >= forgets_at:
                        await forget(office, now=now())
                        forgets_at = now() + _FORGETS_EVERY
                    await fold(office.database)
                    if settings.site_build == "auto" and not (
                        is_looked_through
                        and await is_current(office.database, settings, as_of=day_of(now()))
                    ):
                        report = await build_site(settings, office)
                        is_looked_through = True
                        if report.rendered:
                            _log.info("site built", files=report.files, rendered=report.rendered)
                    faults.forget()
                    await asyncio.sleep(_LOOK_SECONDS)
        except Exception as error:  # noqa: BLE001  the runner outlives any fault
            faults.tell(error)
            await asyncio.sleep(_AFTER_FAULT_SECONDS)


async def keep_log_published(settings: Settings, office: Office) -> None:
    """Publish the log whenever it has grown, and carry redactions out then; never returns."""
    faults = _Faults("the log could not be published")
    prunes_at = now()
    while True:
        try:
            await publish(settings, office)
            faults.forget()
            if now() >= prunes_at:
                await asyncio.to_thread(prune, settings.log_dir, before=now() - _PARTIALS_STAY)
                prunes_at = now() + _FORGETS_EVERY
        except Exception as error:  # noqa: BLE001  the runner outlives any fault
            faults.tell(error)
            await asyncio.sleep(_AFTER_FAULT_SECONDS)
        await asyncio.sleep(_LOOK_SECONDS)


async def publish(settings: Settings, office: Office) -> None:
    """Publish the log as it is, and destroy what published redactions name."""
    signed = await publish_log(office.database, settings, now=now())
    if signed is not None:
        _log.info("log published", size=signed.size)
    await carry_out(
        office.database,
        size=await asyncio.to_thread(published_size, settings.log_dir),
        write_contents=partial(write_contents, office.database, settings.log_dir),
    )


async def work(settings: Settings, office: Office) -> None:
    """Do all the background work; never returns."""
    # A build may take long, and a receipt's proof should not.
    await asyncio.gather(keep_log_published(settings, office), keep_site_current(settings, office))


async def forget(office: Office, *, now: dt.datetime) -> None:
    """Forget kept answers and allowances whose time is over."""
    await answers.forget_old(office.database, now=now)
    await limits.forget_unused(office.database, now=now)


class BackgroundRunner:
    """The runner in a thread of its own, for `registry up`."""

    def __init__(self, settings: Settings) -> None:
        """Take settings whose `database_url` answers."""
        self._settings = settings
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._ends = False
        self._thread = threading.Thread(target=self._run, name="runner", daemon=True)

    def start(self) -> None:
        """Start working."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; a build under way is finished first, so that nothing half-made is left."""
        # Set before looking for the task, which looks after it is there: one sees the other.
        self._ends = True
        if self._loop is not None and self._task is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()

    def _run(self) -> None:
        with suppress(asyncio.CancelledError):
            run_in(self._settings, self._work)

    async def _work(self, office: Office) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.ensure_future(work(self._settings, office))
        if self._ends:
            self._task.cancel()
        await self._task
