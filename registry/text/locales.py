"""The languages of the site, and the direction and name of any language."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Literal, TypeAlias

import babel
import msgspec
from babel import localedata, numbers

from registry.text.folding import sort_key

Direction: TypeAlias = Literal["ltr", "rtl"]

TAG = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
"""The tags of languages (BCP 47) that the record format accepts."""

_QUALITY = re.compile(r"q=([01](?:\.[0-9]{0,3})?)")
_RTL_LANGUAGES = frozenset(
    ("ar", "arc", "arz", "ckb", "dv", "fa", "he", "ks", "nqo", "ps", "sd", "syr", "ug", "ur", "yi")
)
# CLDR's name of the standard language is right and longer than a reader needs.
_TAMAZIGHT = {"ar": "الأمازيغية", "fr": "amazighe", "en": "Tamazight"}
_RTL_SCRIPTS = frozenset(("arab", "hebr", "thaa", "nkoo", "syrc", "adlm"))


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
def make_locale(tag: str, country: str) -> Locale:
    """Return the locale of a language in a country, by CLDR; English for one that CLDR lacks.

    The country matters: in Arabic a month has another name from country to country.
    """
    known = (name for name in (f"{tag}_{country}", tag) if localedata.exists(name))
    found = next(known, "en")
    own = babel.Locale.parse(found).languages.get(tag, tag)
    return Locale(tag=tag, dir=direction(tag), name=own[0].upper() + own[1:], babel=found)


@lru_cache(maxsize=256)
def direction(tag: str) -> Direction:
    """Return the writing direction of a language tag; its script decides where it has one."""
    language, *subtags = tag.lower().split("-")
    script = next((part for part in subtags if len(part) == 4 and part.isalpha()), None)  # noqa: PLR2004  a script subtag has four letters
    if script is not None:
        return "rtl" if script in _RTL_SCRIPTS else "ltr"
    return "rtl" if language in _RTL_LANGUAGES else "ltr"


@lru_cache(maxsize=1024)
def language_name(tag: str, locale: str) -> str:
    """Return the name of a language in a Babel locale, else its own name, else the tag."""
    primary = tag.lower().split("-")[0]
    if primary == "zgh" and (short := _TAMAZIGHT.get(locale.partition("_")[0])):
        return short
    for names in (locale, primary):
        if localedata.exists(names) and primary in (known := babel.Locale.parse(names).languages):
            return str(known[primary])
    return tag


@lru_cache(maxsize=1024)
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
