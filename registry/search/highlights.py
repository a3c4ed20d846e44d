"""Passages of hits with what was asked for marked in them."""

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
    """The texts of versions beside name and summary, kept as long as there is room."""

    def __init__(self, room: int) -> None:
        """Begin with nothing; `room` is in bytes."""
        self._texts: LruCache[int, Texts] = LruCache(room)

    async def read(self, ordinals: Sequence[int], reader: PostingReader) -> dict[int, Texts]:
        """Give the texts of versions, reading those that are not here."""
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


def highlight_terms(asked: Query, found: Matches) -> HighlightTerms:
    """Tell what of a question is to be marked: what is to be there."""
    stems: dict[str, dict[str, int]] = {language: {} for language in found.languages}
    phrases: dict[tuple[str, ...], int] = {}
    for number, leaf in enumerate(_positive(asked)):
        if isinstance(leaf, Phrase):
            phrases[leaf.words] = number
        else:
            for language, stem in found.terms[leaf]:
                stems[language][stem] = number
    return HighlightTerms(stems, phrases)


def heads(card: str) -> Texts:
    """Give the name and the summary that a card shows."""
    shown: dict[str, Any] = msgspec.json.decode(card)
    texts = [
        (f"/{field}", tag, text) for field in _HEADS for tag, text in (shown[field] or {}).items()
    ]
    return Texts(texts, cut=False)


def in_heads(texts: Texts, wanted: HighlightTerms) -> list[Highlight]:
    """Mark names and summaries, each as a whole."""
    return [shown for _, shown, _ in wanted.highlights(texts)]


def in_texts(texts: Texts, wanted: HighlightTerms) -> Iterator[Highlight]:
    """Mark passages of a version, beside name and summary.

    They are of the first field that has any, and of one more where that has what else was asked.
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
                # Nor does the same field say anything in another language.
                return


def _positive(asked: Query) -> Iterator[Word | Prefix | Phrase]:
    if isinstance(asked, And | Or):
        for one in asked.of:
            yield from _positive(one)
    elif not isinstance(asked, Not):
        yield asked
