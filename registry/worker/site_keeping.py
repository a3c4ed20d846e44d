"""Building the site whenever it does not show the register as it is."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import structlog

from registry.api.app import describe_api
from registry.clock import utc_now
from registry.pages.build.plan import BuildReport
from registry.pages.build.read_snapshot import build_register, day_of, is_current, shows_erased
from registry.services.context import ServiceContext
from registry.settings import Settings
from registry.store import log
from registry.store.published_files import read_published
from registry.worker.tasks import WorkReport, WorkTask, run_tasks

NOT_BUILT = "the site could not be built; the old one stays"

_log = structlog.get_logger()


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
    """Build the site from the register as it is now, at `out` or the settings' `site_dir`."""
    return await build_register(
        context.database,
        context.pack,
        settings,
        out=out or settings.site_dir,
        as_of=as_of or day_of(context.pack, utc_now()),
        full=full,
        progress=progress,
        description=describe(settings),
        processes=processes,
        is_copy=out is not None,
    )


def describe(settings: Settings) -> dict[str, Any]:
    """Describe the API, once a process for each address and pack."""
    return _describe(settings.base_url, settings.pack, settings.packs)


@cache
def _describe(base_url: str, pack: str, packs: Path | None) -> dict[str, Any]:
    return describe_api(Settings(base_url=base_url, pack=pack, packs=packs))


class SiteKeeper:
    """Builds the site of this host whenever it does not show the register as it is."""

    def __init__(self, settings: Settings, context: ServiceContext, report: WorkReport) -> None:
        """Take what it is built from, and where to tell how long that took."""
        self._settings = settings
        self._context = context
        self._report = report
        # It may have been built with older templates or settings, which no revision shows.
        self._is_rebuilt = False

    async def go_on(self) -> None:
        """Build it where that is due."""
        settings, context = self._settings, self._context
        if settings.site_build != "auto" or not await _may_build(settings, context):
            return
        day = day_of(context.pack, utc_now())
        if self._is_rebuilt and await is_current(context.database, settings, as_of=day):
            return
        started = time.monotonic()
        built = await build_site(settings, context)
        self._is_rebuilt = True
        if built.rendered:
            self._report.site_build_seconds = time.monotonic() - started
            _log.info("site built", files=built.files, rendered=built.rendered)


async def keep_host_site(settings: Settings, context: ServiceContext) -> None:
    """Keep the site of a host current that serves and does no other background work."""
    report = WorkReport()
    keeper = SiteKeeper(settings, context, report)
    await run_tasks(context.database, [WorkTask(NOT_BUILT, keeper.go_on)], report)


async def _may_build(settings: Settings, context: ServiceContext) -> bool:
    """Return whether a site built now shows no entry that the published log lacks.

    What was erased is taken off the site all the same.
    """
    async with context.database.snapshot() as connection:
        size = (await read_published(connection)).size
        state = await log.read_state(connection)
    return state.range.size <= size or await shows_erased(context.database, settings)
