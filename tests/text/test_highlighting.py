"""What is marked in a text, and where a long one is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.text.folding import fold
from registry.text.highlighting import LONGEST, HighlightTerms, Texts, passage
from registry.text.tokens import stem, word_places


def sought(*words, language="fr", phrases=()):
    numbers = {stem(fold(word), language): number for number, word in enumerate(words)}
    return HighlightTerms({language: numbers}, dict.fromkeys(phrases, len(words)))


def plain(word):
    return stem(word, "fr")


def highlights(what, texts):
    """Give each text with a mark: its number, what is shown of it, and what is marked."""
    made = []
    for number, present in what.found(texts):
        if highlight := what.highlight(texts, number):
            assert highlight[1] <= present
            made.append((number, *highlight))
    return made


def shown_in(what, text, tag, **more):
    """Give what is shown of one text, which stands between two others that have nothing."""
    texts = Texts(
        [("/a", tag, "rien"), ("/b", tag, text), ("/c", "zgh", text), ("/d", tag, "")], **more
    )
    found = highlights(what, texts)
    assert found == highlights(what, texts)
    assert not {number for number, _, _ in found} - {1}
    return found[0][1:] if found else (None, set())


def marks_in(what, text, tag):
    """Give the marks of a text that is shown as a whole."""
    highlight, _ = shown_in(what, text, tag, cut=False)
    if highlight is None:
        return []
    assert (highlight.field, highlight.lang, highlight.text) == ("/b", tag, text)
    return highlight.marks


def marked(text, tag, what):
    return [text[start:end] for start, end in marks_in(what, text, tag)]


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


def test_what_is_marked_is_known():
    what = sought("fraude", "santé", "eau", phrases=[("sante", "publique")])
    assert shown_in(what, "Santé, fraudes, santé", "fr")[1] == {0, 1}
    assert shown_in(what, "Santé publique, eau", "fr")[1] == {1, 2, 3}
    far = "santé " + "mot " * 100 + "eau"
    assert shown_in(what, far, "fr")[1] == {1}
    assert shown_in(what, far, "fr", cut=False)[1] == {1, 2}


def test_a_short_text_stays_whole():
    assert passage("La fraude", [(3, 9, 0)]) == ("La fraude", [(3, 9)])


@pytest.mark.parametrize("at", [0, 50, 300, 590])
def test_a_long_text_is_cut_between_words_around_its_first_mark(at):
    words = ["mot"] * 600
    words[at] = "FRAUDE"
    text = " ".join(words)
    start = text.index("FRAUDE")
    last = text.rindex("mot")
    cut, marks = passage(text, [(start, start + 6, 0), (last, last + 3, 1)])
    first = marks[0]
    assert cut[first[0] : first[1]] == "FRAUDE"
    assert all(cut[start:end] in {"FRAUDE", "mot"} for start, end in marks)
    assert len(cut) <= LONGEST + 10
    assert set(cut.strip("…").split()) <= {"mot", "FRAUDE"}
    assert cut.startswith("…") is (at > 0 and start > 80)


def test_a_text_without_spaces_is_cut_all_the_same():
    assert passage("x" * 1000, [(500, 900, 0)]) == ("…" + "x" * 400 + "…", [(1, 401)])


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
)
def test_all_words_are_marked_and_in_a_passage_those_that_it_has(parts):
    text, what = " ".join(parts), sought("fraude", "hôpitaux")
    every = marks_in(what, text, "fr")
    wanted = {plain("fraude"), plain("hopitaux")}
    assert every == [
        (at, end) for at, end, words in word_places(text) if wanted & {*map(plain, words)}
    ]
    cut, _ = shown_in(what, text, "fr")
    assert (cut is None) is (not every)
    if cut is not None:
        moved = every[0][0] - cut.marks[0][0]
        last = len(cut.text) - cut.text.endswith("…") + moved
        assert [(start + moved, end + moved) for start, end in cut.marks] == [
            place for place in every if place[1] <= last
        ]


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
    found = [(number, shown.marks, marked) for number, shown, marked in highlights(what, texts)]
    assert found == [(0, [(0, 6), (10, 24)], {0, 1}), (3, [(0, 14), (16, 22)], {0, 1})]
