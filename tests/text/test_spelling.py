"""Slips: how many there are between words, and what may have been meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.text.spelling import (
    is_likely,
    is_particle,
    may_be_misspelt,
    other_articles,
    other_beginnings,
    slips,
    within,
    without_particle,
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
    near = [] if expected > 2 else [(expected, 1)]
    assert within(one, ["zzzzzz" * 3, other], 2) == near
    assert within(other, ["zzzzzz" * 3, one], 2) == near


@pytest.mark.parametrize(
    ("word", "most"),
    [
        ("", 0), ("a", 0), ("2026", 0), ("ab", 0), ("prime", 1), ("fraude", 1), ("canicule", 1),
        ("detection", 2), ("19eme", 1), ("sans", 0), ("عدم", 0), ("منحة", 0), ("احصل", 0),
        ("مستشفي", 1),
    ],
)  # fmt: skip
def test_how_many_slips_a_word_may_have(word, most):
    assert slips(word) == most


@pytest.mark.parametrize(
    ("word", "other", "alone", "beside"),
    [
        ("fraude", "froude", True, True),
        ("prime", "prise", False, True),
        ("prime", "primes", True, True),
        ("prmie", "prime", True, True),
        ("voile", "voie", False, True),
        ("foulle", "foule", True, True),
        ("voiie", "voie", True, True),
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
        assert within(word, [other], 1)
    assert word[1:] in other_beginnings(word)


def test_a_short_word_begins_as_it_does():
    assert not [*other_beginnings("fraude")]


def test_what_negates_the_word_after_it():
    assert all(map(is_particle, ("sans", "not", "بدون")))
    assert not any(map(is_particle, ("refus", "denied", "رفض", "sang")))


def test_which_word_that_occurs_may_be_misspelt():
    assert may_be_misspelt("gestation")
    assert not any(map(may_be_misspelt, ("route", "الجامعيه")))


def test_a_particle_that_is_joined_to_its_word():
    joined = {
        "lecole": "ecole", "limpot": "impot", "dinscription": "inscription", "lpermis": "permis",
        "flbac": "bac", "لمنحه": "منحه", "فالبيرمي": "البيرمي", "بلبيرمي": "بيرمي", "فطنجه": "طنجه",
        "drone": None, "la": None, "قرض": None, "école": None,
    }  # fmt: skip
    assert {word: without_particle(word) for word in joined} == joined


def test_a_french_article_is_written_as_an_arabic_one_or_not_at_all():
    for word in ("لافينييت", "الفينييت", "فينييت"):
        assert {word, *other_articles(word)} == {word, "لافينييت", "فينييت"}
    assert other_articles("lapin") == ()
