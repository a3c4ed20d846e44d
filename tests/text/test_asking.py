"""How a question is read, and that nothing anybody types is an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.text.analysis import common
from registry.text.asking import (
    MOST_PREFIXES,
    Every,
    Phrase,
    Prefix,
    Some,
    Synonyms,
    Without,
    Word,
    asked_words,
    is_positive,
    read,
    reworded,
    with_words,
)

SYNONYMS = Synonyms(
    [
        ["CNSS", "Caisse nationale de sécurité sociale", "الصندوق الوطني"],
        ["IA", "AI", "intelligence artificielle"],
        ["sociale"],
    ]
)
A, B, C = Word("aa"), Word("bb"), Word("cc")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aa", A),
        ("AÂ", A),
        ("aa bb", Every((A, B))),
        ("aa AND bb & cc", Every((A, B, C))),
        ('"Aa  bb"', Phrase(("aa", "bb"))),
        ("«aa bb» “cc”", Every((Phrase(("aa", "bb")), Phrase(("cc",))))),
        ("aa -bb", Every((A, Without(B)))),
        ('-"aa bb"', Without(Phrase(("aa", "bb")))),
        ("aa -\u200fbb", Every((A, Without(B)))),
        ("aa \u2068-bb\u2069", Every((A, Without(B)))),
        ("-aa-bb", Without(Every((A, B)))),
        ("aa OR bb", Some((A, B))),
        ("aa | bb OR cc", Some((A, B, C))),
        ("aa|bb|cc", Some((A, B, C))),
        ('"aa bb"|-cc', Some((Phrase(("aa", "bb")), Without(C)))),
        ('"aa|bb"', Phrase(("aa", "bb"))),
        ("frau*|aa", Some((Prefix("frau"), A))),
        ("|", None),
        ("aa OR bb cc", Every((Some((A, B)), C))),
        ("aa OR -bb", Some((A, Without(B)))),
        ("aa or bb", Every((A, B))),
        ("OR aa OR", A),
        ("aa OR OR bb", Some((A, B))),
        ("frau*", Prefix("frau")),
        ("fr*", Word("fr")),
        ("aa-frau*", Every((A, Prefix("frau")))),
        ("*", None),
        ("aa-bb", Every((A, B))),
        ('"aa', A),
        ('aa" bb', Every((A, B))),
        ("- -", None),
        ("--aa", A),
        ("() : ! <-> '", None),
        ("\u200f\u200b😀", None),
        ("OR", None),
        ("", None),
    ],
)
def test_what_a_question_asks_for(text, expected):
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("le cadastre", Word("cadastre")),
        ("le aa de bb", Every((A, B))),
        ("le la", Every((Word("le"), Word("la")))),
        ("le", Word("le")),
        ("le -aa", Every((Word("le"), Without(A)))),
        ("aa -le", Every((A, Without(Word("le"))))),
        ('le "la"', Phrase(("la",))),
        ("le OR aa", Some((Word("le"), A))),
    ],
)
def test_common_words_need_not_be_there_beside_others(text, expected):
    assert read(text) == expected


def test_only_so_many_beginnings_are_completed():
    asked = read(" ".join(f"word{letter}*" for letter in "abcdefg"))
    assert [type(one) for one in asked.of] == [Prefix] * MOST_PREFIXES + [Word] * 3


SPELT_OUT = Every(
    (
        Word("caisse"),
        Word("nationale"),
        Word("securite"),
        Word("sociale"),
    )
)
FUND = Some((Word("cnss"), SPELT_OUT, Every((Word("الصندوق"), Word("الوطني")))))
AI = Some((Word("ia"), Word("ai"), Every((Word("intelligence"), Word("artificielle")))))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cnss", FUND),
        ("caisse nationale de sécurité sociale", FUND),
        ("الصندوق الوطني", FUND),
        ("aa CNSS bb", Every((A, FUND, B))),
        ("caisse nationale", Every((Word("caisse"), Word("nationale")))),
        ("IA cnss", Every((AI, FUND))),
        ("IA -IA", Every((AI, Without(Word("ia"))))),
        ("IA OR aa", Some((AI, A))),
        ('"ia"', Phrase(("ia",))),
        ("ia*", AI),
    ],
)
def test_acronyms_and_what_they_stand_for_are_one(text, expected):
    assert read(text, SYNONYMS) == expected


def test_the_words_that_are_to_be_there():
    asked = read('aa OR bb -cc "dd ee" ff* IA', SYNONYMS)
    assert list(asked_words(asked)) == [
        "aa",
        "bb",
        "ff",
        "ia",
        "ai",
        "intelligence",
        "artificielle",
    ]


@pytest.mark.parametrize(
    ("text", "positive"),
    [("aa", True), ("-aa", False), ("-aa -bb", False), ("-aa bb", True), ('"aa" -b', True)],
)
def test_whether_anything_is_to_be_there(text, positive):
    assert is_positive(read(text)) is positive


def test_a_question_in_other_words():
    assert reworded("La fruade, « Fruade » d’état", {"fruade": "fraude"}) == (
        "La fraude, « fraude » d’état"
    )
    asked = with_words(read('le aa OR bb -aa "aa"'), {"aa": "zz"})
    assert asked == read('le zz OR bb -aa "aa"')


@given(st.text(max_size=120))
def test_no_text_is_an_error(text):
    asked = read(text, SYNONYMS)
    assert asked is None or list(asked_words(asked)) is not None


PIECES = st.sampled_from(
    ['"', "-", "OR", "*", "aa", "le", "ia", "caisse", "nationale", " ", "(", "«", "\u064b", "ⵣ"]
)


@given(st.lists(PIECES, max_size=20).map("".join))
def test_signs_in_any_order_are_read_the_same_twice(text):
    assert read(text, SYNONYMS) == read(text, SYNONYMS)
    assert read(f"{text} ", SYNONYMS) == read(text, SYNONYMS)


@pytest.mark.parametrize("text", ["صندوق وطني", "للصندوق الوطني", "والصندوق الوطنيَ", "CNSS"])
def test_synonyms_are_known_with_any_article_and_without(text):
    assert read(text, SYNONYMS) == read("الصندوق الوطني", SYNONYMS)


def test_words_that_alone_mean_the_same_as_others_are_known():
    assert "cnss" in SYNONYMS
    assert "caisse" not in SYNONYMS


def test_synonyms_hold_no_text_without_words():
    assert Synonyms([["…", "aa", "bb"]]).at(["aa"], 0) == (1, Some((A, B)))
    assert Synonyms([["…"]]).at(["aa"], 0) is None
    assert "de" in common()
