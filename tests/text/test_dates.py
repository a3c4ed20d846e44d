from __future__ import annotations

import pytest

from registry.text.dates import (
    duration_in_words,
    duration_words,
    format_date,
    read_duration,
)


@pytest.mark.parametrize(
    ("value", "locale", "expected"),
    [
        ("2026-10-12", "fr", "12 octobre 2026"),
        ("2026-04-01", "fr", "1er avril 2026"),
        ("2026-04-11", "fr", "11 avril 2026"),
        ("2026-07-03", "ar_MA", "3 يوليوز 2026"),  # the Moroccan name of July
        ("2025-03", "fr", "mars 2025"),
        ("2025-03", "ar", "مارس 2025"),
        ("2025", "en", "2025"),
        ("2026-10-12", "en", "October 12, 2026"),
        ("2026-02-31", "en", "2026-02-31"),
        ("soon", "en", "soon"),
    ],
)
def test_format_date(value, locale, expected):
    assert expected == format_date(value, locale)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("P5Y", [(5, "year")]),
        ("P1Y6M", [(1, "year"), (6, "month")]),
        ("PT12H", [(12, "hour")]),
        ("P", []),
        ("five years", []),
    ],
)
def test_read_duration(value, expected):
    assert expected == read_duration(value)


@pytest.mark.parametrize("language", ["ar", "en", "fr"])
def test_a_duration_in_words_is_read_back_as_it_was(language):
    for unit in "YMWD":
        for number in (1, 2, 3, 10, 11, 18, 100, 103, 1000):
            duration = f"P{number}{unit}"
            words = duration_words(duration, language)
            assert words != duration
            assert duration_in_words(words) == duration
    assert duration_words("P1Y6M", language) == "P1Y6M"
    assert [duration_in_words(one) for one in ("5", "ans", "five years", "P5Y", "5 lustres")] == [
        None
    ] * 5
