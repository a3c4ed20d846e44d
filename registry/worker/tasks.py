"""Tasks of the background runner: done again and again, whatever becomes of a round."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn, TypeAlias

import structlog

from registry.errors import RegistryError, Unavailable
from registry.store.database import Database
from registry.store.leader import Role, leadership, while_leading
from registry.worker.report import WorkReport

Step: TypeAlias = Callable[[], Coroutine[Any, Any, object]]
"""A round of a task."""

POLL_SECONDS = 0.5
RETRY_SECONDS = 10.0
CLEANUP_INTERVAL = dt.timedelta(hours=1)
PARTIAL_TILE_LIFETIME = dt.timedelta(days=1)
"""How long a tile stays that a fuller one has replaced."""

_log = structlog.get_logger()


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


async def repeat(
    step: Step,
    errors: ErrorLog,
    *,
    every: float | None = None,
    retry: float | None = None,
) -> NoReturn:
    """Do a step again and again; never return.

    After an error it is tried again in `retry` seconds; without, soon if the database was away.
    """
    while True:
        try:
            await step()
            errors.reset()
        except Exception as error:  # noqa: BLE001  the runner outlives any fault
            errors.write(error)
            pause = POLL_SECONDS * 2 if isinstance(error, Unavailable) else RETRY_SECONDS
            await asyncio.sleep(retry or pause)
        await asyncio.sleep(every or POLL_SECONDS)


async def repeat_leading(
    database: Database, role: Role, begin: Callable[[], Step], errors: ErrorLog
) -> NoReturn:
    """Do a step again and again while this process has a role, and wait for it; never return.

    The step is begun anew with each time that the role is had.
    """

    async def lead() -> None:
        async with leadership(database, role) as still_leads:
            step = begin()
            while True:
                await still_leads()
                await while_leading(still_leads, step())
                errors.reset()
                await asyncio.sleep(POLL_SECONDS)

    await repeat(lead, errors)
