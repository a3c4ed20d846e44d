"""One folding for what is indexed and what is asked."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.text.folding import LETTERS, fold, initial, sort_key


@pytest.mark.parametrize(
    ("written", "also_written"),
    [
        ("Élève ŒUVRE", "eleve oeuvre"),
        ("e\u0301le\u0300ve", "élève"),
        ("Straße", "STRASSE"),
        ("ﬁchier", "fichier"),
        ("٢٠٢٦", "2026"),
        ("۲۰۲۶", "2026"),
        ("مُسْتَشْفَى", "مستشفى"),
        ("مستشفى", "مستشفي"),
        ("الصحّــة", "الصحه"),
        ("أمن إدارة آلة ٱلله", "امن اداره اله الله"),
        ("مسؤول شؤون", "مسوول شوون"),
        ("ﺍﻟﺘﻌﻠﻴﻢ", "التعليم"),
        ("كشف", "کشف"),
        ("ⵜⴰⵎⴰⵣⵉⵖⵜ", "Tamaziɣt"),
        ("ⵜⴰⵎⴰⵣⵉⵖⵜ", "tamazight"),
        ("ⴰⵙⵖⵍⴰⴼ", "asghlaf"),
        ("ⵜⴰⵖⴰⵔⴰⵙⵜ", "taɣarast"),
        ("l’hôpital", "l'hopital"),
        ("a\u200bb\u200fc\u00ad", "abc"),
        ("𝐀ℌ", "ah"),
        ("İstanbul", "istanbul"),
        ("ⅧＡ", "viiia"),
        ("ŊUƆT ɣɔ̱ɔ̱k", "nguot ghook"),
        ("Ɖeʋi ƒe ƙofa, ɗaki, ƴan ɓera", "devi fe kofa, daki, yan bera"),
        ("ሠላም ዓለም", "ሰላም አለም"),
    ],
)
def test_what_readers_take_for_the_same_becomes_the_same(written, also_written):
    assert fold(written) == fold(also_written)


@pytest.mark.parametrize(
    ("one", "other"), [("علم", "عمل"), ("كتب", "كتاب"), ("a b", "ab"), ("maïs", "mas"), ("ⵙ", "ⵣ")]
)
def test_different_words_stay_different(one, other):
    assert fold(one) != fold(other)


@given(st.text())
def test_folding_again_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_case_and_composition_never_matter(text):
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_ascii_only_loses_its_capitals(text):
    assert fold(text) == text.lower()


@pytest.mark.parametrize(
    "names",
    [
        ["Nuer", "Nzara", "Ŋuɔt", "Oduk", "Ɔkwɛ", "Pibor"],
        ["dakar", "dzodze", "Ɖenu", "eto", "ɛku"],
        ["Ébène", "école", "fête", "Œuvre", "zone"],
        ["ⴰⵎ", "ⴱⴰ", "ⴳⴰ", "ⵥⴰ"],
        ["أمن", "بناء", "توقع", "يد"],
        ["ሀገር", "ሐኪም", "ኅብረት"],
    ],
)
def test_names_come_in_the_order_of_the_alphabet(names):
    assert sorted(sorted(names), key=sort_key) == names


def test_a_letter_of_its_own_has_a_heading_of_its_own():
    assert [initial(sort_key(name)) for name in ("Élan", "ŋuɔt", "ⵣⵔ", "أمن", "œil", "")] == [
        *("E", "Ŋ", "ⵣ", "ا", "O", "")
    ]


def test_every_letter_of_the_table_is_met_and_folds_to_what_stays():
    for letter, folded in LETTERS.items():
        assert unicodedata.normalize("NFKD", letter).casefold() == letter
        assert fold(letter) == fold(folded) == folded
