"""What the background runner tells of itself, and what it logs of tasks that fail."""

from __future__ import annotations

import os

import msgspec
import structlog

from registry.errors import RegistryError
from registry.services.heartbeat import figures_of_host
from registry.settings import Settings
from registry.store.heartbeats import ProcessFigures

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
