"""Typesetting: numbers in the format of each language, and non-breaking spaces."""

from __future__ import annotations

import re
from functools import lru_cache

from babel import Locale, numbers

_NARROW, _WIDE = "\u202f", "\u00a0"
_COUNTED = re.compile(r"(?<=%\(n\)s) (?=\w)")
_UNITS = (
    r"jours?|ans?|mois|semaines?|heures?|minutes?|secondes?|h|min|s|ms|km|m|cm|mm|ha|kg|kWh|MWh|W|Go|Mo|"
    r"dirhams?|MAD|euros?|millions?|milliards?|personnes?|dossiers?|cas|agents?"
)
_FRENCH = re.compile(
    r"```.*?```|`[^`]*`| (?:(?=[;:?!»](?![\w/=-]))|(?<=[\d«°] )(?:(?<=« )(?=\S)|(?P<wide>"
    rf"(?<=\d )(?=(?:{_UNITS})\b|[%€°]|\d{{3}}(?!\d))|(?<=[nN]° )(?=\d))))",
    re.DOTALL,
)
"""Code, or a space where no line may break. Each begins with a literal, by which `re` goes fast."""


@lru_cache(maxsize=2048)
def typeset(wording: str, lang: str) -> str:
    """Return a text with non-breaking spaces where no line may break.

    Spaces take each other's place, so that marks of passages stay where they are; code and what has
    no space, such as addresses and times, stay as they are.

    >>> typeset("Que faire ?", "fr") == "Que faire\u202f?"
    True
    """
    wording = _COUNTED.sub(_WIDE, wording)
    return _FRENCH.sub(_no_break, wording) if lang == "fr" else wording


def _no_break(found: re.Match[str]) -> str:
    if found[0] != " ":
        return found[0]
    return _NARROW if found["wide"] is None else _WIDE


_SHORT_ARABIC = {"MAD": "درهم"}
"""What people say, where CLDR names the country as well."""


def format_number(value: float, locale: str) -> str:
    """Return a number with a Babel locale's separators and at most six decimals."""
    return numbers.format_decimal(
        value, format="#,##0.######", locale=locale, numbering_system="latn"
    )


def format_percent(share: float, locale: str) -> str:
    """Return a share from 0 to 1 as a percentage with at most one decimal."""
    pattern = Locale.parse(locale).percent_formats[None].pattern.replace("#,##0", "#,##0.#")
    return numbers.format_percent(share, format=pattern, locale=locale, numbering_system="latn")


def format_money(value: float, currency: str, locale: str) -> str:
    """Return an amount with its ISO 4217 code; in Arabic, with the name of the currency."""
    amount = format_number(value, locale)
    if locale.startswith("ar"):
        name = _SHORT_ARABIC.get(currency) or numbers.get_currency_name(currency, value, locale)
        return f"{amount} {name}"
    return f"{currency} {amount}" if locale.startswith("en") else f"{amount} {currency}"
