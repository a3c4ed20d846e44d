"""A page of results: in order, with facets, and with the matches marked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import TypeAlias

import msgspec
from pyroaring import BitMap

from registry.search import highlights, order
from registry.search.count import counts, within
from registry.search.evaluate import evaluate
from registry.search.find import Result
from registry.search.lookup import PostingReader
from registry.search.postings import NAME, SUMMARY
from registry.search.query import Hit, Match, PagePosition, SearchQuery, SearchResult, Sort
from registry.search.times import days_late
from registry.search.view import View
from registry.store.lru import LruCache
from registry.store.sql import statement
from registry.text.highlighting import Highlight, Texts
from registry.text.query_parser import is_positive, replace_words
from registry.text.tokens import words

_CARD_BYTES = 150
"""Memory of a card beside its text."""

_FEW = 2_000
"""Results that are sorted by name in memory; for more, the names are read in order."""


SummaryNames: TypeAlias = tuple[str, Texts]


class Cards:
    """A cache of the cards of versions with their texts."""

    def __init__(self, room: int) -> None:
        """Begin empty; `room` is the limit in bytes."""
        self._cards: LruCache[int, SummaryNames] = LruCache(room)

    async def read(self, ordinals: Sequence[int], reader: PostingReader) -> list[SummaryNames]:
        """Return the cards of versions, read from the database where they are not cached."""
        found = {
            ordinal: card for ordinal in ordinals if (card := self._cards.get(ordinal)) is not None
        }
        lacking = [ordinal for ordinal in ordinals if ordinal not in found]
        if lacking:
            connection = await reader.connection()
            for row in await connection.fetch(statement("index", "cards"), lacking):
                card = found[row["ord"]] = row["card"], highlights.heads(row["card"])
                weight = len(card[0]) + card[1].weight + _CARD_BYTES
                self._cards.put(row["ord"], card, weight)
        return [found[ordinal] for ordinal in ordinals]


async def answer(
    question: SearchQuery,
    result: Result,
    *,
    view: View,
    cards: Cards,
    bodies: highlights.Bodies,
    reader: PostingReader,
) -> SearchResult:
    """Return the page of a query from its result."""
    size = result.entry + 1
    facets = {
        kind: counts(
            within(result.texts, result.passed, leave_out=kind)
            if kind in result.passed
            else result.hits,
            result.having[kind],
        )
        for kind in question.facets
    }
    if question.sort == "name":
        places = await _by_name(result.hits, question, size, reader)
    else:
        grouped = order.groups(question.sort, result.hits, view.facets, result.query, result.found)
        taken = order.page(grouped, question.after, question.limit + 1)
        places = [
            PagePosition(number=number, text="", ord=ordinal, size=size)
            for number, ordinal in taken
        ]
    shown = places[: question.limit]
    ordinals = [place.ord for place in shown]
    matches = _matches(shown, result, question.sort)
    shown_cards = await cards.read(ordinals, reader)
    marked = (
        await _marked(ordinals, matches, shown_cards, result, bodies=bodies, reader=reader)
        if question.highlights
        else [[] for _ in ordinals]
    )
    late: Mapping[int, int] = {}
    if "overdue" in question.filters and question.today is not None:
        late = days_late(ordinals, view.facets, question.today)
    return SearchResult(
        hits=[
            Hit(
                ord=ordinal,
                card=card,
                match=match,
                highlights=marks,
                overdue_days=late.get(ordinal),
            )
            for ordinal, (card, _), match, marks in zip(
                ordinals, shown_cards, matches, marked, strict=True
            )
        ],
        total=len(result.hits),
        facets=facets,
        next=shown[-1] if len(places) > len(shown) else None,
        size=size,
        mended=_as_written(result.mended, question.text or "", chain.from_iterable(marked)),
    )


async def _by_name(
    hits: BitMap, question: SearchQuery, size: int, reader: PostingReader
) -> list[PagePosition]:
    """Return a page in the order of names, the newest first for equal names."""
    most = question.limit + 1
    after = ("", -(2**32)) if question.after is None else (question.after.text, -question.after.ord)
    connection = await reader.connection()
    named: list[tuple[str, int]] = []
    if len(hits) <= _FEW:
        rows = await connection.fetch(statement("index", "names"), hits.to_array())
        by_name = sorted((row["name_key"], -row["ord"]) for row in rows)
        named = [one for one in by_name if one > after]
    else:
        block = _FEW
        while len(named) < most and block == _FEW:
            sql = statement("index", "names_after")
            rows = await connection.fetch(sql, after[0], -after[1], block)
            named += [(row["name_key"], -row["ord"]) for row in rows if row["ord"] in hits]
            block = len(rows)
            if rows:
                after = (rows[-1]["name_key"], -rows[-1]["ord"])
    return [PagePosition(number=0, text=name, ord=-less, size=size) for name, less in named[:most]]


def _matches(shown: Sequence[PagePosition], result: Result, sort: Sort) -> list[Match | None]:
    """Return where the words of each result were found; empty if no words are required."""
    query, found = result.query, result.found
    if query is None or found is None or not is_positive(query):
        return [None] * len(shown)
    if sort == "relevance":
        return [order.match_of_number(place.number) for place in shown]
    page = BitMap([place.ord for place in shown])
    on_page = msgspec.structs.replace(found, standing=page)
    in_name = evaluate(query, on_page, NAME) & page
    in_summary = evaluate(query, on_page, SUMMARY) & page
    return [order.match_of(place.ord, in_name, in_summary) for place in shown]


async def _marked(
    ordinals: Sequence[int],
    matches: Sequence[Match | None],
    cards: Sequence[SummaryNames],
    result: Result,
    *,
    bodies: highlights.Bodies,
    reader: PostingReader,
) -> list[list[Highlight]]:
    """Return the marked names and summaries, and passages of texts where only those match."""
    if result.query is None or result.found is None or not any(matches):
        return [[] for _ in ordinals]
    wanted = highlights.highlight_terms(result.query, result.found)
    heads = [highlights.in_heads(texts, wanted) for _, texts in cards]
    only_in_text = [one for one, match in zip(ordinals, matches, strict=True) if match == "text"]
    read = await bodies.read(only_in_text, reader)
    return [
        [*marks, *highlights.in_texts(read[ordinal], wanted)] if ordinal in read else marks
        for ordinal, marks in zip(ordinals, heads, strict=True)
    ]


def _as_written(mended: str | None, typed: str, marked: Iterable[Highlight]) -> str | None:
    """Return the corrected text in the spelling of the passages, instead of the folded one.

    A passage may begin with the word; case is that of the typed text.
    """
    if mended is None:
        return None
    others = {*words(mended)} - {*words(typed)}
    forms: dict[str, str] = {}
    for passage in marked:
        for start, end in passage.marks:
            form = passage.text[start:end]
            folded = words(form)
            if len(folded) == 1 and folded[0] in others:
                forms.setdefault(folded[0], form.lower() if typed == typed.lower() else form)
    return replace_words(mended, forms)
