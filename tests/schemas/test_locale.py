"""The catalogues of the format: complete, without strays, and true to their English."""

from __future__ import annotations

import re

import pytest
from babel.messages.pofile import read_po

from registry.api import statements, writes
from registry.exports.package_tables import tables
from registry.record.messages import Message
from registry.record.pack import load_pack
from registry.record.schema import record_schema
from registry.resources import SCHEMAS
from tools.format_docs.pages import LANGUAGES, pages_in
from tools.format_docs.wording import Language

LOCALE = SCHEMAS / "languages"
TAGS = ("ar", "fr")
NAMES = sorted((path.parent.parent.name, path.stem) for path in LOCALE.glob("*/format/*.po"))


def catalogue(tag, name):
    with (LOCALE / tag / "format" / f"{name}.po").open("rb") as file:
        return [message for message in read_po(file, abort_invalid=True) if message.id]


def words(node, place="#"):
    """Every title, description and reason of a deprecation, with its place in the schema."""
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from words(item, f"{place}/{number}")
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in {"title", "description", "reason"} and isinstance(value, str):
                yield value, place
            elif key == "properties":
                yield from words(value, place)
            else:
                yield from words(value, f"{place}/{'*' if key == 'items' else key}")


WORDS = tuple(words(record_schema()))


@pytest.mark.parametrize("tag", TAGS)
def test_every_title_and_description_is_translated_and_nothing_else(tag):
    assert {text for text, _ in WORDS} == {message.id for message in catalogue(tag, "schema")}


@pytest.mark.parametrize("tag", TAGS)
def test_every_place_that_the_catalogue_names_has_its_wording_there(tag):
    named = {
        (message.id, place)
        for message in catalogue(tag, "schema")
        for place, _ in message.locations
    }
    assert named == set(WORDS)


@pytest.mark.parametrize("tag", [tag for tag in LANGUAGES if tag != "en"])
def test_every_wording_of_the_documentation_is_translated_and_nothing_else(tag):
    asked = set()

    def say(wording):
        asked.add(wording)
        return wording

    pages_in(Language(tag=tag, say=say))
    others = {message.id for name in ("schema", "findings") for message in catalogue(tag, name)}
    assert asked - others == {message.id for message in catalogue(tag, "pages")}


@pytest.mark.parametrize(("tag", "name"), NAMES, ids="/".join)
def test_every_message_says_the_same(tag, name):
    for message in catalogue(tag, name):
        assert not message.fuzzy
        for said, string in wordings(message):
            assert string, said
            assert string == string.strip()
            for kept in (r"\{\w*\}", r"\d+", r"`[^`]+`", r"\b[a-z]+_[a-z_]+\b", r"\*\*|\n"):
                assert sorted(re.findall(kept, said)) == sorted(re.findall(kept, string)), said
            ends = {".": ".", "?": "?؟"}.get(said[-1])
            assert ends is None or string[-1] in ends, said


def wordings(message):
    """What is said in English and in the language: of several things in each of its forms."""
    if isinstance(message.id, str):
        return [(message.id, message.string)]
    one, several = message.id
    return zip([one, *[several] * (len(message.string) - 1)], message.string, strict=True)


@pytest.mark.parametrize("tag", TAGS)
def test_a_wording_stands_in_one_catalogue_of_a_language(tag):
    ids = [message.id for of, name in NAMES if of == tag for message in catalogue(of, name)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("tag", TAGS)
def test_every_title_of_the_tables_of_the_package_is_translated_and_nothing_else(tag):
    told = {
        title
        for table in tables(load_pack("ma").languages).values()
        for title in (table.title, *(column.title for column in table.columns))
    }
    of_fields = {message.id for message in catalogue(tag, "schema")}
    assert told - of_fields == {message.id for message in catalogue(tag, "package")}


@pytest.mark.parametrize("tag", TAGS)
def test_everything_that_receipts_say_is_translated_and_nothing_else(tag):
    said = {
        one.message
        for module in (statements, writes)
        for one in vars(module).values()
        if isinstance(one, Message)
    }
    assert said == {message.id for message in catalogue(tag, "receipts")}
