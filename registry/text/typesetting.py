"""Typesetting: numbers in the format of each language, and non-breaking spaces."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from babel import Locale, numbers

from registry.text.language_words import words_by_language

_NARROW, _WIDE = "\u202f", "\u00a0"
_COUNTED = re.compile(r"(?<=%\(n\)s) (?=\w)")


@cache
def _french() -> re.Pattern[str]:
    """Return the pattern of code, or of a space where no line may break, also before a currency.

    Each begins with a literal, by which `re` goes fast.
    """
    units = "|".join(map(re.escape, words_by_language()["fr"]["unit"]))
    return re.compile(
        r"```.*?```|`[^`]*`| (?:(?=[;:?!»](?![\w/=-]))|(?<=[\d«°] )(?:(?<=« )(?=\S)|(?P<wide>"
        rf"(?<=\d )(?=(?:{units}|[A-Z]{{3}})\b|[%€°]|\d{{3}}(?!\d))|(?<=[nN]° )(?=\d))))",
        re.DOTALL,
    )


@lru_cache(maxsize=2048)
def typeset(wording: str, lang: str) -> str:
    """Return a text with non-breaking spaces where no line may break.

    Spaces take each other's place, so that marks of passages stay where they are; code and what has
    no space, such as addresses and times, stay as they are.

    >>> typeset("Que faire ?", "fr") == "Que faire\u202f?"
    True
    """
    wording = _COUNTED.sub(_WIDE, wording)
    return _french().sub(_no_break, wording) if lang == "fr" else wording


def _no_break(found: re.Match[str]) -> str:
    if found[0] != " ":
        return found[0]
    return _NARROW if found["wide"] is None else _WIDE


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
    """Return an amount with its ISO 4217 code; in Arabic, with the name of the currency.

    CLDR puts the country behind the name, which nobody says of one's own.
    """
    amount = format_number(value, locale)
    if locale.startswith("ar"):
        # A counted name has its ending by the number, which a word alone says wrong.
        name = numbers.get_currency_name(currency, locale=locale)
        territory = Locale.parse(locale).territory
        is_own = territory and currency in numbers.get_territory_currencies(territory)
        return f"{amount} {name.split()[0] if is_own else name}"
    return f"{currency} {amount}" if locale.startswith("en") else f"{amount} {currency}"
