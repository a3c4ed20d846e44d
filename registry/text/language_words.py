"""Words that a language knows for what they do, not what they mean: `words.csv` of its folder."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal, TypeAlias, get_args

from registry.errors import ConfigurationError
from registry.text.csv_tables import language_rows

WordKind: TypeAlias = Literal[
    "stop", "particle", "placeholder", "negation", "subject", "exception",
    "negator", "denial", "office", "role", "title", "mailbox", "unit",
]  # fmt: skip
"""What a text of the table is.

A `stop` word says nothing in a question, a `particle` is elided before an apostrophe, a
`placeholder` stands where nothing is stated. A sentence that begins with a `negation` and a
`subject` denies what is asked for, unless an `exception` follows: *no review* does, *no review
without a physician* does not. A `negator` turns the word after it in a question, and like a
`denial` is no misspelling of another. An `office`, or who heads it, names no body by itself, nor
does a `role` name a person, whom a `title` comes before. A `mailbox` is a provider of private ones,
by its host, or with `.com`, a country or both behind it. No line breaks between a number and its
`unit`.
"""


def words_of(kind: WordKind) -> list[str]:
    """Return the texts of a kind, in all languages."""
    return [text for kinds in words_by_language().values() for text in kinds.get(kind, ())]


@cache
def words_by_language() -> Mapping[str, Mapping[str, list[str]]]:
    """Return the texts by language and kind.

    Raises `ConfigurationError` for a row of no kind, with its place.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for tag, place, row in language_rows("words.csv", ("kind", "text")):
        if row["kind"] not in get_args(WordKind) or not row["text"]:
            kinds = ", ".join(get_args(WordKind))
            raise ConfigurationError(f"{place}: a row is one of {kinds}, and a text")
        found.setdefault(tag, {}).setdefault(row["kind"], []).append(row["text"])
    return found
