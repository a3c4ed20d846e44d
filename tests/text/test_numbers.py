from __future__ import annotations

import pytest

from registry.text.typesetting import format_money, format_number, format_percent


@pytest.mark.parametrize(
    ("value", "locale", "expected"),
    [
        (92000, "fr_MA", "92\u202f000"),
        (92000, "en", "92,000"),
        (0.9134, "ar_MA", "0,9134"),
        (12, "zgh", "12"),
    ],
)
def test_format_number(value, locale, expected):
    assert expected == format_number(value, locale)


@pytest.mark.parametrize("locale", ["ar_MA", "ar", "fr_SN", "zgh_MA", "en"])
def test_digits_are_western(locale):
    written = format_number(1234567.89, locale) + format_percent(0.943, locale)
    digits = [c for c in written if c.isdigit()]
    assert all(digit.isascii() for digit in digits)


def test_format_percent():
    assert format_percent(0.08, "fr") == "8\u00a0%"
    assert format_percent(0.943, "en") == "94.3%"


def test_format_money_names_its_currency():
    assert format_money(1250000, "MAD", "fr") == "1\u202f250\u202f000 MAD"


def test_format_money_says_the_currency_in_arabic():
    for amount in ("1", "2", "5", "11", "640.000"):
        value = int(amount.replace(".", ""))
        assert format_money(value, "MAD", "ar_MA") == f"{amount} درهم"
    assert format_money(5, "EUR", "ar") == "5 يورو"
