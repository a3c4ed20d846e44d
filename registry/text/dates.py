"""Dates and durations in words."""

from __future__ import annotations

import datetime as dt
import re

from babel import dates

_FULL = 10  # YYYY-MM-DD
_MONTH = 7  # YYYY-MM
_DURATION = re.compile(
    r"P(?:(?P<year>\d+)Y)?(?:(?P<month>\d+)M)?(?:(?P<week>\d+)W)?(?:(?P<day>\d+)D)?"
    r"(?:T(?:(?P<hour>\d+)H)?(?:(?P<minute>\d+)M)?(?:(?P<second>\d+)S)?)?"
)


def format_date(value: str, locale: str) -> str:
    """Return `YYYY`, `YYYY-MM` or `YYYY-MM-DD` in words, and any other text unchanged."""
    try:
        if len(value) == _FULL:
            text = dates.format_date(dt.date.fromisoformat(value), "long", locale=locale)
            # CLDR writes "1 avril"; a French reader expects "1er avril".
            return f"1er{text[1:]}" if locale.startswith("fr") and text.startswith("1 ") else text
        if len(value) == _MONTH:
            first = dt.date.fromisoformat(f"{value}-01")
            return dates.format_skeleton("yMMMM", first, locale=locale)
    except ValueError:
        return value
    return value


def read_duration(value: str) -> list[tuple[int, str]]:
    """Return the parts of an ISO 8601 duration, such as `[(1, "year"), (6, "month")]` for `P1Y6M`.

    Return `[]` for any other text.
    """
    match = _DURATION.fullmatch(value)
    return [(int(n), unit) for unit, n in match.groupdict().items() if n] if match else []
