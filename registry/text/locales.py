"""The languages of the site, and the direction and name of any other language."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

import babel
import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Direction: TypeAlias = Literal["ltr", "rtl"]

_RTL_LANGUAGES = frozenset(
    ("ar", "arc", "arz", "ckb", "dv", "fa", "he", "ks", "nqo", "ps", "sd", "syr", "ug", "ur", "yi")
)
_RTL_SCRIPTS = frozenset(("arab", "hebr", "thaa", "nkoo", "syrc", "adlm"))


class Locale(msgspec.Struct, frozen=True, kw_only=True):
    """A language that the site speaks: its tag, direction, own name and Babel's locale for it."""

    tag: str
    dir: Direction
    name: str
    babel: str


LOCALES: Mapping[str, Locale] = {
    locale.tag: locale
    for locale in (
        Locale(tag="ar", dir="rtl", name="العربية", babel="ar_MA"),
        Locale(tag="fr", dir="ltr", name="Français", babel="fr_MA"),
        Locale(tag="zgh", dir="ltr", name="ⵜⴰⵎⴰⵣⵉⵖⵜ", babel="zgh_MA"),
        Locale(tag="en", dir="ltr", name="English", babel="en"),
    )
}


@lru_cache(maxsize=256)
def direction(tag: str) -> Direction:
    """Say which way a language is written; its script decides where the tag names one."""
    language, *subtags = tag.lower().split("-")
    script = next((part for part in subtags if len(part) == 4 and part.isalpha()), None)  # noqa: PLR2004  a script subtag has four letters
    if script is not None:
        return "rtl" if script in _RTL_SCRIPTS else "ltr"
    return "rtl" if language in _RTL_LANGUAGES else "ltr"


@lru_cache(maxsize=1024)
def language_name(tag: str, wanted: str) -> str:
    """Name a language in another one; falls back to its own name, then to the tag."""
    primary = tag.lower().split("-")[0]
    if primary == "zgh" and tag in LOCALES:
        # CLDR's "Standard Moroccan Tamazight" is right and longer than a reader needs.
        short = {"ar": "الأمازيغية", "fr": "amazighe", "en": "Tamazight"}
        if wanted in short:
            return short[wanted]
    names = babel.Locale.parse(LOCALES[wanted].babel).languages
    if primary in names:
        return str(names[primary])
    return LOCALES[primary].name if primary in LOCALES else tag


@lru_cache(maxsize=1024)
def country_name(code: str, wanted: str) -> str:
    """Name a country (ISO 3166-1 alpha-2) in a language; falls back to the code."""
    territories = babel.Locale.parse(LOCALES[wanted].babel).territories
    return str(territories.get(code.upper(), code))


def pick(text: Mapping[str, str], wanted: str, fallback: Sequence[str]) -> tuple[str, str] | None:
    """Choose the wording to show and say its language: the wanted one, else by the fallback order.

    A language that is in neither is better than nothing: the first tag in order is taken. An
    empty map has nothing to show.
    """
    for tag in (wanted, *fallback):
        if tag in text:
            return tag, text[tag]
    if not text:
        return None
    tag = min(text)
    return tag, text[tag]
