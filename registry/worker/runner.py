"""The background runner: publish the log, build the site, tell members, delete what expired."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import structlog

from registry.clock import utc_now
from registry.errors import Unavailable
from registry.ledger.content_files import write_contents
from registry.ledger.publish_files import publish_log
from registry.ledger.verify_database import check_rows_from
from registry.log.files import prune, published_size
from registry.services import idempotency, limits, members, previews, sessions
from registry.services.agencies import name_agencies
from registry.services.audit_chain import BATCH, chain_acts
from registry.services.context import ServiceContext
from registry.services.erasure import erase_published
from registry.services.heartbeat import host_of, keep_beating
from registry.services.startup import run_in_register
from registry.services.witness_policy import take_policy
from registry.services.witness_rounds import WitnessRounds
from registry.settings import Settings
from registry.store import heartbeats
from registry.store.search_rows import rewrite_outdated
from registry.tlog.tile import WIDTH
from registry.worker.harvests import harvest_due
from registry.worker.notices import keep_members_told
from registry.worker.publishing import StoredSite, keep_log_in_store, read_stored
from registry.worker.purging import purge
from registry.worker.report import WorkReport
from registry.worker.site_keeping import NOT_BUILT, SiteKeeper, describe
from registry.worker.tasks import (
    CLEANUP_INTERVAL,
    PARTIAL_TILE_LIFETIME,
    RETRY_SECONDS,
    ErrorLog,
    repeat,
    repeat_leading,
)

_HARVEST_SECONDS = 20.0
_WHOLE_IN = dt.timedelta(hours=20)
"""The rows of the whole log are derived again in less than a day."""
_LONGEST_INTERVAL = dt.timedelta(minutes=5)
_NEWEST = 16

_log = structlog.get_logger()


async def keep_site_current(
    settings: Settings, context: ServiceContext, report: WorkReport
) -> None:
    """Build the site whenever the register has changed, and delete what expired; never return.

    Search rows of other releases are written anew, by the one process that leads.
    """
    keeper = SiteKeeper(settings, context, report)
    stored = StoredSite(settings, context, report)
    cleans_at, rewritten = utc_now(), 0

    async def step() -> None:
        nonlocal cleans_at, rewritten
        if utc_now() >= cleans_at:
            await delete_expired(context, now=utc_now())
            cleans_at, rewritten = utc_now() + CLEANUP_INTERVAL, 0
        rewritten = await rewrite_outdated(context.database, rewritten)
        await keeper.go_on()
        await stored.go_on()

    await repeat_leading(context.database, "runner", lambda: step, ErrorLog(NOT_BUILT, report))


async def keep_log_published(
    settings: Settings, context: ServiceContext, report: WorkReport
) -> None:
    """Publish the log whenever it has grown, and carry out published redactions; never return."""
    policy_errors = ErrorLog(
        "the policy of witnesses could not be taken over; the last one stays", report
    )
    rounds = WitnessRounds(context.database, settings)
    prunes_at = utc_now()
    stored, is_known = None, False

    async def step() -> None:
        nonlocal prunes_at, stored, is_known
        if not is_known:
            stored = await read_stored(settings, context)
        # After an error entries may have been given up, so that it counts no longer.
        is_known = False
        await publish(settings, context, rounds, stored=stored)
        await _take_policy(settings, context, policy_errors)
        await rounds.go_on()
        if utc_now() >= prunes_at:
            await asyncio.to_thread(
                prune, settings.log_dir, before=utc_now() - PARTIAL_TILE_LIFETIME
            )
            prunes_at = utc_now() + CLEANUP_INTERVAL
        is_known = True

    await repeat(step, ErrorLog("the log could not be published", report))


async def _take_policy(settings: Settings, context: ServiceContext, errors: ErrorLog) -> None:
    """Take over the policy of witnesses; one that cannot be taken over stops nothing."""
    try:
        if await take_policy(context, settings, now=utc_now()):
            _log.info("policy of witnesses logged")
        errors.reset()
    except Exception as error:  # noqa: BLE001  the runner outlives any fault
        errors.write(error)


class RowChecks:
    """Derives the rows of published versions again, a slice at a time, all of them within a day.

    What was published since the last slice comes first: a slice of it after each publication.
    """

    def __init__(self, settings: Settings, context: ServiceContext) -> None:
        """Begin anywhere: at the part of the log that the time of day stands for."""
        self._settings = settings
        self._context = context
        self._next: int | None = None
        self._due: dt.datetime | None = None
        self._seen: int | None = None

    async def go_on(self, *, now: dt.datetime) -> None:
        """Check what is due; raises `LogInconsistent`, which stops publication."""
        size = await asyncio.to_thread(published_size, self._settings.log_dir)
        if not size:
            return
        seen, self._seen = self._seen, size
        if seen is not None and seen < size:
            await self._check(max(seen, size - _NEWEST), most=_NEWEST)
        if self._due is not None and now < self._due:
            return
        slices = -(-size // WIDTH)
        self._due = now + min(_LONGEST_INTERVAL, _WHOLE_IN / slices)
        if self._next is None:
            self._next = slices * (now.hour * 60 + now.minute) // (24 * 60) * WIDTH
        start = self._next
        # Whatever is found in this slice, the next one is looked at.
        self._next = start + WIDTH if start + WIDTH < size else 0
        await self._check(start, most=WIDTH)

    async def _check(self, start: int, *, most: int) -> None:
        database, pack = self._context.database, self._context.pack
        await check_rows_from(database, self._settings, pack, start, most=most)


async def publish(
    settings: Settings,
    context: ServiceContext,
    rounds: WitnessRounds | None = None,
    *,
    stored: bytes | None = None,
) -> None:
    """Publish the log at its size, and erase what published redactions name.

    Agencies that are in it get their names before; with `rounds` witnesses are asked too. `stored`
    is the checkpoint that the store had.
    """
    with suppress(Unavailable):  # the publication says why
        await name_agencies(context, now=utc_now())
    cosign = None if rounds is None else rounds.cosign
    try:
        signed = await publish_log(
            context.database, settings, now=utc_now(), cosign=cosign, stored=stored
        )
        if signed is not None:
            _log.info("log published", size=signed.size)
    finally:
        # What is published already is erased even where nothing more may be published.
        await erase_published(
            context.database,
            size=await asyncio.to_thread(published_size, settings.log_dir),
            write_contents=partial(write_contents, context.database, settings.log_dir),
        )


async def work(settings: Settings, context: ServiceContext) -> None:
    """Do all the background work; never return."""
    report, rows = WorkReport(), RowChecks(settings, context)
    # Concurrently: a build may take minutes, the publication of an entry may not.
    await asyncio.gather(
        keep_log_published(settings, context, report),
        repeat(
            lambda: rows.go_on(now=utc_now()),
            ErrorLog("the rows of a part of the log could not be checked", report),
        ),
        keep_site_current(settings, context, report),
        keep_log_in_store(settings, context, report),
        keep_beating(
            context.database, "work", host_of("work", settings), partial(report.figures, settings)
        ),
        keep_members_told(settings, context, report),
        repeat(
            lambda: harvest_due(settings, context, now=utc_now()),
            ErrorLog("no peer could be harvested", report),
            every=_HARVEST_SECONDS,
        ),
        repeat(
            lambda: purge(settings, context),
            ErrorLog("the cache in front of the store could not be told what changed", report),
            retry=RETRY_SECONDS,
        ),
        repeat(
            lambda: _chain_acts(context),
            ErrorLog("the audit trail could not be chained", report),
        ),
    )


async def _chain_acts(context: ServiceContext) -> None:
    while await chain_acts(context.database) == BATCH:
        pass


async def delete_expired(context: ServiceContext, *, now: dt.datetime) -> None:
    """Delete idempotency keys, rate limits, sessions and links that have expired."""
    await idempotency.delete_expired(context.database, now=now)
    await limits.forget_unused(context.database, now=now)
    await previews.delete_expired(context.database, now=now)
    await members.forget_expired(context.database, now=now)
    await sessions.forget_expired(context.database, now=now)
    async with context.database.connection() as connection:
        await heartbeats.forget(connection)


class BackgroundRunner:
    """Background work in its own thread, beside a server."""

    def __init__(
        self,
        settings: Settings,
        does: Callable[[Settings, ServiceContext], Awaitable[None]] = work,
    ) -> None:
        """Take settings with a `database_url` that answers, and what is to be done."""
        # Here and not in the thread: litestar imports while it describes, and a process that is
        # forked during an import waits for it for ever.
        describe(settings)
        self._settings = settings
        self._does = does
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="runner", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Cancel the work and wait for the thread, in which a write under way is finished."""
        # Set before the task is looked up; `_work` checks it after the task is set.
        self._is_stopping = True
        if self._loop is not None and self._task is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()

    def _run(self) -> None:
        with suppress(asyncio.CancelledError):
            run_in_register(self._settings, self._work)

    async def _work(self, context: ServiceContext) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.ensure_future(self._does(self._settings, context))
        if self._is_stopping:
            self._task.cancel()
        await self._task
