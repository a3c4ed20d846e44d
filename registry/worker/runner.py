"""The background runner: publish the log, build the site, tell members, delete what expired."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial

import structlog

from registry.clock import utc_now
from registry.errors import Unavailable
from registry.ledger.proofs import write_contents
from registry.ledger.publish_files import publish_log
from registry.ledger.verify_database import check_rows_from
from registry.log.files import prune, published_size
from registry.services.context import ServiceContext
from registry.services.filing import idempotency, previews
from registry.services.log.witness_policy import take_policy
from registry.services.log.witness_rounds import WitnessRounds
from registry.services.operations import limits
from registry.services.operations.audit_trail import BATCH, chain_acts
from registry.services.operations.heartbeat import host_of, keep_beating
from registry.services.operations.startup import run_in_register
from registry.services.people import mailed_links, members, sessions
from registry.services.people.agencies import name_agencies
from registry.services.statements.erasure import erase_published
from registry.settings import Settings
from registry.store import heartbeats
from registry.store.search_rows import rewrite_outdated
from registry.tlog.tile import WIDTH
from registry.worker.harvests import harvest_due
from registry.worker.links import LinkChecks
from registry.worker.notices import send_due, send_links, tell_due
from registry.worker.packages import package_task
from registry.worker.publishing import StoredSite, purge, read_stored, store_task
from registry.worker.site_keeping import NOT_BUILT, SiteKeeper, describe
from registry.worker.tasks import (
    CLEANUP_INTERVAL,
    PARTIAL_TILE_LIFETIME,
    RETRY_SECONDS,
    WorkReport,
    WorkTask,
    run_tasks,
)

_HARVEST_SECONDS = 20.0
_MAIL_SECONDS, _MAIL_AGAIN_SECONDS = 3.0, 30.0
_WHOLE_IN = dt.timedelta(hours=20)
"""The rows of the whole log are derived again in less than a day."""
_LONGEST_INTERVAL = dt.timedelta(minutes=5)

_log = structlog.get_logger()


def work_tasks(
    settings: Settings, context: ServiceContext, report: WorkReport
) -> Iterator[WorkTask]:
    """Yield all the background work."""
    hour = CLEANUP_INTERVAL.total_seconds()
    yield log_task(settings, context)
    yield WorkTask(
        "the policy of witnesses could not be taken over; the last one stays",
        partial(_take_policy, settings, context),
    )
    yield WorkTask(
        "what fuller tiles have replaced could not be deleted",
        partial(_prune, settings),
        every=hour,
    )
    rows = RowChecks(settings, context)
    yield WorkTask(
        "the rows of a part of the log could not be checked",
        lambda: rows.go_on(now=utc_now()),
    )
    yield site_task(settings, context, report)
    yield package_task(settings, context)
    if settings.publish_to is not None:
        yield store_task(settings, context)
    yield WorkTask(
        "members could not be told what is due",
        lambda: tell_due(context, now=utc_now()),
        every=hour,
    )
    if settings.smtp_url is not None:
        for failure, step in (
            ("links could not be mailed", send_links),
            ("members could not be told", send_due),
        ):
            yield WorkTask(
                failure,
                partial(step, settings, context),
                every=_MAIL_SECONDS,
                retry=_MAIL_AGAIN_SECONDS,
            )
    yield WorkTask(
        "no peer could be harvested",
        lambda: harvest_due(settings, context, now=utc_now()),
        every=_HARVEST_SECONDS,
    )
    if settings.link_checks == "on":
        checks = LinkChecks(settings, context)
        yield WorkTask(
            "the links of records could not be asked for",
            lambda: checks.go_on(now=utc_now()),
            role="links",
        )
    if settings.purge_url is not None:
        yield WorkTask(
            "the cache in front of the store could not be told what changed",
            partial(purge, settings, context),
            retry=RETRY_SECONDS,
        )
    yield WorkTask("the audit trail could not be chained", partial(_chain_acts, context))


def site_task(settings: Settings, context: ServiceContext, report: WorkReport) -> WorkTask:
    """Return the task that builds the site when the register has changed, and deletes what expired.

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

    return WorkTask(NOT_BUILT, step, role="runner")


def log_task(settings: Settings, context: ServiceContext) -> WorkTask:
    """Return the task that publishes the log when it has grown, and carries out redactions."""
    rounds = WitnessRounds(context.database, settings)
    stored, is_known = None, False

    async def step() -> None:
        nonlocal stored, is_known
        if not is_known:
            stored, is_known = await read_stored(settings, context), True
        await publish(settings, context, rounds, stored=stored)
        await rounds.go_on()

    def forget() -> None:
        # After an error entries may have been given up, so that it counts no longer.
        nonlocal is_known
        is_known = False

    return WorkTask("the log could not be published", step, forget=forget)


async def _take_policy(settings: Settings, context: ServiceContext) -> None:
    if await take_policy(context, settings, now=utc_now()):
        _log.info("policy of witnesses logged")


async def _prune(settings: Settings) -> None:
    await asyncio.to_thread(prune, settings.log_dir, before=utc_now() - PARTIAL_TILE_LIFETIME)


class RowChecks:
    """Derives the rows of published versions again, a slice at a time, all of them within a day."""

    def __init__(self, settings: Settings, context: ServiceContext) -> None:
        """Begin anywhere: at the part of the log that the time of day stands for."""
        self._settings = settings
        self._context = context
        self._next: int | None = None
        self._due: dt.datetime | None = None

    async def go_on(self, *, now: dt.datetime) -> None:
        """Check what is due; raises `LogInconsistent`, which stops publication."""
        size = await asyncio.to_thread(published_size, self._settings.log_dir)
        if not size or (self._due is not None and now < self._due):
            return
        slices = -(-size // WIDTH)
        self._due = now + min(_LONGEST_INTERVAL, _WHOLE_IN / slices)
        if self._next is None:
            self._next = slices * (now.hour * 60 + now.minute) // (24 * 60) * WIDTH
        start = self._next
        # Whatever is found in this slice, the next one is looked at.
        self._next = start + WIDTH if start + WIDTH < size else 0
        await check_rows_from(self._context.database, self._settings, start, most=WIDTH)


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
    report = WorkReport()
    await asyncio.gather(
        run_tasks(context.database, work_tasks(settings, context, report), report),
        keep_beating(
            context.database, "work", host_of("work", settings), partial(report.figures, settings)
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
    await mailed_links.forget_expired(context.database, now=now)
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
