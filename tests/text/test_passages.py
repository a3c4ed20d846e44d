"""What is marked in a text, and where a long one is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.text.analysis import stem, word_places
from registry.text.folding import fold
from registry.text.passages import LONGEST, Sought, Texts, passage


def sought(*words, language="fr", phrases=()):
    numbers = {stem(fold(word), language): number for number, word in enumerate(words)}
    return Sought({language: numbers}, dict.fromkeys(phrases, len(words)))


def plain(word):
    return stem(word, "fr")


def marks_in(what, text, tag, **more):
    """Give the marks of one text, which stands between two others that have none."""
    texts = Texts([("/a", tag, "rien"), ("/b", tag, text), ("/c", "zgh", text), ("/d", tag, "")])
    found = dict(what.marks(texts, **more))
    assert not found.keys() - {1}
    return found.get(1, [])


def marked(text, tag, what):
    return [text[start:end] for start, end, _ in marks_in(what, text, tag)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Détection des fraudes, l’Hôpital", ["Détection", "fraudes", "Hôpital"]),
        ("rien", []),
        ("e\u0301tat de FRAUDE\u0301", ["FRAUDE\u0301"]),
        ("", []),
    ],
)
def test_words_are_marked_as_they_stand(text, expected):
    assert marked(text, "fr", sought("fraude", "détecter", "hôpitaux")) == expected


def test_a_word_counts_in_its_language():
    assert marked("المستشفيات الجامعية", "ar", sought("مستشفى", language="ar")) == ["المستشفيات"]
    assert marked("fraudes", "en", sought("fraude")) == []
    assert marked("fraudes", "fr-MA", sought("fraude")) == ["fraudes"]


def test_words_in_a_row_are_marked_as_one():
    what = sought(phrases=[("sante", "publique")])
    assert marked("La santé d’abord ; santé\u00a0publique", "fr", what) == ["santé\u00a0publique"]


def test_each_mark_says_what_it_is():
    marks = marks_in(sought("fraude", "santé"), "Santé, fraudes, santé", "fr")
    assert [what for _, _, what in marks] == [1, 0, 1]


def test_a_short_text_stays_whole():
    assert passage("La fraude", [(3, 9, 0)]).text == "La fraude"


@pytest.mark.parametrize("at", [0, 50, 300, 590])
def test_a_long_text_is_cut_between_words_around_its_first_mark(at):
    words = ["mot"] * 600
    words[at] = "FRAUDE"
    text = " ".join(words)
    start = text.index("FRAUDE")
    last = text.rindex("mot")
    cut = passage(text, [(start, start + 6, 0), (last, last + 3, 1)])
    first = cut.marks[0]
    assert cut.text[first[0] : first[1]] == "FRAUDE"
    assert all(cut.text[start:end] in {"FRAUDE", "mot"} for start, end in cut.marks)
    assert len(cut.text) <= LONGEST + 10
    assert set(cut.text.strip("…").split()) <= {"mot", "FRAUDE"}
    assert cut.text.startswith("…") is (at > 0 and start > 80)


def test_a_text_without_spaces_is_cut_all_the_same():
    cut = passage("x" * 1000, [(500, 900, 0)])
    assert cut.marks == [(1, 401)]
    assert cut.text == "…" + "x" * 400 + "…"


@given(
    st.lists(
        st.sampled_from(
            [
                "fraude",
                "L’Hôpital",
                "l'hôpital",
                "antifraude",
                "FRAUDES",
                "d’eau",
                "la,",
                "—",
                "état_fraude",
                "x" * 30,
                "hôpitaux",
                "fraude\n",
                "aujourd’hui",
            ]
        ),
        max_size=60,
    ),
    st.integers(0, 300),
)
def test_the_marks_around_the_first_are_those_of_all_that_are_so_near(parts, around):
    text, what = " ".join(parts), sought("fraude", "hôpitaux")
    every = marks_in(what, text, "fr")
    wanted = {plain("fraude"), plain("hopitaux")}
    assert [place for *place, _ in every] == [
        [at, end] for at, end, words in word_places(text) if wanted & {*map(plain, words)}
    ]
    near = [mark for mark in every if mark[0] <= every[0][0] + around]
    assert marks_in(what, text, "fr", around=around) == near


def test_what_is_written_as_one_word_is_marked_once_whichever_part_is_sought():
    text = "بالـGPS"
    for words in (["gps"], ["ب", "gps"]):
        assert marked(text, "ar", sought(*words, language="ar")) == [text]


def test_marks_are_walked_text_by_text():
    what = sought("fraude", phrases=[("sante", "publique")])
    texts = Texts(
        [
            ("/a", "fr", "fraude et santé publique"),
            ("/b", "en", "fraude"),
            ("/c", "fr", "santé"),
            ("/d", "fr-MA", "santé publique, fraude"),
        ]
    )
    assert list(what.marks(texts)) == [
        (0, [(0, 6, 0), (10, 24, 1)]),
        (3, [(0, 14, 1), (16, 22, 0)]),
    ]
