"""The background runner: it builds the site, folds the search index, forgets what is over."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from registry.cli.opened import now, run_in
from registry.office import answers, limits
from registry.pages.build import build
from registry.pages.from_register import day_of, is_current, read_corpus
from registry.store.index.fold import fold
from registry.store.leader import leadership

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from registry.office.filing import Office
    from registry.pages.build import BuildReport
    from registry.settings import Settings

_LOOK_SECONDS = 0.5
_AFTER_FAULT_SECONDS = 10.0
_FORGETS_EVERY = dt.timedelta(hours=1)

_log = structlog.get_logger()


async def build_site(
    settings: Settings,
    office: Office,
    *,
    out: Path | None = None,
    full: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> BuildReport:
    """Build the site from the register as it is now, in force at `out` or the settings' place."""
    corpus = await read_corpus(office.database, office.pack, as_of=day_of(now()))
    return await asyncio.to_thread(
        build, corpus, out=out or settings.site_dir, settings=settings, full=full, progress=progress
    )


async def keep_site_current(settings: Settings, office: Office) -> None:
    """Build the site and fold the index whenever the register has moved on; never returns."""
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
                    if settings.site_build == "auto" and not await is_current(
                        office.database, settings, as_of=day_of(now())
                    ):
                        report = await build_site(settings, office)
                        _log.info("site built", files=report.files, rendered=report.rendered)
                    await asyncio.sleep(_LOOK_SECONDS)
        except Exception:  # noqa: BLE001  the runner outlives any fault
            _log.exception("the site could not be built; the old one stays")
            await asyncio.sleep(_AFTER_FAULT_SECONDS)


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
        self._thread = threading.Thread(target=self._run, name="runner", daemon=True)

    def start(self) -> None:
        """Start working."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; a build under way is finished first, so that nothing half-made is left."""
        if self._loop is not None and self._task is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()

    def _run(self) -> None:
        with suppress(asyncio.CancelledError):
            run_in(self._settings, self._work)

    async def _work(self, office: Office) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.ensure_future(keep_site_current(self._settings, office))
        await self._task
