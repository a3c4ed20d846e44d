"""The scheduler of the background runner: its tasks, each done again and again.

Whatever becomes of a round, the next one comes.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from functools import partial
from typing import Any, NoReturn, TypeAlias

import msgspec
import structlog

from registry.errors import RegistryError, Unavailable
from registry.services.operations.heartbeat import figures_of_host
from registry.settings import Settings
from registry.store.database import Database
from registry.store.heartbeats import ProcessFigures, Role, leadership, while_leading

Step: TypeAlias = Callable[[], Coroutine[Any, Any, object]]
"""A round of a task."""

POLL_SECONDS = 0.5
RETRY_SECONDS = 10.0
CLEANUP_INTERVAL = dt.timedelta(hours=1)
PARTIAL_TILE_LIFETIME = dt.timedelta(days=1)
"""How long a tile stays that a fuller one has replaced."""

_log = structlog.get_logger()


class WorkReport(msgspec.Struct):
    """What the runner tells of itself: the tasks that fail now and why, and its last build."""

    faults: dict[str, str] = {}
    site_build_seconds: float | None = None

    def figures(self, settings: Settings) -> ProcessFigures:
        """Return it with the figures of this host."""
        return figures_of_host(
            settings,
            has_key=os.access(settings.key_file, os.R_OK),
            site_build_seconds=self.site_build_seconds,
            faults=dict(self.faults),
        )


class WorkTask(msgspec.Struct, frozen=True):
    """A row of the scheduler's table.

    `failure` is the sentence for the log where a round fails. A round comes `every` so many seconds
    after the last one, half a second by default; after a failure in `retry` seconds, by default in
    10, or in one if the database was away. What has a `role` is done by the one process that has
    the role. `forget` is called before the first round, and after a failure or a lost role.
    """

    failure: str
    step: Step
    every: float | None = None
    retry: float | None = None
    role: Role | None = None
    forget: Callable[[], None] = lambda: None


class ErrorLog:
    """Logs the errors of one task, and notes in the report that it fails.

    A `RegistryError` is logged by its sentence, and not again until the task has succeeded.
    """

    def __init__(self, event: str, report: WorkReport) -> None:
        """Take what is logged of the task."""
        self._event = event
        self._report = report

    def write(self, error: Exception) -> None:
        """Log an error."""
        if not isinstance(error, RegistryError):
            _log.exception(self._event)
            self._report.faults[self._event] = "see the log of registry work"
        elif error.detail != self._report.faults.get(self._event):
            _log.error(self._event, why=error.detail)
            self._report.faults[self._event] = error.detail

    def reset(self) -> None:
        """Note that the task has succeeded."""
        self._report.faults.pop(self._event, None)


async def run_tasks(database: Database, tasks: Iterable[WorkTask], report: WorkReport) -> NoReturn:
    """Do tasks beside each other, since one may take minutes and another may not; never return."""
    await asyncio.gather(*(_run(database, task, ErrorLog(task.failure, report)) for task in tasks))
    raise RuntimeError("there is no task")


async def _run(database: Database, task: WorkTask, errors: ErrorLog) -> NoReturn:
    while True:
        try:
            if task.role is None:
                await _repeat(task, errors, lambda step: step())
            async with leadership(database, task.role) as still_leads:
                await _repeat(task, errors, partial(_while_leading, still_leads))
        except Exception as error:  # noqa: BLE001  the runner outlives any fault
            errors.write(error)
            pause = POLL_SECONDS * 2 if isinstance(error, Unavailable) else RETRY_SECONDS
            await asyncio.sleep(task.retry or pause)


async def _repeat(
    task: WorkTask, errors: ErrorLog, do: Callable[[Step], Awaitable[object]]
) -> NoReturn:
    task.forget()
    while True:
        await do(task.step)
        errors.reset()
        await asyncio.sleep(task.every or POLL_SECONDS)


async def _while_leading(still_leads: Callable[[], Awaitable[None]], step: Step) -> None:
    await still_leads()
    await while_leading(still_leads, step())
