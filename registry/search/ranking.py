"""The orders of results, and the page after a position in one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, product
from typing import Any

import msgspec
import tantivy
from tantivy import FieldType, Occur, Order, Query

from registry.record.facets import LOCAL, LONGEST_NAME
from registry.search.filters import IndexAsOf
from registry.search.query import Match, PagePosition, SearchQuery
from registry.search.schema import (
    LABEL,
    NAME,
    SUMMARY,
    TEXT,
    ascending_key,
    descending_key,
    name_field,
    number_of,
    ord_of,
)
from registry.search.text_query import TextQuery, every, nothing_of

_IN_NAME = 0
_IN_SUMMARY, _IN_TEXT, _IN_LABEL = range(LONGEST_NAME + 1, LONGEST_NAME + 4)
_PLACES = 64
"""More than the places of a match: a number in the order of relevance is a section and a place.

In names the place is the number of words of the shortest name.
"""


class RankedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version at its place in an order."""

    number: int
    ord: int
    address: tantivy.DocAddress


def page(
    question: SearchQuery, at: IndexAsOf, passed: Query, text: TextQuery | None, most: int
) -> list[RankedVersion]:
    """Return the first results after the position of a query, in its order.

    `passed` is what filters let pass, of which the text finds the results.
    """
    if question.sort == "relevance" and text is not None:
        return _by_relevance(question, at, passed, text, most)
    hits = passed if text is None else every([passed, text.within(LABEL)])
    after = question.after
    if question.sort == "name":
        # A position comes from clients: tantivy makes room for whatever it is told to leave out.
        done = 0 if after is None else min(max(0, after.number), at.total(hits))
        field = name_field(question.reader if question.reader is not None else "")
        found = at.searcher.search(
            hits, most, count=False, order_by_field=field, offset=done, order=Order.Asc
        )
        return [
            RankedVersion(number=done + number, ord=ord_of(key, descending=False), address=address)
            for number, (key, address) in enumerate(found.hits, start=1)
        ]
    if question.sort == "review_due":
        bound = None if after is None else ascending_key(after.number, after.ord)
        placed = _by_key(at, hits, "by_review", bound, most, descending=False)
        return [
            RankedVersion(number=number_of(key), ord=ord_of(key, descending=False), address=address)
            for key, address in placed
        ]
    if question.sort == "completeness":
        bound = None if after is None else descending_key(-after.number, after.ord)
        placed = _by_key(at, hits, "by_completeness", bound, most, descending=True)
        return [
            RankedVersion(number=-number_of(key), ord=ord_of(key, descending=True), address=address)
            for key, address in placed
        ]
    return _newest(at, hits, after, most)


def first_by_name(at: IndexAsOf, texts: Sequence[TextQuery], most: int) -> list[RankedVersion]:
    """Return the first versions whose name a text finds: those filed here, then the others.

    In each of these come first what the first of the texts finds, and so on.
    """
    local = Query.term_query(at.schema, "origin", LOCAL)
    found: dict[int, RankedVersion] = {}
    for section, text in product((local, nothing_of(local)), texts):
        query = every([at.standing, section, text.within(NAME)])
        if len(found) < most:
            for key, address in _by_key(at, query, "by_name", None, most, descending=False):
                ord_ = ord_of(key, descending=False)
                found.setdefault(ord_, RankedVersion(number=0, ord=ord_, address=address))
    return [*found.values()][:most]


def match_of_number(number: int) -> Match:
    """Return where the words of a result were found, by its number in the order of relevance."""
    place = number % _PLACES
    if place < _IN_SUMMARY:
        return "name"
    if place == _IN_SUMMARY:
        return "summary"
    return "text" if place == _IN_TEXT else "label"


def matches(placed: Sequence[RankedVersion], at: IndexAsOf, text: TextQuery) -> list[Match]:
    """Return where the words of results were found, in an order that does not say."""
    page = Query.term_set_query(at.schema, "ord", [one.ord for one in placed])
    found: dict[int, Match] = {}
    tiers: tuple[tuple[int, Match], ...] = ((NAME, "name"), (SUMMARY, "summary"), (TEXT, "text"))
    for tier, match in tiers:
        here = at.searcher.search(
            every([page, text.within(tier)]), len(placed), count=False, order_by_field="ord"
        )
        for ord_, _ in here.hits:
            found.setdefault(ord_, match)
    return [found.get(one.ord, "label") for one in placed]


def _by_relevance(
    question: SearchQuery, at: IndexAsOf, passed: Query, text: TextQuery, most: int
) -> list[RankedVersion]:
    """Return the first results: what the reader's language finds, then what was filed here.

    In each of these sections come where the words are, and in names how few words there are.
    """
    after = question.after
    first = -1 if after is None else after.number
    local = Query.term_query(at.schema, "origin", LOCAL)
    sections = [[local], [nothing_of(local)]]
    if question.reader in text.languages and question.lang is None:
        own = text.within(LABEL, question.reader)
        sections = [[one, *section] for one in (own, nothing_of(own)) for section in sections]
    taken: list[RankedVersion] = []
    for start, section in zip(count(0, _PLACES), sections, strict=False):
        if start + _PLACES <= first or len(taken) == most:
            continue
        within = every([passed, *section])
        anywhere = every([within, text.within(LABEL)])
        for place, query in _tiers(within, text):
            number = start + place
            last = number + LONGEST_NAME if place == _IN_NAME else number
            if len(taken) == most or last < first:
                continue
            bound = after if first >= number else None
            found = _of_tier(at, query, number, bound, most - len(taken))
            taken += found
            # Of many questions some sections have nothing.
            if place == _IN_NAME and not found and not at.total(anywhere):
                break
    return taken


def _of_tier(
    at: IndexAsOf, query: Query, number: int, after: PagePosition | None, most: int
) -> list[RankedVersion]:
    if number % _PLACES != _IN_NAME:
        return _newest(at, query, after, most, number=number)
    bound = None if after is None else ascending_key(after.number - number, after.ord)
    return [
        RankedVersion(
            number=number + number_of(key), ord=ord_of(key, descending=False), address=address
        )
        for key, address in _by_key(at, query, "by_name", bound, most, descending=False)
    ]


def _tiers(passed: Query, text: TextQuery) -> Iterator[tuple[int, Query]]:
    """Yield results by where the words are, each with the place of that tier."""
    before: list[Query] = []
    for tier, place in enumerate((_IN_NAME, _IN_SUMMARY, _IN_TEXT, _IN_LABEL)):
        here = text.within(tier)
        yield place, _without([passed, here], before)
        before = [here]


def _without(queries: Sequence[Query], others: Sequence[Query]) -> Query:
    return Query.boolean_query(
        [
            *((Occur.Must, query) for query in queries),
            *((Occur.MustNot, other) for other in others),
        ]
    )


def _newest(
    at: IndexAsOf, query: Query, after: PagePosition | None, most: int, *, number: int = 0
) -> list[RankedVersion]:
    found = _by_key(at, query, "ord", None if after is None else after.ord, most, descending=True)
    return [RankedVersion(number=number, ord=key, address=address) for key, address in found]


def _by_key(
    at: IndexAsOf, query: Query, field: str, after: int | None, most: int, *, descending: bool
) -> list[tuple[int, Any]]:
    """Return the first results after a key, and their keys, in the order of a field."""
    if after is not None:
        lower, upper = (None, after - 1) if descending else (after + 1, None)
        rest = Query.range_query(at.schema, field, FieldType.Integer, lower, upper)
        query = every([query, rest])
    order = Order.Desc if descending else Order.Asc
    return list(
        at.searcher.search(query, most, count=False, order_by_field=field, order=order).hits
    )
