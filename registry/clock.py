"""The current time; everything below the edges is passed it as an argument."""

from __future__ import annotations

import datetime as dt


def utc_now() -> dt.datetime:
    """Return the current time in UTC."""
    return dt.datetime.now(dt.UTC)
