"""The current time, which everything below the edges is passed as an argument, and later days."""

from __future__ import annotations

import calendar
import datetime as dt

MONTHS = 12


def utc_now() -> dt.datetime:
    """Return the current time in UTC."""
    return dt.datetime.now(dt.UTC)


def months_after(day: dt.date, months: int) -> dt.date:
    """Return the same day some months later, or the last one of a shorter month.

    At most 9999-12-31, the last day of Python's calendar.
    """
    years, month = divmod(day.month - 1 + months, MONTHS)
    year = day.year + years
    if year > dt.MAXYEAR:
        return dt.date.max
    last = calendar.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, min(day.day, last))
