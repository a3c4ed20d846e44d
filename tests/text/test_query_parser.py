"""How a question is read, and that nothing anybody types is an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.text.query_parser import (
    MOST_PHRASES,
    MOST_PREFIXES,
    And,
    Not,
    Or,
    Phrase,
    Prefix,
    Vocabulary,
    Word,
    clauses,
    is_positive,
    parse_query,
    replace_words,
    required_words,
)
from registry.text.tokens import common

SYNONYMS = Vocabulary(
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
        ("aa bb", And((A, B))),
        ("aa AND bb & cc", And((A, B, C))),
        ('"Aa  bb"', Phrase(("aa", "bb"))),
        ("«aa bb» “cc”", And((Phrase(("aa", "bb")), Phrase(("cc",))))),
        ("aa -bb", And((A, Not(B)))),
        ('-"aa bb"', Not(Phrase(("aa", "bb")))),
        ("aa -\u200fbb", And((A, Not(B)))),
        ("aa \u2068-bb\u2069", And((A, Not(B)))),
        ("-aa-bb", Not(And((A, B)))),
        ("aa OR bb", Or((A, B))),
        ("aa | bb OR cc", Or((A, B, C))),
        ("aa|bb|cc", Or((A, B, C))),
        ('"aa bb"|-cc', Or((Phrase(("aa", "bb")), Not(C)))),
        ('"aa|bb"', Phrase(("aa", "bb"))),
        ("frau*|aa", Or((Prefix("frau"), A))),
        ("|", None),
        ("aa OR bb cc", And((Or((A, B)), C))),
        ("aa OR -bb", Or((A, Not(B)))),
        ("aa or bb", And((A, B))),
        ("OR aa OR", A),
        ("aa OR OR bb", Or((A, B))),
        ("frau*", Prefix("frau")),
        ("fr*", Word("fr")),
        ("aa-frau*", And((A, Prefix("frau")))),
        ("*", None),
        ("aa-bb", And((A, B))),
        ('"aa', A),
        ('aa" bb', And((A, B))),
        ("- -", None),
        ("--aa", A),
        ("() : ! <-> '", None),
        ("\u200f\u200b😀", None),
        ("OR", None),
        ("", None),
    ],
)
def test_what_a_question_asks_for(text, expected):
    assert parse_query(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("le cadastre", Word("cadastre")),
        ("le aa de bb", And((A, B))),
        ("le la", And((Word("le"), Word("la")))),
        ("le", Word("le")),
        ("le -aa", And((Word("le"), Not(A)))),
        ("aa -le", And((A, Not(Word("le"))))),
        ('le "la"', Phrase(("la",))),
        ("le OR aa", Or((Word("le"), A))),
    ],
)
def test_common_words_need_not_be_there_beside_others(text, expected):
    assert parse_query(text) == expected


def test_only_so_many_beginnings_are_completed():
    asked = parse_query(" ".join(f"word{letter}*" for letter in "abcdefg"))
    assert [type(one) for one in asked.of] == [Prefix] * MOST_PREFIXES + [Word] * 3


def test_only_so_many_phrases_are_looked_for():
    asked = parse_query(" ".join(f'"{letter}{letter} zz"' for letter in "abcdef"))
    assert [type(one) for one in asked.of] == [Phrase] * MOST_PHRASES + [And] * 2


SPELT_OUT = And(
    (
        Word("caisse"),
        Word("nationale"),
        Word("securite"),
        Word("sociale"),
    )
)
FUND = Or((Word("cnss"), SPELT_OUT, And((Word("الصندوق"), Word("الوطني")))))
AI = Or((Word("ia"), Word("ai"), And((Word("intelligence"), Word("artificielle")))))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cnss", FUND),
        ("caisse nationale de sécurité sociale", FUND),
        ("الصندوق الوطني", FUND),
        ("aa CNSS bb", And((A, FUND, B))),
        ("caisse nationale", And((Word("caisse"), Word("nationale")))),
        ("IA cnss", And((AI, FUND))),
        ("IA -IA", And((AI, Not(Word("ia"))))),
        ("IA OR aa", Or((AI, A))),
        ('"ia"', Phrase(("ia",))),
        ("ia*", AI),
    ],
)
def test_acronyms_and_what_they_stand_for_are_one(text, expected):
    assert parse_query(text, SYNONYMS) == expected


def test_the_words_that_are_to_be_there():
    asked = parse_query('aa OR bb -cc "dd ee" ff* IA', SYNONYMS)
    assert list(required_words(asked)) == [
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
    assert is_positive(parse_query(text)) is positive


def test_a_question_in_other_words():
    assert replace_words("La fruade, « Fruade » d’état", {"fruade": "fraude"}) == (
        "La fraude, « fraude » d’état"
    )


@given(st.text(max_size=120))
def test_no_text_is_an_error(text):
    asked = parse_query(text, SYNONYMS)
    assert asked is None or list(required_words(asked)) is not None


PIECES = st.sampled_from(
    ['"', "-", "OR", "*", "aa", "le", "ia", "caisse", "nationale", " ", "(", "«", "\u064b", "ⵣ"]
)


@given(st.lists(PIECES, max_size=20).map("".join))
def test_signs_in_any_order_are_read_the_same_twice(text):
    assert parse_query(text, SYNONYMS) == parse_query(text, SYNONYMS)
    assert parse_query(f"{text} ", SYNONYMS) == parse_query(text, SYNONYMS)


@pytest.mark.parametrize("text", ["صندوق وطني", "للصندوق الوطني", "والصندوق الوطنيَ", "CNSS"])
def test_synonyms_are_known_with_any_article_and_without(text):
    assert parse_query(text, SYNONYMS) == parse_query("الصندوق الوطني", SYNONYMS)


@pytest.mark.parametrize("text", ["intelligence artificiel", "Intelligences artificielles"])
def test_synonyms_are_known_with_any_french_ending(text):
    assert parse_query(text, SYNONYMS) == parse_query("IA", SYNONYMS)


def test_words_that_alone_mean_the_same_as_others_are_known():
    assert "cnss" in SYNONYMS
    assert "caisse" not in SYNONYMS


def test_synonyms_hold_no_text_without_words():
    assert Vocabulary([["…", "aa", "bb"]]).at(["aa"], 0) == (1, Or((A, B)))
    assert Vocabulary([["…"]]).at(["aa"], 0) is None
    assert "de" in common()


def test_a_country_adds_stop_words_of_its_languages():
    swahili = Vocabulary(stop_words=["Ya", "na"])
    assert parse_query("bwawa ya maji", swahili) == And((Word("bwawa"), Word("maji")))
    assert parse_query("bwawa ya maji") == And((Word("bwawa"), Word("ya"), Word("maji")))
    assert parse_query("ya", swahili) == Word("ya")
    assert "de" in swahili.stop_words


def test_the_clauses_of_a_query_are_its_words_and_known_phrases():
    typed = "Recours contre la Caisse Nationale de Sécurité sociale, l'indemnité !"
    assert [one.text for one in clauses(typed, SYNONYMS)] == [
        "Recours", "contre", "Caisse Nationale de Sécurité sociale", "indemnité",
    ]  # fmt: skip
    assert [one.words for one in clauses("CNSS الصندوق الوطني", SYNONYMS)] == [
        ("cnss",), ("الصندوق", "الوطني"),
    ]  # fmt: skip
    assert clauses("de la") == clauses("") == []
    for operators in ('"a b" c', "a OR b", "a | b", "a & b", "a -b", "abc* d"):
        assert clauses(operators) == [], operators
