"""Partial dates: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, read as an interval of days."""

from __future__ import annotations

import calendar
import datetime as dt

DECEMBER = 12


def interval(text: str) -> tuple[dt.date, dt.date]:
    """Return the first and last day that a date can mean."""
    match text.split("-"):
        case [year]:
            return dt.date(int(year), 1, 1), dt.date(int(year), DECEMBER, 31)
        case [year, month]:
            last = calendar.monthrange(int(year), int(month))[1]
            return dt.date(int(year), int(month), 1), dt.date(int(year), int(month), last)
        case _:
            day = dt.date.fromisoformat(text)
            return day, day
