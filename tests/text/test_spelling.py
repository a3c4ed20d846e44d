"""Slips: how many there are between words, and what may have been meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.text.spelling import (
    distance,
    is_likely,
    is_particle,
    may_be_misspelt,
    other_beginnings,
    slips,
)


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
    ("word", "alone", "beside"),
    [
        ("", 0, 0), ("a", 0, 0), ("2026", 0, 0), ("ab", 0, 0), ("prime", 1, 1), ("fraude", 1, 1),
        ("detection", 2, 2), ("19eme", 1, 1), ("sans", 0, 0), ("عدم", 0, 0), ("منحة", 0, 1),
        ("مستشفي", 1, 1),
    ],
)  # fmt: skip
def test_how_many_slips_a_word_may_have(word, alone, beside):
    assert (slips(word, is_alone=True), slips(word, is_alone=False)) == (alone, beside)


@pytest.mark.parametrize(
    ("word", "other", "alone", "beside"),
    [
        ("fraude", "froude", True, True),
        ("prime", "prise", False, True),
        ("prime", "primes", True, True),
        ("prmie", "prime", True, True),
        ("mon", "on", False, False),
        ("alocation", "location", True, True),
        ("impot", "import", True, True),
        ("police", "solice", False, False),
        ("دعمم", "عدم", False, False),
        ("ouisans", "sans", False, False),
        ("مستشفا", "مستشفي", True, True),
    ],
)
def test_what_may_be_meant_by_a_word(word, other, alone, beside):
    assert is_likely(word, other, is_alone=True) is alone
    assert is_likely(word, other, is_alone=False) is beside


LONG = st.text(alphabet="abcz", min_size=8, max_size=10)


@given(LONG)
def test_a_long_word_may_begin_otherwise(word):
    for other in other_beginnings(word):
        assert distance(word, other, 1) <= 1
    assert word[1:] in other_beginnings(word)


def test_a_short_word_begins_as_it_does():
    assert not [*other_beginnings("fraude")]


def test_what_negates_the_word_after_it():
    assert all(map(is_particle, ("sans", "not", "بدون")))
    assert not any(map(is_particle, ("refus", "denied", "رفض", "sang")))


def test_which_word_that_occurs_may_be_misspelt():
    assert may_be_misspelt("gestation")
    assert not any(map(may_be_misspelt, ("route", "الجامعيه")))
