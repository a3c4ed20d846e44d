"""The languages of the site, and the direction and name of any language."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Literal, TypeAlias

import babel
import msgspec
from babel import localedata, numbers
from babel.core import get_global

from registry.text.csv_tables import language_rows
from registry.text.dates import months_of
from registry.text.folding import sort_key

Direction: TypeAlias = Literal["ltr", "rtl"]

TAG = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
"""The tags of languages (BCP 47) that the record format accepts."""

_QUALITY = re.compile(r"q=([01](?:\.[0-9]{0,3})?)")
_RTL_SCRIPTS = frozenset(("Arab", "Hebr", "Thaa", "Nkoo", "Syrc", "Adlm", "Armi"))


_SCRIPT = 4
"""The letters of a subtag for a script."""

_COUNTRY = re.compile("[A-Z]{2}")
_GROUPS = frozenset(
    ("AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ")
)
"""Codes of CLDR that are of no country: of groups, of none, and what ISO 3166-1 only reserves."""

_LONGEST_HEADER = 1024
"""Characters of an `Accept-Language` that are read; browsers send no more than some hundred."""


class Locale(msgspec.Struct, frozen=True, kw_only=True):
    """A language of the site: its tag, direction, own name and Babel's locale."""

    tag: str
    dir: Direction
    name: str
    babel: str


@lru_cache(maxsize=64)
def make_locale(tag: str, country: str, fallback: Sequence[str] = ()) -> Locale:
    """Return the locale of a language in a country, by CLDR; for one that CLDR lacks, of the next.

    The next are those of `fallback`, then English. The country matters: in Arabic a month has
    another name from country to country. A language with months in `dates.csv` is its modifier.
    """
    names = (one.replace("-", "_") for one in (tag, *fallback, "en"))
    near = (name for one in names for name in (f"{one}_{country}", one))
    found = next(name for name in near if localedata.exists(name))
    named = babel.Locale.parse(found).languages
    own = _own_names().get((tag, tag)) or named.get(tag, named.get(tag.partition("-")[0], tag))
    if months_of(f"@{tag}"):
        found = f"{found}@{tag}"
    return Locale(tag=tag, dir=direction(tag), name=own[0].upper() + own[1:], babel=found)


def script_locale(tag: str, country: str) -> str:
    """Return the locale (BCP 47) by which a browser writes dates and numbers as pages do."""
    language, *subtags = tag.split("-")
    scripts = [part for part in subtags if len(part) == _SCRIPT and part.isalpha()]
    return "-".join((language, *scripts[:1], country, "u-nu-latn"))


@lru_cache(maxsize=256)
def direction(tag: str) -> Direction:
    """Return the writing direction of a language tag, which is that of its script."""
    return "rtl" if script_of(tag) in _RTL_SCRIPTS else "ltr"


def script_of(tag: str) -> str:
    """Return the script (ISO 15924) of a language tag: its own, or the most likely by CLDR."""
    language, *subtags = tag.lower().split("-")
    script = next((part for part in subtags if len(part) == _SCRIPT and part.isalpha()), None)
    likely: str = get_global("likely_subtags").get(language, "")
    return script.title() if script else (likely.split("_")[1:2] or ["Latn"])[0]


@lru_cache(maxsize=1024)
def language_name(tag: str, locale: str) -> str:
    """Return the name of a language in a Babel locale, else its own name, else the tag."""
    primary = tag.lower().split("-")[0]
    said_in = locale.partition("@")[2] or locale.partition("_")[0]
    if own := _own_names().get((tag, said_in)):
        return own
    for names in (locale.partition("@")[0], primary):
        if localedata.exists(names) and primary in (known := babel.Locale.parse(names).languages):
            return str(known[primary])
    return tag


@cache
def _own_names() -> dict[tuple[str, str], str]:
    """Return names of languages, by what is named and in which, that CLDR lacks or says longer."""
    rows = language_rows("names.csv", ("language", "name"))
    return {(tag, row["language"]): row["name"] for tag, _, row in rows}


@cache
def country_codes() -> tuple[str, ...]:
    """Return the codes of countries (ISO 3166-1 alpha-2)."""
    known = map(str, babel.Locale("en").territories)
    return tuple(sorted(code for code in known if _COUNTRY.fullmatch(code) and code not in _GROUPS))


def country_name(code: str, locale: str) -> str:
    """Return the name of a country (ISO 3166-1 alpha-2) in a Babel locale, else the code."""
    return str(babel.Locale.parse(locale).territories.get(code.upper(), code))


@cache
def countries_by_name(locale: str) -> dict[str, str]:
    """Return the names of all countries in a Babel locale by code, in the order of the names."""
    named = {code: country_name(code, locale) for code in country_codes()}
    return dict(sorted(named.items(), key=lambda pair: sort_key(pair[1])))


@cache
def currencies_by_name(locale: str, country: str) -> dict[str, str]:
    """Return the names of the currencies in use by ISO 4217 code, those of a country first."""
    own = numbers.get_territory_currencies(country)
    used = {one for code in country_codes() for one in numbers.get_territory_currencies(code)}
    named = {code: numbers.get_currency_name(code, locale=locale) for code in used}
    return dict(sorted(named.items(), key=lambda pair: (pair[0] not in own, sort_key(pair[1]))))


def own_currency(country: str) -> str:
    """Return the currency (ISO 4217) of a country, the code for tests where it has none."""
    return next(iter(numbers.get_territory_currencies(country)), "XTS")


def pick(text: Mapping[str, str], wanted: str, fallback: Sequence[str]) -> tuple[str, str] | None:
    """Return (language, text) in the wanted language, else in the first of the fallback order.

    A text in neither is better than nothing: then the first tag in sorted order is taken. Return
    None for an empty map.
    """
    for tag in (wanted, *fallback):
        if tag in text:
            return tag, text[tag]
    if not text:
        return None
    tag = min(text)
    return tag, text[tag]


def negotiate(header: str, among: Sequence[str]) -> str | None:
    """Return the best language for an Accept-Language header (RFC 9110 §12.5.4), or None.

    Of a longer one than `_LONGEST_HEADER` the ranges that begin it are read.
    """
    if len(header) > _LONGEST_HEADER:
        header = header[:_LONGEST_HEADER].rpartition(",")[0]
    best: tuple[float, str] | None = None
    for part in header.lower().split(","):
        wish, _, rest = part.strip().partition(";")
        quality = _QUALITY.fullmatch(rest.strip())
        weight = float(quality[1]) if quality else float(not rest.strip())
        tag = next((tag for tag in among if tag in {wish, wish.split("-")[0]}), None)
        if tag is not None and weight > (best[0] if best else 0):
            best = (weight, tag)
    return best[1] if best else None
