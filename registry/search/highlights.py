"""Passages of results with the terms of the query marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from registry.record.erasure import readable
from registry.record.search_text import search_texts
from registry.search.evaluate import Matches
from registry.search.lookup import PostingReader
from registry.store.lru import LruCache
from registry.store.sql import statement
from registry.text.highlighting import Highlight, HighlightTerms, Texts
from registry.text.query_parser import And, Not, Or, Phrase, Prefix, Query, Word

_HEADS = ("name", "summary")
_MOST_FIELDS = 2


class Bodies:
    """A cache of the texts of versions beside name and summary."""

    def __init__(self, room: int) -> None:
        """Begin empty; `room` is the limit in bytes."""
        self._texts: LruCache[int, Texts] = LruCache(room)

    async def read(self, ordinals: Sequence[int], reader: PostingReader) -> dict[int, Texts]:
        """Return the texts of versions, read from the database where they are not cached."""
        found = {
            ordinal: texts
            for ordinal in ordinals
            if (texts := self._texts.get(ordinal)) is not None
        }
        lacking = [ordinal for ordinal in ordinals if ordinal not in found]
        if lacking:
            connection = await reader.connection()
            for row in await connection.fetch(statement("index", "documents"), lacking):
                document = readable(msgspec.json.decode(row["document"]), row["erased"])
                texts = Texts([one for one in search_texts(document) if one[0][1:] not in _HEADS])
                found[row["ord"]] = texts
                self._texts.put(row["ord"], texts, texts.weight)
        return found


def highlight_terms(query: Query, found: Matches) -> HighlightTerms:
    """Return the terms of a query to mark: those that have to be there."""
    stems: dict[str, dict[str, int]] = {language: {} for language in found.languages}
    phrases: dict[tuple[str, ...], int] = {}
    for number, leaf in enumerate(_positive(query)):
        if isinstance(leaf, Phrase):
            phrases[leaf.words] = number
        else:
            for language, stem in found.terms[leaf]:
                stems[language][stem] = number
    return HighlightTerms(stems, phrases)


def heads(card: str) -> Texts:
    """Return the texts of a card: name and summary."""
    shown: dict[str, Any] = msgspec.json.decode(card)
    texts = [
        (f"/{field}", tag, text) for field in _HEADS for tag, text in (shown[field] or {}).items()
    ]
    return Texts(texts, cut=False)


def in_heads(texts: Texts, wanted: HighlightTerms) -> list[Highlight]:
    """Return names and summaries, each as a whole, with marks."""
    return [shown for _, shown, _ in wanted.highlights(texts)]


def in_texts(texts: Texts, wanted: HighlightTerms) -> Iterator[Highlight]:
    """Yield passages of a version, beside name and summary, with marks.

    They are of the first field that has a term, and of one more if it has other terms.
    """
    fields: set[str] = set()
    left = set(wanted.numbers)
    for number, shown, marked in wanted.highlights(texts):
        field = shown.field
        if field not in fields and (len(fields) == _MOST_FIELDS or not left):
            return
        if field in fields or marked & left:
            fields.add(field)
            left -= marked
            yield shown
            if not left and (number + 1 == len(texts.of) or texts.of[number + 1][0] != field):
                # The same field in another language adds nothing.
                return


def _positive(query: Query) -> Iterator[Word | Prefix | Phrase]:
    if isinstance(query, And | Or):
        for one in query.of:
            yield from _positive(one)
    elif not isinstance(query, Not):
        yield query
