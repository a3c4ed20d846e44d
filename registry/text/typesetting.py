"""Typesetting: numbers in the format of each language, and non-breaking spaces."""

from __future__ import annotations

import re

from babel import Locale, numbers

_NARROW, _WIDE = "\u202f", "\u00a0"
_COUNTED = re.compile(r"(?<=%\(n\)s) (?=\w)")
_HIGH = re.compile(r" (?=[;?!](?:\s|$))")
_LOW = re.compile(r"(?<=«) (?=\S)| (?=[:»](?:[\s,.;)]|$))")


def typeset(wording: str, lang: str) -> str:
    """Return a message with non-breaking spaces where no line may break.

    >>> typeset("Que faire ?", "fr") == "Que faire\u202f?"
    True
    """
    wording = _COUNTED.sub(_WIDE, wording)
    return _LOW.sub(_WIDE, _HIGH.sub(_NARROW, wording)) if lang == "fr" else wording


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
