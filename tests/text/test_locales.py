from __future__ import annotations

import pytest

from registry.text.locales import LOCALES, country_name, direction, language_name, pick


def test_the_four_languages_with_their_directions():
    assert {tag: locale.dir for tag, locale in LOCALES.items()} == {
        "ar": "rtl",
        "fr": "ltr",
        "zgh": "ltr",
        "en": "ltr",
    }


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("ar", "rtl"),
        ("ar-MA", "rtl"),
        ("nl", "ltr"),
        ("ku-Arab", "rtl"),
        ("az-Latn", "ltr"),
        ("ar-Latn", "ltr"),
        ("fa-IR", "rtl"),
        ("x", "ltr"),
    ],
)
def test_direction(tag, expected):
    assert expected == direction(tag)


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [
        ({"fr": "oui", "ar": "نعم"}, "fr", ("fr", "oui")),
        ({"fr": "oui", "en": "yes"}, "zgh", ("fr", "oui")),
        ({"nl": "ja", "de": "ja"}, "fr", ("de", "ja")),
        ({}, "fr", None),
    ],
)
def test_pick_says_which_language_it_found(text, wanted, expected):
    assert expected == pick(text, wanted, ("ar", "fr", "en"))


def test_names_of_languages():
    assert language_name("nl", "fr") == "néerlandais"
    assert language_name("zgh", "ar") == "الأمازيغية"
    assert language_name("qqq", "en") == "qqq"


def test_names_of_countries():
    assert country_name("FR", "ar") == "فرنسا"
    assert country_name("ZZ9", "en") == "ZZ9"
