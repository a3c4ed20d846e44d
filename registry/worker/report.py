"""What the background runner tells of itself."""

from __future__ import annotations

import os

import msgspec

from registry.services.heartbeat import figures_of_host
from registry.settings import Settings
from registry.store.heartbeats import ProcessFigures


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
