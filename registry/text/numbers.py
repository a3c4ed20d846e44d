"""Numbers in the format of each language, always with Western digits."""

from __future__ import annotations

from babel import Locale, numbers

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
