"""Passages of results with the terms of the query marked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
import tantivy

from registry.log.erasure import readable
from registry.record.search_document import search_texts
from registry.search.ranking import RankedVersion
from registry.search.text_query import TextQuery
from registry.store.database import Connection, statement
from registry.store.lru import LruCache
from registry.text.highlighting import Highlight, HighlightTerms, Texts
from registry.text.query_parser import (
    And,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Word,
    replace_words,
)
from registry.text.tokens import words

Connect: TypeAlias = Callable[[], Awaitable[Connection]]
"""Gives the connection of a query, borrowed when first needed."""

_HEADS = ("name", "summary")
_MOST_FIELDS = 2


_CARD_BYTES = 150
"""Memory of a card beside its text."""

CardNames: TypeAlias = tuple[str, Texts]
"""A card, JSON text, and its name and summary."""


class Cards:
    """The cards of versions with their texts, read from the index and cached."""

    def __init__(self, room: int) -> None:
        """Begin empty; `room` is the limit in bytes."""
        self._cards: LruCache[int, CardNames] = LruCache(room)

    def read(self, searcher: tantivy.Searcher, one: RankedVersion) -> CardNames:
        """Return the card of a version."""
        card = self._cards.get(one.ord)
        if card is None:
            text = bytes(searcher.doc(one.address).get_first("card") or b"").decode()
            card = text, heads(text)
            self._cards.put(one.ord, card, len(text) + card[1].weight + _CARD_BYTES)
        return card


class Bodies:
    """A cache of the texts of versions beside name and summary."""

    def __init__(self, room: int) -> None:
        """Begin empty; `room` is the limit in bytes."""
        self._texts: LruCache[int, Texts] = LruCache(room)

    async def read(self, ordinals: Sequence[int], connect: Connect) -> dict[int, Texts]:
        """Return the texts of versions, read from the database where they are not cached."""
        found = {
            ordinal: texts
            for ordinal in ordinals
            if (texts := self._texts.get(ordinal)) is not None
        }
        lacking = [ordinal for ordinal in ordinals if ordinal not in found]
        if lacking:
            connection = await connect()
            for row in await connection.fetch(statement("index", "documents"), lacking):
                document = readable(msgspec.json.decode(row["document"]), row["erased"])
                texts = Texts([one for one in search_texts(document) if one[0][1:] not in _HEADS])
                found[row["ord"]] = texts
                self._texts.put(row["ord"], texts, texts.weight)
        return found


def highlight_terms(text: TextQuery) -> HighlightTerms:
    """Return the terms of a query to mark: those that have to be there."""
    stems: dict[str, dict[str, int]] = {language: {} for language in text.languages}
    phrases: dict[tuple[str, ...], int] = {}
    for number, leaf in enumerate(_positive(text.query)):
        if isinstance(leaf, Phrase):
            phrases[leaf.words] = number
        else:
            for language, stem in text.terms[leaf]:
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
    made = [wanted.highlight(texts, number) for number, _ in wanted.found(texts)]
    return [one[0] for one in made if one is not None]


def in_texts(texts: Texts, wanted: HighlightTerms) -> Iterator[Highlight]:
    """Yield passages of a version, beside name and summary, with marks.

    They are of the first field that has a term, and of one more if it has other terms.
    """
    fields: set[str] = set()
    left = set(wanted.numbers)
    for number, present in wanted.found(texts):
        field = texts.items[number][0]
        if field not in fields and (len(fields) == _MOST_FIELDS or not left):
            return
        if field not in fields and left.isdisjoint(present):
            continue
        shown, marked = wanted.highlight(texts, number) or (None, set[int]())
        if shown is not None and (field in fields or marked & left):
            fields.add(field)
            left -= marked
            yield shown
            if not left and (number + 1 == len(texts.items) or texts.items[number + 1][0] != field):
                # The same field in another language adds nothing.
                return


def mark(
    ordinals: Sequence[int],
    cards: Sequence[CardNames],
    bodies: Mapping[int, Texts],
    wanted: HighlightTerms,
) -> list[list[Highlight]]:
    """Return the marked names and summaries of versions, and passages of those with texts."""
    marked = []
    for ordinal, (_, texts) in zip(ordinals, cards, strict=True):
        heads = in_heads(texts, wanted)
        if ordinal in bodies:
            heads += in_texts(bodies[ordinal], wanted)
        marked.append(heads)
    return marked


def _positive(query: Query) -> Iterator[Word | Prefix | Phrase]:
    if isinstance(query, And | Or):
        for one in query.of:
            yield from _positive(one)
    elif not isinstance(query, Not):
        yield query


def as_written(mended: str, typed: str, marked: Iterable[Highlight]) -> str:
    """Return the corrected text in the spelling of the passages, instead of the folded one.

    A passage may begin with the word; case is that of the typed text.
    """
    others = {*words(mended)} - {*words(typed)}
    forms: dict[str, str] = {}
    for passage in marked:
        for start, end in passage.marks:
            form = passage.text[start:end]
            folded = words(form)
            if len(folded) == 1 and folded[0] in others:
                forms.setdefault(folded[0], form.lower() if typed == typed.lower() else form)
    return replace_words(mended, forms)
