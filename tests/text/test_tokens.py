"""What becomes of a text: its words, and what each language makes of them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.text.folding import fold
from registry.text.tokens import (
    LONGEST_WORD,
    common,
    language_of,
    query_stems,
    runs,
    stem,
    word_places,
    words,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Détection des fraudes", ["detection", "des", "fraudes"]),
        ("L’hôpital d'Aïn, qu'il a", ["hopital", "ain", "il", "a"]),
        ("jusqu’à lorsqu'on", ["a", "on"]),
        ("the agency's and agencies’ own", ["the", "agency", "and", "agencies", "own"]),
        ("O'Neil's", ["o", "neil"]),
        ("COVID-19, e-mail; a_b/c", ["covid", "19", "e", "mail", "a", "b", "c"]),
        ("٢٠٢٦ 2026 １２", ["2026", "2026", "12"]),
        ("مُسَاعِد الطَّبِيب", ["مساعد", "الطبيب"]),
        ("المدرســة", ["المدرسه"]),
        ("بالـGPS", ["بال", "gps"]),
        ("ⵜⴰⵎⴰⵣⵉⵖⵜ Tamaziɣt", ["tamazight", "tamazight"]),
        ("e\u0301cole", ["ecole"]),
        ("zero\u200bwidth \u202bdir\u202c", ["zerowidth", "dir"]),
        ("\ufb01n ½", ["fin", "1", "2"]),
        ("ﷺ", ["صلي", "الله", "عليه", "وسلم"]),
        ("ß", ["ss"]),
        ("l' d'", ["l", "d"]),
        ("' \u0640\u064b \u200f\u200b 😀 … — !", []),
        ("", []),
    ],
)
def test_words_of_a_text(text, expected):
    assert words(text) == expected


def test_a_long_word_counts_by_its_beginning():
    assert words("x" * 500) == ["x" * LONGEST_WORD]
    assert words("x" * 600) == words("x" * 500)


FORMS = {
    "ar": [
        "مدرسة المدرسة بالمدرسة والمدرسة للمدرسة كالمدرسة فالمدرسة ومدرسة مدرسي المدرسية",
        "مستشفى المستشفى والمستشفى بالمستشفى للمستشفى المستشفيات مستشفيات وبالمستشفى",
        "صحة الصحة الصحي الصحية والصحة للصحة بالصحة",
        "بيان بيانات البيانات للبيانات بياناتها",
        "وزارة الوزارة ووزارة للوزارة والوزارة",
        "ولاية الولاية والولاية بالولاية",
        "احتيال الاحتيال للاحتيال بالاحتيال والاحتيال",
        "قرار القرار القرارات قرارات بالقرار والقرار",
        "ضريبة الضريبة الضريبية ضريبي",
    ],
    "fr": [
        "détection détections détecter détecté",
        "hôpital hôpitaux",
        "fraude fraudes",
        "fiscal fiscale fiscaux",
    ],
    "en": ["forecast forecasts forecasting forecasted", "hospital hospitals", "tax taxes"],
    "nl": ["uitkering uitkeringen", "algoritme algoritmes"],
}


@pytest.mark.parametrize("pair", ["بالغين البالغين", "كالسيوم الكالسيوم", "بالونات والبالونات"])
def test_an_arabic_word_that_begins_like_the_article_is_found_with_and_without_it(pair):
    for asked, written in itertools.permutations(words(pair)):
        assert stem(written, "ar") in query_stems(asked, "ar"), asked


def test_any_other_word_is_asked_for_by_its_stem_alone():
    for language, word in (("ar", "مدرسة"), ("fr", "algorithmes"), ("en", "alarms")):
        [folded] = words(word)
        assert query_stems(folded, language) == (stem(folded, language),)


@pytest.mark.parametrize(
    ("language", "forms"), [(tag, forms) for tag, sets in FORMS.items() for forms in sets]
)
def test_forms_of_a_word_have_one_stem(language, forms):
    assert len({stem(word, language) for word in words(forms)}) == 1


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("ar", "ولاية", "لا"),
        ("ar", "الله", "له"),
        ("ar", "لجنة", "جنة"),
        ("fr", "hôpital", "hôtel"),
        ("en", "tax", "taxi"),
    ],
)
def test_other_words_have_other_stems(language, one, other):
    assert stem(fold(one), language) != stem(fold(other), language)


@pytest.mark.parametrize("language", ["zgh", "", "xx", "ja"])
def test_a_language_without_a_stemmer_leaves_words(language):
    assert stem("tamazight", language) == "tamazight"


def test_a_stem_is_never_empty():
    for language in ("ar", "fr", "en", "nl", "es"):
        for word in ("ال", "لل", "وال", "s", "e", "ing", "و", "ات", "ه"):
            assert stem(word, language)


@pytest.mark.parametrize(
    ("tag", "language"), [("fr", "fr"), ("zgh-Latn", "zgh"), ("AR-ma", "ar"), ("", "")]
)
def test_the_language_of_a_tag(tag, language):
    assert language_of(tag) == language


def test_common_words_are_folded_words():
    assert all(words(word) == [word] for word in common())


@given(st.text(max_size=80))
def test_words_are_folded_already_and_cannot_hold_a_space(text):
    for word in words(text):
        assert word
        assert not word.split()[1:]
        assert words(word)[:1] == [word]


@given(st.text(max_size=80))
def test_places_are_those_of_the_words(text):
    found = []
    for start, end, of_run in word_places(text):
        assert tuple(words(text[start:end])) == of_run
        found += of_run
    assert found == words(text)
    assert runs(text) == [text[start:end] for start, end, _ in word_places(text)]
