"""Measurements in words: whole numbers of cases that are near enough to the share."""

import pytest

from registry.pages.views.document_view import metric_words


@pytest.mark.parametrize(
    ("code", "value", "n", "of"),
    [
        ("recall", 0.941, 94, 100),
        ("accuracy", 1, 100, 100),
        ("accuracy", 0, 0, 100),
        ("error_rate", 0.005, 5, 1_000),
        ("error_rate", 0.063, 6, 100),
        ("false_negative_rate", 0.031, 3, 100),
        ("false_positive_rate", 0.0004, 4, 10_000),
        ("false_positive_rate", 0.000004, 0, 100_000),
    ],
)
def test_a_share_is_so_many_of_a_hundred_or_more(code, value, n, of):
    words = metric_words(code, {"value": value})
    assert (words.n, words.of) == (n, of)
    assert words.is_share


def test_what_is_no_share_keeps_its_number():
    assert metric_words("auc", {"value": 0.91}).is_share is False
    assert metric_words("latency_s", {"value": 0.2, "unit": "s"}).is_share is False
    assert metric_words("other", {"value": 58, "unit": "s"}) is None
    assert metric_words("error_rate", {"value": 3, "unit": "mm"}) is None
    assert metric_words("recall", {"value": 1.2}) is None
    assert metric_words("a code of elsewhere", {"value": 0.5}) is None
