"""The catalogues hold exactly the wordings that templates and code use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from registry import console, pages, resources, web

TEMPLATES = (resources.SITE / "templates", resources.SITE / "console")
CODE = [Path(room.__file__).parent for room in (pages, web, console)]


def used():
    in_templates = [
        extract_from_dir(
            str(folder),
            method_map=[("**.html", "jinja2")],
            options_map={"**.html": {"silent": "false"}},
            keywords={
                "_": None,
                "plain": None,
                "ngettext": (1, 2),
                "plain_counted": (1, 2),
                "by_number": (2, 3),
            },
        )
        for folder in TEMPLATES
        if folder.is_dir()
    ]
    in_code = [
        extract_from_dir(
            str(folder),
            method_map=[("**.py", "python")],
            keywords={"message": None, "plural_message": (1, 2)},
        )
        for folder in CODE
    ]
    return {found[2] for extraction in (*in_templates, *in_code) for found in extraction}


def catalogue(tag):
    """The messages of all catalogues of the site in a language."""
    found = []
    for path in sorted((resources.LANGUAGES / tag / "site").glob("*.po")):
        with path.open("rb") as file:
            found += [message for message in read_po(file, abort_invalid=True) if message.id]
    return found


def forms(message):
    return (message.string,) if isinstance(message.string, str) else message.string


@pytest.mark.parametrize("tag", ["ar", "fr"])
def test_a_catalogue_is_complete_and_holds_nothing_else(tag):
    found = catalogue(tag)
    assert used() == {message.id for message in found}
    assert len(found) == len(used()), "a message stands in one catalogue only"
    for message in found:
        assert not message.fuzzy
        assert all(forms(message)), message.id


def test_the_tamazight_catalogue_holds_only_what_is_used():
    assert {message.id for message in catalogue("zgh")} <= used()


@pytest.mark.parametrize("tag", ["ar", "fr", "zgh"])
def test_the_values_of_a_message_stay(tag):
    for message in catalogue(tag):
        source = message.id if isinstance(message.id, str) else message.id[1]
        expected = set(re.findall(r"%\(\w+\)s", source))
        for form in forms(message):
            values = set(re.findall(r"%\(\w+\)s", form))
            # "one day" may say the number in a word.
            assert values == expected or (values < expected and not isinstance(message.id, str))


def test_arabic_says_the_number_wherever_a_form_serves_several():
    for message in catalogue("ar"):
        if not isinstance(message.id, str):
            assert len(message.string) == 6
            # Articles that are listed need no number.
            said = "%(articles)s" if "%(articles)s" in message.id[1] else "%(n)s"
            assert all(said in form for form in message.string[3:])


@pytest.mark.parametrize("tag", ["ar", "fr", "en"])
def test_the_pages_of_words_have_the_same_parts(tag):
    parts = {
        lang: re.findall(
            r"\{#([\w-]+)\}", (resources.LANGUAGES / lang / "texts/about.md").read_text("utf-8")
        )
        for lang in ("en", tag)
    }
    assert parts["en"]
    assert parts["en"] == parts[tag]
