"""The words of versions as written: by prefix, and by similarity."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import msgspec

from registry.search.postings import NewTerms
from registry.store.database import Connection
from registry.store.sql import statement
from registry.text.spelling import distance, ends, one_slip_away, slips

_LAST = chr(0x10FFFF)
_MOST_ALIKE = 40


class SimilarWord(msgspec.Struct, frozen=True, kw_only=True):
    """A word that may be meant, with its edit distance."""

    word: str
    distance: int


class LexiconScope(msgspec.Struct, frozen=True, kw_only=True):
    """The words to search: of some languages, in versions up to an entry."""

    languages: Collection[str]
    entry: int
    new: NewTerms


async def beginning(
    connection: Connection, start: str, scope: LexiconScope
) -> set[tuple[str, str]]:
    """Return the words with a prefix, as (word, language)."""
    rows = await connection.fetch(statement("index", "words_that_begin"), start, start + _LAST)
    new = scope.new.beginning(start)
    return {(word, language) for word, language, _ in _counting(rows, new, scope)}


async def similar_words(
    connection: Connection, word: str, scope: LexiconScope
) -> list[SimilarWord]:
    """Return the words that may be meant by a word, the smallest edit distance first."""
    most = slips(word)
    if most == 0:
        return []
    near = one_slip_away(word)
    rows = await connection.fetch(statement("index", "words_among"), sorted(near))
    new = [known for other in near for known in scope.new.first(other)]
    if most > 1:
        first, last = ends(word)
        shortest, longest = len(word) - most, len(word) + most
        rows += await connection.fetch(
            statement("index", "words_alike"),
            first,
            first + _LAST,
            last[::-1],
            last[::-1] + _LAST,
            shortest,
            longest,
        )
        new += scope.new.beginning(first) + scope.new.ending(last)
    # Two edits change at most two letters, so most words need no exact comparison.
    letters = set(word)
    others = {
        other
        for other, _, _ in _counting(rows, new, scope)
        if len(letters.symmetric_difference(other)) <= 2 * most
    } - {word}
    found = [
        SimilarWord(word=other, distance=slipped)
        for other in others
        if (slipped := distance(word, other, most)) <= most
    ]
    return sorted(found, key=lambda one: (one.distance, one.word))[:_MOST_ALIKE]


def _counting(
    rows: Iterable[Any], new: Iterable[tuple[str, str, int]], scope: LexiconScope
) -> set[tuple[str, str, int]]:
    known = {(row["word"], row["lang"], row["first"]) for row in rows}
    known.update(new)
    return {one for one in known if one[1] in scope.languages and one[2] <= scope.entry}
