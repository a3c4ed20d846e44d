"""The statuses of the code list `status`, by whether a system runs, will run or has run."""

from __future__ import annotations

RUNNING = ("in_use", "pilot")
COMING = ("planned", "in_development")
ENDED = ("suspended", "retired")
