"""The guide for people, in three languages: the same parts, the words of the form, its pictures."""

from __future__ import annotations

import re

import pytest

from registry.record.codelists import read_rows
from registry.record.schema import RECORD_FOLDER
from registry.text.catalogues import load_catalogues
from tests.guide_words import GUIDE, LANGUAGES, NAMES, bold, guide_text, plain

PICTURES = GUIDE / "pictures"
MOST_BYTES = 1_500_000
_PICTURE = re.compile(r"!\[([^\]]*)\]\(\.\./pictures/([^)]+)\)")


def wordings(lang: str) -> set[str]:
    """All that the interface says in a language, and all titles and codes of the format."""
    found: set[str] = set()
    for kind in ("site", "format"):
        known = load_catalogues(kind, ["fr", "ar"])["fr" if lang == "en" else lang].messages
        found |= set(known if lang == "en" else known.values())
    for path in (RECORD_FOLDER / "codelists").glob("*.csv"):
        found |= {row[f"label_{lang}"] for row in read_rows(path)}
    return {plain(one) for one in found}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_what_the_guide_quotes_is_said_by_the_form(name, lang):
    quoted = bold(guide_text(name, lang))
    assert len(quoted) > 15
    # The workbook names a language in the heads of its columns.
    known = wordings(lang)
    assert [words for words in quoted if words not in known] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_guide_has_the_same_parts_in_every_language(name):
    def shape(lang):
        text = guide_text(name, lang)
        return (
            [line.partition(".")[0] for line in text.splitlines() if line.startswith("## ")],
            [len(re.findall(r"^(?:- |\d\. )", part, re.MULTILINE)) for part in text.split("\n## ")],
            len(re.findall(r"^\|", text, re.MULTILINE)),
            [picture.removesuffix(f".{lang}.webp") for _, picture in _PICTURE.findall(text)],
            len(bold(text)),
        )

    assert shape("en") == shape("fr") == shape("ar")


def test_every_picture_is_shown_with_words_and_all_are_small():
    shown = {}
    for lang in LANGUAGES:
        for name in NAMES:
            for words, picture in _PICTURE.findall(guide_text(name, lang)):
                assert len(words) > 10
                assert picture.endswith(f".{lang}.webp")
                shown[picture] = words
    there = {path.name: path for path in PICTURES.iterdir()}
    assert set(shown) == set(there)
    assert all(path.read_bytes()[8:12] == b"WEBP" for path in there.values())
    assert sum(path.stat().st_size for path in there.values()) < MOST_BYTES


def test_arabic_reads_from_right_to_left():
    for name in NAMES:
        text = guide_text(name, "ar")
        assert text.startswith('<div dir="rtl" lang="ar">\n\n')
        assert text.endswith("\n\n</div>\n")
