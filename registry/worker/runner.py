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
from registry.clock import utc_now
from registry.errors import RegistryError
from registry.ledger.content_files import write_contents
from registry.ledger.files import prune, published_size
from registry.ledger.publish_files import publish_log
from registry.pages.build.plan import BuildReport
from registry.pages.build.read_snapshot import build_register, day_of, is_current
from registry.search.fold import fold
from registry.services import idempotency, limits
from registry.services.context import ServiceContext
from registry.services.erasure import erase_published
from registry.services.startup import run_in_register
from registry.settings import Settings
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
    context: ServiceContext,
    *,
    out: Path | None = None,
    full: bool = False,
    as_of: dt.datetime | None = None,
    progress: Callable[[int, int], None] | None = None,
    processes: int = 1,
) -> BuildReport:
    """Build the site from the register as it is now, in force at `out` or the settings' place."""
    return await build_register(
        context.database,
        context.pack,
        settings,
        out=out or settings.site_dir,
        as_of=as_of or day_of(utc_now()),
        full=full,
        progress=progress,
        description=_description(settings),
        processes=processes,
    )


@cache
def _description(settings: Settings) -> dict[str, Any]:
    """Describe the API, once a process."""
    return describe_api(settings)


async def keep_site_current(settings: Settings, context: ServiceContext) -> None:
    """Build the site and fold the index whenever the register has moved on; never returns."""
    # What an older process built may be of older templates or settings, which nothing tells of.
    is_looked_through = False
    faults = _Faults("the site could not be built; the old one stays")
    while True:
        try:
            async with leadership(context.database, "runner") as still_leads:
                forgets_at = utc_now()
                while True:
                    await still_leads()
                    if utc_now() >= forgets_at:
                        await forget(context, now=utc_now())
                        forgets_at = utc_now() + _FORGETS_EVERY
                    await fold(context.database)
                    if settings.site_build == "auto" and not (
                        is_looked_through
                        and await is_current(context.database, settings, as_of=day_of(utc_now()))
                    ):
                        report = await build_site(settings, context)
                        is_looked_through = True
                        if report.rendered:
                            _log.info("site built", files=report.files, rendered=report.rendered)
                    faults.forget()
                    await asyncio.sleep(_LOOK_SECONDS)
        except Exception as error:  # noqa: BLE001  the runner outlives any fault
            faults.tell(error)
            await asyncio.sleep(_AFTER_FAULT_SECONDS)


async def keep_log_published(settings: Settings, context: ServiceContext) -> None:
    """Publish the log whenever it has grown, and carry redactions out then; never returns."""
    faults = _Faults("the log could not be published")
    prunes_at = utc_now()
    while True:
        try:
            await publish(settings, context)
            faults.forget()
            if utc_now() >= prunes_at:
                await asyncio.to_thread(prune, settings.log_dir, before=utc_now() - _PARTIALS_STAY)
                prunes_at = utc_now() + _FORGETS_EVERY
        except Exception as error:  # noqa: BLE001  the runner outlives any fault
            faults.tell(error)
            await asyncio.sleep(_AFTER_FAULT_SECONDS)
        await asyncio.sleep(_LOOK_SECONDS)


async def publish(settings: Settings, context: ServiceContext) -> None:
    """Publish the log as it is, and destroy what published redactions name."""
    signed = await publish_log(context.database, settings, now=utc_now())
    if signed is not None:
        _log.info("log published", size=signed.size)
    await erase_published(
        context.database,
        size=await asyncio.to_thread(published_size, settings.log_dir),
        write_contents=partial(write_contents, context.database, settings.log_dir),
    )


async def work(settings: Settings, context: ServiceContext) -> None:
    """Do all the background work; never returns."""
    # A build may take long, and a receipt's proof should not.
    await asyncio.gather(
        keep_log_published(settings, context), keep_site_current(settings, context)
    )


async def forget(context: ServiceContext, *, now: dt.datetime) -> None:
    """Forget kept answers and allowances whose time is over."""
    await idempotency.delete_expired(context.database, now=now)
    await limits.forget_unused(context.database, now=now)


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
            run_in_register(self._settings, self._work)

    async def _work(self, context: ServiceContext) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.ensure_future(work(self._settings, context))
        if self._ends:
            self._task.cancel()
        await self._task
