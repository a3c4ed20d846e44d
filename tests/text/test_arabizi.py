"""Arabic typed with Latin letters is read as the words of a country, and other words are not."""

import pytest

from registry.text.arabizi import ArabiziIndex

KNOWN = ArabiziIndex(
    [
        "الضريبة على الدخل", "ضربة", "مدرسة", "جامعة", "جمع", "محكمة", "القنصلية", "بيرمي",
        "باسبور", "السبيطار", "رخصة البناء", "حادثة سير", "التقاعد", "دعم", "عدم", "خدمة", "الصحة",
        "فيضانات", "كهرباء", "ديال", "غرامة", "اقتصادي", "المستشفى",
        "تكوين", "رجال", "منحة", "لمنح",
    ]
)  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("sbitar", "سبيطار"), ("ssbitar", "سبيطار"), ("lmadrasa", "مدرسة"), ("flmadrasa", "مدرسة"),
        ("m7kama", "محكمة"), ("mahkama", "محكمة"), ("9onsoliya", "قنصلية"), ("konsoulia", "قنصلية"),
        ("permi", "بيرمي"), ("passpor", "باسبور"), ("rokhsat", "رخصة"), ("ro5sa", "رخصة"),
        ("ta9a3od", "تقاعد"), ("da3m", "دعم"), ("3adam", "عدم"), ("sse77a", "صحة"),
        ("khdma", "خدمة"), ("fayadanat", "فيضانات"), ("lkahraba", "كهرباء"), ("dyal", None),
        ("i9tisadi", "اقتصادي"), ("tisadi", None), ("lmostachfa", "مستشفى"),
        ("takwin", "تكوين"), ("rijal", "رجال"), ("lmin7a", "منحة"), ("fsbitar", "سبيطار"),
    ],
)  # fmt: skip
def test_spellings_of_a_word(typed, written):
    assert KNOWN.spelt(typed)[:1] == ([] if written is None else [written])


def test_the_word_of_the_most_letters_comes_first():
    assert KNOWN.spelt("dariba") == ["ضريبة", "ضربة"]
    assert KNOWN.spelt("jami3a") == ["جامعة", "جمع"]
    assert KNOWN.spelt("jam3") == ["جمع", "جامعة"]


def test_a_word_of_two_consonants_needs_a_digit_or_another_word():
    assert KNOWN.spelt("sir") == []
    assert KNOWN.spelt("sir", is_beside=True) == ["سير"]


def test_other_words_are_no_spelling():
    others = ["", "7", "2026", "mort", "permis", "drapeau", "aghrum", "école", "ضريبة", "x" * 64]
    others += ["bitcoin", "rougeole"]
    assert [typed for typed in others if KNOWN.spelt(typed)] == []
