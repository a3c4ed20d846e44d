from __future__ import annotations

import pytest

from registry.text.locales import LOCALES
from registry.text.numbers import format_money, format_number, format_percent


@pytest.mark.parametrize(
    ("value", "tag", "expected"),
    [
        (92000, "fr", "92\u202f000"),
        (92000, "en", "92,000"),
        (0.9134, "ar", "0,9134"),
        (12, "zgh", "12"),
    ],
)
def test_format_number(value, tag, expected):
    assert expected == format_number(value, tag)


@pytest.mark.parametrize("tag", LOCALES)
def test_digits_are_western(tag):
    digits = [c for c in format_number(1234567.89, tag) + format_percent(0.943, tag) if c.isdigit()]
    assert all(digit.isascii() for digit in digits)


def test_format_percent():
    assert format_percent(0.08, "fr") == "8\u00a0%"
    assert format_percent(0.943, "en") == "94.3%"


def test_format_money_names_its_currency():
    assert format_money(1250000, "MAD", "fr") == "1\u202f250\u202f000 MAD"
