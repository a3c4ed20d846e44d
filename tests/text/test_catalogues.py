from __future__ import annotations

import pytest

from registry.errors import ConfigurationError
from registry.text.catalogues import find, find_plural, load_catalogues


@pytest.fixture(scope="module")
def catalogues():
    return load_catalogues("site", ["ar", "fr", "zgh"])


def test_a_message_says_its_language(catalogues):
    assert find(catalogues, ("fr", "ar", "en"), "Sectors") == ("fr", "Secteurs")
    assert find(catalogues, ("zgh", "ar", "fr", "en"), "Sectors") == ("ar", "القطاعات")
    assert find(catalogues, ("en", "ar"), "Sectors") == ("en", "Sectors")
    assert find(catalogues, ("fr", "en"), "Never written") == ("en", "Never written")


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "أقل من يوم"),
        (1, "يوم واحد"),
        (2, "يومان"),
        (3, "%(n)s أيام"),
        (10, "%(n)s أيام"),
        (11, "%(n)s يوما"),
        (60, "%(n)s يوما"),
        (100, "%(n)s يوم"),
        (103, "%(n)s أيام"),
    ],
)
def test_arabic_has_six_forms(catalogues, number, expected):
    found = find_plural(catalogues, ("ar", "en"), "%(n)s day", "%(n)s days", number)
    assert found == ("ar", expected)


@pytest.mark.parametrize(
    ("number", "expected"), [(0, "%(n)s jour"), (1, "%(n)s jour"), (2, "%(n)s jours")]
)
def test_french_zero_is_singular(catalogues, number, expected):
    found = find_plural(catalogues, ("fr", "en"), "%(n)s day", "%(n)s days", number)
    assert found == ("fr", expected)


def test_english_needs_no_catalogue(catalogues):
    assert find_plural(catalogues, ("en",), "%(n)s day", "%(n)s days", 1) == ("en", "%(n)s day")
    assert find_plural(catalogues, ("en",), "%(n)s day", "%(n)s days", 0) == ("en", "%(n)s days")


def test_a_country_s_own_words_come_before_those_that_ship(tmp_path, monkeypatch):
    folder = tmp_path / "fr" / "site"
    folder.mkdir(parents=True)
    (folder / "own.po").write_text('msgid "Previous page"\nmsgstr "En arrière"\n', "utf-8")
    monkeypatch.setenv("REGISTRY_LANGUAGES", str(tmp_path))
    own = load_catalogues("site", ["fr"])
    assert find(own, ("fr",), "Previous page") == ("fr", "En arrière")
    assert find(own, ("fr",), "Next page") == ("fr", "Page suivante")


def test_a_broken_catalogue_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("REGISTRY_LANGUAGES", str(tmp_path))
    folder = tmp_path / "fr" / "site"
    folder.mkdir(parents=True)
    (folder / "site.po").write_bytes(b'msgid "\xff"\nmsgstr ""\n')
    with pytest.raises(ConfigurationError, match=r"site\.po"):
        load_catalogues("site", ["fr"])
