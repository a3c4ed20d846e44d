from __future__ import annotations

import pytest

from registry.text.locales import (
    country_name,
    direction,
    language_name,
    make_locale,
    negotiate,
    pick,
)


@pytest.mark.parametrize(
    ("tag", "country", "expected"),
    [
        ("ar", "MA", ("rtl", "العربية", "ar_MA")),
        ("fr", "SN", ("ltr", "Français", "fr_SN")),
        ("zgh", "MA", ("ltr", "ⵜⴰⵎⴰⵣⵉⵖⵜ", "zgh_MA")),
        ("en", "MA", ("ltr", "English", "en")),
        ("rw", "RW", ("ltr", "Ikinyarwanda", "rw_RW")),
        ("qqq", "MA", ("ltr", "Qqq", "en")),
        ("ff-Adlm", "SN", ("rtl", "𞤆𞤵𞤤𞤢𞤪", "ff_Adlm_SN")),
    ],
)
def test_a_language_as_a_country_writes_it(tag, country, expected):
    locale = make_locale(tag, country)
    assert expected == (locale.dir, locale.name, locale.babel)
    assert locale.tag == tag


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


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("fr", "fr"),
        ("fr-MA, en;q=0.5", "fr"),
        ("en;q=0.5, ar;q=0.9", "ar"),
        ("de, es", None),
        ("", None),
        ("*", None),
        ("fr;q=0", None),
        ("fr;q=0, en;q=0.1", "en"),
        ("FR", "fr"),
        ("zgh, ar", "zgh"),
        ("fr;q=x, en;q=0.2", "en"),
        ("en;q=0.2," + "xx;q=0.1," * 1_000 + "fr", "en"),
        ("fr" * 1_000, None),
    ],
)
def test_a_language_is_chosen_as_the_reader_prefers(header, expected):
    assert negotiate(header, ("ar", "fr", "zgh", "en")) == expected
