"""Slips: how many there are between words, and what may have been meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.text.spelling import distance, ends, one_slip_away, slips


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("fraude", "fraude", 0),
        ("fraude", "fruade", 1),
        ("fraude", "fraud", 1),
        ("fraude", "fraudes", 1),
        ("fraude", "froude", 1),
        ("ab", "ba", 1),
        ("reconnaissance", "reconaisance", 2),
        ("fraude", "farudee", 2),
        ("fraude", "hopital", 3),
        ("", "abcdef", 3),
        ("مستشفي", "مستشفا", 1),
    ],
)
def test_slips_between_words(one, other, expected):
    assert distance(one, other, 2) == expected
    assert distance(other, one, 2) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [("", 0), ("a", 0), ("2026", 0), ("ab", 1), ("fraude", 1), ("detection", 2), ("19e", 1)],
)
def test_how_many_slips_a_word_may_have(word, expected):
    assert slips(word) == expected


WORDS = st.text(alphabet="abcz", min_size=1, max_size=7)


@given(WORDS, WORDS)
def test_one_slip_away_is_what_is_one_slip_away(one, other):
    assert (other in one_slip_away(one)) is (distance(one, other, 1) == 1)


@pytest.mark.parametrize(
    ("word", "near"),
    [("مستشفا", "مستشفي"), ("الفلاحه", "الفلاح"), ("tax", "taxi"), ("covid19", "covid1")],
)
def test_letters_are_of_the_word_s_script(word, near):
    assert near in one_slip_away(word)
    assert word not in one_slip_away(word)


def test_the_ends_of_a_word():
    assert ends("detection") == ("det", "ion")
    assert ends("reconnaissance") == ("reco", "ance")
