from __future__ import annotations

import datetime as dt

import pytest

from registry.clock import months_after
from registry.record.rules_dates import interval


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024", dt.date(2024, 1, 1), dt.date(2024, 12, 31)),
        ("2024-02", dt.date(2024, 2, 1), dt.date(2024, 2, 29)),
        ("2023-12", dt.date(2023, 12, 1), dt.date(2023, 12, 31)),
        ("2024-02-29", dt.date(2024, 2, 29), dt.date(2024, 2, 29)),
    ],
)
def test_interval(text, first, last):
    assert (first, last) == interval(text)


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (dt.date(2025, 1, 31), 1, dt.date(2025, 2, 28)),
        (dt.date(2024, 1, 31), 1, dt.date(2024, 2, 29)),
        (dt.date(2025, 12, 15), 1, dt.date(2026, 1, 15)),
        (dt.date(2025, 6, 30), 6, dt.date(2025, 12, 30)),
        (dt.date(2024, 2, 29), 36, dt.date(2027, 2, 28)),
        (dt.date(2025, 11, 30), 12, dt.date(2026, 11, 30)),
        (dt.date(9999, 6, 1), 12, dt.date(9999, 12, 31)),
    ],
)
def test_months_after(day, months, later):
    assert later == months_after(day, months)
