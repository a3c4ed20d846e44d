import pytest

from registry.imports.dates import date_by_pattern, fuzzy_date


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("2024", "2024"),
        ("2024-10", "2024-10"),
        ("2024-10-01 00:00:00", "2024-10-01"),
        ("2024-10-01T00:00:00Z", "2024-10-01"),
        ("01/2024", "2024-01"),
        ("10/1/2023", "2023-10-01"),
        ("9/30/2025 0:00", "2025-09-30"),
        ("01/01/2026 00:00:00", "2026-01-01"),
        ("09/24/2024 12:00:00 AM", "2024-09-24"),
        ("Jul-25", "2025-07"),
        ("Jan-03", "2003-01"),
        ("Sept 2021", "2021-09"),
        ("October 2024", "2024-10"),
        (" 2019 ", "2019"),
        ("2/29/2024", "2024-02-29"),
    ],
)
def test_spellings_of_a_source_that_writes_the_month_first(spelling, expected):
    assert expected == fuzzy_date(spelling, order="month_first", century_from=1950)


@pytest.mark.parametrize(
    "spelling",
    [
        "", "TBD", "FY2024", "Q3 2024", "2024-13", "2024-02-30", "13/2024", "2/29/2023",
        "31/12/2024", "1899-12-31 00:00:00", "2024-10-01 11:59:00", "Brumaire-24", "1/2/24",
        "2023 - 2024", "in 2024", "1-2/2024",
    ],
)  # fmt: skip
def test_what_is_no_date_is_not_read(spelling):
    assert fuzzy_date(spelling, order="month_first", century_from=1950) is None


def test_two_ways_of_reading_are_no_date():
    assert fuzzy_date("3/4/2024") is None
    assert fuzzy_date("3/4/2024", order="day_first") == "2024-04-03"
    assert fuzzy_date("3/4/2024", order="month_first") == "2024-03-04"


@pytest.mark.parametrize("spelling", ["3/3/2024", "25/12/2024", "12/25/2024"])
def test_one_way_of_reading_needs_no_order(spelling):
    assert fuzzy_date(spelling) is not None


def test_a_month_or_day_of_zero_is_no_date():
    for spelling, pattern in (
        ("05.00.2024", "DD.MM.YYYY"),
        ("00.05.2024", "DD.MM.YYYY"),
        ("00/2024", "MM/YYYY"),
    ):
        assert date_by_pattern(spelling, pattern, language="de", century_from=None) is None
    assert fuzzy_date("2024-00") is None


def test_a_year_of_two_digits_needs_a_century():
    assert fuzzy_date("Jan-98") is None
    assert fuzzy_date("Jan-98", century_from=1950) == "1998-01"
    assert fuzzy_date("Jan-98", century_from=2000) == "2098-01"
