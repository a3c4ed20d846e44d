"""How two answers differ, as whoever audits reads it."""

import pytest

from registry.audit.comparison import member_difference

ONE, TWO = {"id": "one"}, {"id": "two"}


@pytest.mark.parametrize(
    ("here", "there", "why"),
    [
        ([ONE, TWO], [ONE, TWO], None),
        ([ONE, TWO], [TWO], 'items, 0 is {"id":"one"}, and {"id":"two"} follows from the log'),
        ([ONE], [ONE, TWO], 'items, 1 is missing, and {"id":"two"} follows from the log'),
        ([ONE, ONE], [ONE, TWO], 'items, 1, id is "one", and "two" follows from the log'),
    ],
)
def test_the_item_that_differs_is_named(here, there, why):
    assert member_difference({"items": here}, {"items": there}) == why
