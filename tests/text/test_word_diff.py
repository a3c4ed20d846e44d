"""Marks in texts: exact, and such as people read them."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.text.word_diff import word_diff

WORDS = [
    "le",
    "les",
    "lits",
    "النظام",
    "الأسرّة",
    "،",
    "؟",
    ".",
    ",",
    " ",
    "  ",
    "\n",
    "ⴰⵎⴰⵏ",
    "d'un",
]


def told(before, after):
    return [(mark.op, mark.text) for mark in word_diff(before, after)]


def sides(found):
    before = "".join(mark.text for mark in found if mark.op != "insert")
    return before, "".join(mark.text for mark in found if mark.op != "delete")


texts = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=80).map("".join))


@given(texts, texts)
def test_the_marks_hold_both_texts_exactly(before, after):
    found = word_diff(before, after)
    assert sides(found) == (before, after)
    assert all(mark.text for mark in found)
    kinds = [mark.op for mark in found]
    assert all(one != other for one, other in itertools.pairwise(kinds))
    assert (kinds == ["equal"] or not kinds) is (before == after)


def test_a_word_is_the_smallest_part():
    assert told("prévoit les lits occupés", "prévoit les lits libres") == [
        ("equal", "prévoit les lits "),
        ("delete", "occupés"),
        ("insert", "libres"),
    ]


def test_arabic_words_keep_their_signs_and_lose_their_punctuation():
    assert told("عدد الأسرّة، كل أسبوع.", "عدد الأسرّة كل يوم.") == [
        ("equal", "عدد الأسرّة"),
        ("delete", "،"),
        ("equal", " كل "),
        ("delete", "أسبوع"),
        ("insert", "يوم"),
        ("equal", "."),
    ]
    assert told("الأسرَّة", "الأسرة") == [("delete", "الأسرَّة"), ("insert", "الأسرة")]


def test_space_alone_between_two_changes_belongs_to_them():
    assert told("un chat noir dort", "un chien blanc dort") == [
        ("equal", "un "),
        ("delete", "chat noir"),
        ("insert", "chien blanc"),
        ("equal", " dort"),
    ]


def test_one_changed_word_in_a_long_text_is_all_that_is_marked():
    chance = random.Random(7)
    words = [f"mot{chance.randrange(300)}" for _ in range(600)]
    other = [*words]
    other[300] = "autrement"
    found = word_diff(" ".join(words), " ".join(other))
    assert [(mark.op, mark.text) for mark in found if mark.op != "equal"] == [
        ("delete", words[300]),
        ("insert", "autrement"),
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("." * 5000, "!" * 5000),
        ("a " * 2500, "b a " * 1250),
        (".!" * 2500, "!.?" * 1600),
        (" ".join(map(str, range(1200))), " ".join(map(str, reversed(range(1200))))),
        ("x y " * 1250, "y x z " * 800),
    ],
)
def test_texts_made_to_be_hard_are_compared_too(before, after):
    # Comparing each word with each, anew for every match, would take minutes.
    assert sides(word_diff(before, after)) == (before, after)
