"""Dates in the formats of other registers, read as partial dates, or not at all.

Accepted are `2024`, `2024-10`, `2024-10-01`, also followed by a midnight that a spreadsheet added,
or by a time and zone of RFC 3339; `10/2024`; `10/1/2024` in the order that the crosswalk states;
`2024/10`, `2024/10/1`; `Oct-24`, `October 2024`. An ambiguous date is not read: nothing is guessed.

What the source writes otherwise, a crosswalk says by patterns of `YYYY`, `YY`, `MM`, `DD`, `Mon`
(the name of a month), `hh`, `mm`, `ss` and what stands between them (`DD.MM.YYYY`, `Mon YYYY`), or
`excel` for the days since 1899-12-30 that a spreadsheet counts.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from functools import cache
from typing import Literal, TypeAlias

from babel import Locale, UnknownLocaleError

Order: TypeAlias = Literal["month_first", "day_first"]

# Spreadsheets write an empty date as a day of 1899 or 1900; no system is that old.
EARLIEST = 1940
MONTHS_IN_YEAR = 12

_MIDNIGHT = re.compile(r"[ T](?:0?0:00(?::00(?:\.0+)?)?Z?|12:00(?::00)? ?AM)$", re.IGNORECASE)
_TIME = re.compile(r"(?<=\d\d-\d\d)T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)$")
_ISO = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_YEAR_FIRST = re.compile(r"(\d{4})([/.])(\d{1,2})(?:\2(\d{1,2}))?")
_MONTH_YEAR = re.compile(r"(\d{1,2})[/.-](\d{4})")
_THREE_NUMBERS = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})")
_NAMED_MONTH = re.compile(r"([A-Za-z]{3,9})\.?[ -](\d{4}|\d{2})")
_MONTHS = {
    name.lower(): number
    for names in (calendar.month_name, calendar.month_abbr)
    for number, name in enumerate(names)
    if name
} | {"sept": 9}

EXCEL = "excel"
_EXCEL_DAY_ZERO = dt.date(1899, 12, 30)
_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?")
_TOKEN = re.compile(r"(YYYY|YY|MM|DD|Mon|hh|mm|ss)|\s+")
_OF_TOKEN = {
    "YYYY": r"(?P<year>\d{4})",
    "YY": r"(?P<short>\d{2})",
    "MM": r"(?P<month>\d{1,2})",
    "DD": r"(?P<day>\d{1,2})",
    "Mon": r"(?P<name>[^\W\d_]{3,12})\.?",
    "hh": r"\d{1,2}",
    "mm": r"\d{2}",
    "ss": r"\d{2}",
}


def fuzzy_date(
    text: str, *, order: Order | None = None, century_from: int | None = None
) -> str | None:
    """Return `YYYY`, `YYYY-MM` or `YYYY-MM-DD` for a date of the source; None if it is ambiguous.

    `order` is that of `1/2/2024` in the source; without it only what is unambiguous is read.
    `century_from` is the first of the hundred years that a year of two digits may mean.
    """
    text = _TIME.sub("", _MIDNIGHT.sub("", text.strip()))
    if match := _ISO.fullmatch(text):
        year, month, day = match.groups()
        return _fuzzy(int(year), month and int(month), day and int(day))
    if match := _YEAR_FIRST.fullmatch(text):
        return _fuzzy(int(match[1]), int(match[3]), match[4] and int(match[4]))
    if match := _MONTH_YEAR.fullmatch(text):
        return _fuzzy(int(match[2]), int(match[1]))
    if match := _THREE_NUMBERS.fullmatch(text):
        return _ordered(int(match[1]), int(match[3]), int(match[4]), order)
    if match := _NAMED_MONTH.fullmatch(text):
        month_number = _MONTHS.get(match[1].lower())
        full_year = _full_year(match[2], century_from)
        if month_number is not None and full_year is not None:
            return _fuzzy(full_year, month_number)
    return None


def date_advice(text: str) -> str | None:
    """Return what a crosswalk has to say for a date to be read, or None if that cannot be told."""
    if date_by_pattern(text, EXCEL, language="en", century_from=None):
        return 'for days that a spreadsheet counts, say "pattern": "excel"'
    if fuzzy_date(text, order="day_first") and fuzzy_date(text, order="month_first"):
        return 'say "dates": {"order": "day_first"} or "month_first"'
    return None


def _ordered(first: int, second: int, year: int, order: Order | None) -> str | None:
    if first == second:
        return _fuzzy(year, first, second)
    if order is None:
        order = "day_first" if first > MONTHS_IN_YEAR else None
        order = "month_first" if second > MONTHS_IN_YEAR else order
    if order is None:
        return None
    month, day = (first, second) if order == "month_first" else (second, first)
    return _fuzzy(year, month, day)


def _full_year(digits: str, century_from: int | None) -> int | None:
    if len(digits) > 2:  # noqa: PLR2004  a year of two digits, or of four
        return int(digits)
    if century_from is None:
        return None
    return century_from + (int(digits) - century_from) % 100


def _fuzzy(year: int, month: int | str | None = None, day: int | str | None = None) -> str | None:
    if year < EARLIEST:
        return None
    if month is None:
        return f"{year:04d}"
    try:
        date = dt.date(year, int(month), 1 if day is None else int(day))
    except ValueError:
        return None
    return date.isoformat() if day is not None else date.isoformat()[:7]


def date_pattern_fault(pattern: str) -> str | None:
    """Return what is wrong with a pattern, or None."""
    if pattern == EXCEL:
        return None
    tokens = [found[1] for found in _TOKEN.finditer(pattern) if found[1]]
    rest = re.search(r"[^\W\d_]+", _TOKEN.sub(" ", pattern).replace("T", " ").replace("Z", " "))
    if rest is not None:
        parts = ", ".join(_OF_TOKEN)
        return f"{rest[0]!r} in {pattern!r} means nothing; the parts of a pattern are {parts}"
    twice = sorted({token for token in tokens if tokens.count(token) > 1})
    if twice:
        return f"{twice[0]} stands twice in {pattern!r}"
    if len({"YYYY", "YY"}.intersection(tokens)) != 1:
        return f'{pattern!r} has no year; write YYYY or YY, such as "DD/MM/YYYY" or "Mon YYYY"'
    if "DD" in tokens and len({"MM", "Mon"}.intersection(tokens)) != 1:
        return f"{pattern!r} has a day and not one month; write MM, or Mon for its name"
    return None


def date_by_pattern(
    text: str, pattern: str, *, language: str, century_from: int | None
) -> str | None:
    """Return `YYYY`, `YYYY-MM` or `YYYY-MM-DD` for a date of a pattern, or None.

    Names of months are English or of `language`.
    """
    text = text.strip()
    if pattern == EXCEL:
        serial = _SERIAL.fullmatch(text)
        if serial is None:
            return None
        day = _EXCEL_DAY_ZERO + dt.timedelta(days=int(serial[1]))
        return _fuzzy(day.year, day.month, day.day)
    match = _compiled_pattern(pattern).fullmatch(text)
    if match is None:
        return None
    said = match.groupdict()
    year = _full_year(said.get("year") or said["short"], century_from)
    month = said.get("month") and int(said["month"])
    if said.get("name"):
        month = _month_names(language).get(said["name"].lower())
        if month is None:
            return None
    return None if year is None else _fuzzy(year, month, said.get("day"))


@cache
def _compiled_pattern(pattern: str) -> re.Pattern[str]:
    made, end = "", 0
    for found in _TOKEN.finditer(pattern):
        made += re.escape(pattern[end : found.start()])
        made += _OF_TOKEN[found[1]] if found[1] else r"\s+"
        end = found.end()
    return re.compile(made + re.escape(pattern[end:]))


@cache
def _month_names(language: str) -> dict[str, int]:
    try:
        locale = Locale.parse(language, sep="-")
    except (ValueError, UnknownLocaleError):
        return _MONTHS
    return _MONTHS | {
        name.lower().removesuffix("."): number
        for form in ("format", "stand-alone")
        for width in ("wide", "abbreviated")
        for number, name in locale.months[form][width].items()
    }
