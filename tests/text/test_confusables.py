from __future__ import annotations

import pytest

from registry.text.text_safety import is_confusable, skeleton


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Prévision", "Prévisiоn"),  # Cyrillic о
        ("ТAXE", "TAXE"),  # Cyrillic Т
        ("ΑΒΕ", "ABE"),  # Greek
        ("Système", "Sуstème"),  # Cyrillic у
        ("Tax", "Ｔａｘ"),
        ("Sys\u200btème", "Système"),
        ("كلية", "کلیة"),  # Persian kaf and ya
        ("مدرسة", "مدرسه"),
        ("Pl", "PI".replace("I", "l")),
        ("non‑lieu", "non-lieu"),
        ("TⴰX", "Tⴰx"),
        ("ⵔrange", "Orange"),  # Tifinagh
        ("TAⵅE", "TAXE"),
        ("Fⵏlle", "Fille"),
        ("ⴸille", "Ville"),
        ("Ꭺide", "Aide"),  # Cherokee
        ("Ꮪystem", "System"),
        ("օrange", "orange"),  # Armenian
        ("Ⲟrange", "Orange"),  # Coptic
        ("ꓮide", "Aide"),  # Lisu
        ("ᴛᴀxᴇ", "taxe"),  # small capitals
        ("Βudget", "Budget"),  # Greek
    ],
)
def test_what_looks_the_same_has_one_skeleton(one, two):
    assert skeleton(one) == skeleton(two)


@pytest.mark.parametrize(
    ("one", "two"), [("Tri", "Tria"), ("hôpital", "école"), ("نظام", "نظم"), ("ⵉⵙⵎ", "ism")]
)
def test_what_looks_different_has_another(one, two):
    assert skeleton(one) != skeleton(two)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Prévision des lits d’hôpital", False),
        ("توقع الحاجة إلى أسرة الاستشفاء", False),
        ("ⵜⴰⵎⴰⵣⵉⵖⵜ", False),
        ("Prévisiоn", True),
        ("Αide", True),
        ("Ａide", True),
        ("کلية", True),
        ("ⵔrange", True),
        ("orⴰnge", True),
        ("Ville ⵜⴰⵎⴷⵉⵏⵜ", False),
        ("Ꭺide", True),
        ("օrange", True),
        ("ᴛaxe", True),
        ("Aɣɛlif n tɣlemt", False),
    ],
)
def test_letters_that_pass_for_others_are_seen(text, expected):
    assert is_confusable(text) is expected


def test_the_table_is_that_of_the_package_it_is_made_of():
    pytest.importorskip("confusable_homoglyphs")
    from tools import confusable_letters  # noqa: PLC0415  it needs the package

    assert confusable_letters.TABLE.read_text(encoding="utf-8") == confusable_letters.written()
