"""Translations of the interface: gettext catalogues, read from `.po` files and cached.

The source language is English: a message's id is its English text.
"""

from __future__ import annotations

import gettext
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec
from babel.messages.pofile import read_po

from registry.errors import ConfigurationError
from registry.resources import language_files

SOURCE = "en"

Kind: TypeAlias = Literal["site", "format"]
"""Whose words a catalogue has: the site's, or those of the record format and its findings."""


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """The messages of one language; untranslated messages are not in it."""

    tag: str
    messages: Mapping[str, str]
    plurals: Mapping[str, tuple[str, ...]]
    plural_index: Callable[[int], int]


def load_catalogues(kind: Kind, tags: Sequence[str]) -> dict[str, Catalogue]:
    """Return the catalogue of each tag, read from `<kind>/*.po` in the folders of the language.

    English needs no file.
    """
    return {tag: _load(kind, tag) for tag in tags}


def _load(kind: Kind, tag: str) -> Catalogue:
    messages: dict[str, str] = {}
    plurals: dict[str, tuple[str, ...]] = {}
    plural_index: Callable[[int], int] = _english
    for path in language_files(tag, f"{kind}/*.po"):
        try:
            with path.open("rb") as file:
                catalogue = read_po(file, abort_invalid=True)
        except (ValueError, OSError) as error:
            raise ConfigurationError(f"{path}: this catalogue cannot be read: {error}") from error
        plural_index = gettext.c2py(catalogue.plural_expr)
        for message in catalogue:
            if not message.id or message.fuzzy:
                continue
            if isinstance(message.id, str):
                if isinstance(message.string, str) and message.string:
                    messages[message.id] = message.string
            elif isinstance(message.string, list | tuple) and all(message.string):
                plurals[message.id[0]] = tuple(message.string)
    return Catalogue(tag=tag, messages=messages, plurals=plurals, plural_index=plural_index)


def find(
    catalogues: Mapping[str, Catalogue], order: Sequence[str], message: str
) -> tuple[str, str]:
    """Return (language, text) of a message in the first language of `order` that has it."""
    for tag in order:
        if tag == SOURCE:
            break
        found = catalogues[tag].messages.get(message)
        if found is not None:
            return tag, found
    return SOURCE, message


def find_plural(
    catalogues: Mapping[str, Catalogue], order: Sequence[str], one: str, many: str, number: int
) -> tuple[str, str]:
    """Return (language, text) of a counted message, in the plural form for `number`."""
    for tag in order:
        if tag == SOURCE:
            break
        catalogue = catalogues[tag]
        forms = catalogue.plurals.get(one)
        if forms is not None:
            return tag, forms[catalogue.plural_index(number)]
    return SOURCE, one if number == 1 else many


def _english(number: int) -> int:
    return int(number != 1)
