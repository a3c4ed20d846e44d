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


def months_after(day: dt.date, months: int) -> dt.date:
    """Return the same day some months later, or the last one of a shorter month.

    At most 9999-12-31, the last day of Python's calendar.
    """
    years, month = divmod(day.month - 1 + months, DECEMBER)
    year = day.year + years
    if year > dt.MAXYEAR:
        return dt.date.max
    last = calendar.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, min(day.day, last))
