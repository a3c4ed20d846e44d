"""The catalogues hold exactly the wordings that templates and code use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from registry import pages, resources

TEMPLATES = resources.SITE / "templates"


def used():
    in_templates = extract_from_dir(
        str(TEMPLATES),
        method_map=[("**.html", "jinja2")],
        options_map={"**.html": {"silent": "false"}},
        keywords={"_": None, "plain": None, "ngettext": (1, 2), "by_number": (2, 3)},
    )
    in_code = extract_from_dir(
        str(Path(pages.__file__).parent),
        method_map=[("**.py", "python")],
        keywords={"message": None, "plural_message": (1, 2)},
    )
    return {found[2] for extraction in (in_templates, in_code) for found in extraction}


def catalogue(tag):
    path = resources.SITE / "locale" / tag / "LC_MESSAGES" / "site.po"
    with path.open("rb") as file:
        return [message for message in read_po(file, abort_invalid=True) if message.id]


def forms(message):
    return (message.string,) if isinstance(message.string, str) else message.string


@pytest.mark.parametrize("tag", ["ar", "fr"])
def test_a_catalogue_is_complete_and_holds_nothing_else(tag):
    assert used() == {message.id for message in catalogue(tag)}
    for message in catalogue(tag):
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
            assert all("%(n)s" in form for form in message.string[3:])


@pytest.mark.parametrize("tag", ["ar", "fr", "en"])
def test_the_pages_of_words_have_the_same_parts(tag):
    parts = {
        lang: re.findall(
            r"\{#([\w-]+)\}", (resources.SITE / "text" / f"about.{lang}.md").read_text("utf-8")
        )
        for lang in ("en", tag)
    }
    assert parts["en"]
    assert parts["en"] == parts[tag]
