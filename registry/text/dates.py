"""Dates and durations in words."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from babel import dates, localedata

from registry.clock import MONTHS, months_after
from registry.errors import ConfigurationError
from registry.resources import language_tags
from registry.text.csv_tables import language_rows
from registry.text.folding import fold

_FULL = 10  # YYYY-MM-DD
_MONTH = 7  # YYYY-MM
_DURATION = re.compile(
    r"P(?:(?P<year>\d+)Y)?(?:(?P<month>\d+)M)?(?:(?P<week>\d+)W)?(?:(?P<day>\d+)D)?"
    r"(?:T(?:(?P<hour>\d+)H)?(?:(?P<minute>\d+)M)?(?:(?P<second>\d+)S)?)?"
)

_FORMS = ("one", "two", "several", "others")
DATE_COLUMNS = ("name", *_FORMS)
DATE_NAMES = (*"YMWD", *map(str, range(1, MONTHS + 1)))
"""What `dates.csv` of a language names: units of time, and months by number."""

_DAY = re.compile(r"(\d{1,2})(?:er)?\W{1,3}(\d{1,2}|[^\W\d]+)\W{1,3}(\d{4})|(\d\d)(\d\d)(\d{4})")
_BY_YEAR = re.compile(r"(\d{4})\W(\d{1,2})\W(\d{1,2})")


def read_day(text: str, locales: Iterable[str]) -> dt.date | None:
    """Return the day that a person typed, the day before the month; None for anything else.

    Months may be numbers, or names in one of the locales.
    """
    text = text.strip()
    if by_year := _BY_YEAR.fullmatch(text):
        year, month, day = by_year.groups()
    elif found := _DAY.fullmatch(text):
        day, month, year = (part for part in found.groups() if part)
    else:
        return None
    try:
        return dt.date(
            int(year),
            int(month) if month.isdigit() else _months(tuple(locales))[fold(month)],
            int(day),
        )
    except (KeyError, ValueError):
        return None


def month_number(name: str) -> int | None:
    """Return the month from 1 that is called or abbreviated so in a language of the site."""
    return _months(_all_locales()).get(fold(name).rstrip("."))


@cache
def _all_locales() -> tuple[str, ...]:
    """Return the locales of the languages that there are; Arabic names months by country."""
    known = (one for one in localedata.locale_identifiers() if one.partition("_")[0] == "ar")
    return (
        *sorted(tag if localedata.exists(tag) else f"en@{tag}" for tag in language_tags()),
        *known,
    )


@cache
def _months(locales: tuple[str, ...]) -> dict[str, int]:
    return {
        fold(name).rstrip("."): number
        for locale in locales
        for names in (
            dates.get_month_names("wide", locale=locale),
            dates.get_month_names("abbreviated", locale=locale),
            months_of(locale),
        )
        for number, name in names.items()
    }


@cache
def months_of(locale: str) -> Mapping[int, str]:
    """Return the names of months that the language of a locale's modifier has in `dates.csv`."""
    names = _names().get(locale.partition("@")[2], {})
    return {int(name): forms[0] for name, forms in names.items() if name.isdecimal()}


@cache
def _names() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """Return the forms of months and units of time by language and name, from `dates.csv`.

    Of a unit they are for one, for two without a number, for several, and others, of which the
    first is that of many in Arabic; without the last two they are as for one. CLDR as Babel has it
    lacks months and days of Arabic. Raises `ConfigurationError` for a row of no name, with its
    place.
    """
    found: dict[str, dict[str, Sequence[str]]] = {}
    for tag, place, row in language_rows("dates.csv", DATE_COLUMNS):
        if row["name"] not in DATE_NAMES:
            raise ConfigurationError(f"{place}: the name is one of {', '.join(DATE_NAMES)}")
        if row["one"]:
            one, two, *more = (row[form] for form in _FORMS)
            found.setdefault(tag, {})[row["name"]] = [one, two, *(form or one for form in more)]
    return found


def day_after(day: dt.date, duration: str) -> dt.date:
    """Return the day that comes an ISO 8601 duration of days, weeks, months and years later.

    Where the month has no such day, it is the last one of the month.
    """
    parts = {unit: number for number, unit in read_duration(duration)}
    there = months_after(day, MONTHS * parts.get("year", 0) + parts.get("month", 0))
    return there + dt.timedelta(days=parts.get("day", 0), weeks=parts.get("week", 0))


def format_date(value: str, locale: str) -> str:
    """Return `YYYY`, `YYYY-MM` or `YYYY-MM-DD` in words, and any other text unchanged."""
    try:
        if len(value) == _FULL:
            day = dt.date.fromisoformat(value)
            text = _own_month(dates.format_date(day, "long", locale=locale), day, locale)
            # CLDR writes "1 avril"; a French reader expects "1er avril".
            return f"1er{text[1:]}" if locale.startswith("fr") and text.startswith("1 ") else text
        if len(value) == _MONTH:
            first = dt.date.fromisoformat(f"{value}-01")
            return _own_month(dates.format_skeleton("yMMMM", first, locale=locale), first, locale)
    except ValueError:
        return value
    return value


def _own_month(text: str, day: dt.date, locale: str) -> str:
    """Return a date with its month in the words of a language that CLDR lacks."""
    if (own := months_of(locale).get(day.month)) is None:
        return text
    return text.replace(dates.get_month_names("wide", locale=locale)[day.month], own)


def read_duration(value: str) -> list[tuple[int, str]]:
    """Return the parts of an ISO 8601 duration, such as `[(1, "year"), (6, "month")]` for `P1Y6M`.

    Return `[]` for any other text.
    """
    match = _DURATION.fullmatch(value)
    return [(int(n), unit) for unit, n in match.groupdict().items() if n] if match else []


_OF_ONE_UNIT = re.compile(r"P(\d{1,4})([YMWD])")
_COUNTED = re.compile(r"(\d{1,4})?\s*([^\d\s]+)")
_SEVERAL = range(3, 11)
_TWO = 2


def duration_words(value: str, language: str) -> str:
    """Return a duration of one unit in words, `5 years` for `P5Y`; other texts unchanged."""
    found = _OF_ONE_UNIT.fullmatch(value)
    forms = None if found is None else _names().get(language, {}).get(found[2])
    if found is None or forms is None:
        return value
    number = int(found[1])
    one, two, several, others = forms
    if number == _TWO and two:
        return two
    if language == "ar" and number % 100 not in _SEVERAL:
        return f"{number} {one if number == 1 or not number % 100 else others.split()[0]}"
    return f"{number} {one if number == 1 else several}"


def duration_in_words(text: str) -> str | None:
    """Return the ISO 8601 duration that is written in words of any language, or None.

    >>> duration_in_words("18 mois")
    'P18M'
    """
    digits = "".join(str(unicodedata.digit(sign, sign)) for sign in fold(text))
    counted = _COUNTED.fullmatch(digits.strip())
    number, unit = _unit_names().get(counted[2], (None, None)) if counted else (None, None)
    if counted is None or unit is None or (counted[1] is None) is not (number is not None):
        return None
    return f"P{number or int(counted[1])}{unit}"


@cache
def _unit_names() -> dict[str, tuple[int | None, str]]:
    """Return the units by their folded names; the Arabic dual is of two without a number."""
    return {
        fold(name): (_TWO if name.endswith(("ان", "ين")) and name != "سنين" else None, unit)
        for names in _names().values()
        for unit, forms in names.items()
        if not unit.isdecimal()
        for name in " ".join(forms).split()
    }
