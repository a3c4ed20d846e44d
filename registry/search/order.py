"""Orders of results, as groups of versions one after the other, the newest first in each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator

from pyroaring import BitMap

from registry.record.facets import COMPLETENESS, LONGEST_NAME, NAME_LENGTH, REVIEW_DUE, length_code
from registry.search.evaluate import Matches, evaluate
from registry.search.facets import Facets
from registry.search.postings import NAME, SUMMARY
from registry.search.query import Match, PagePosition, Sort
from registry.text.query_parser import Query, is_plain

_IN_SEVERAL_LANGUAGES = LONGEST_NAME + 1
_IN_SUMMARY = LONGEST_NAME + 2
_IN_TEXT = LONGEST_NAME + 3
_DAYS_FROM = dt.date(2000, 1, 1)
_NO_DAY = 2**31 - 1


def groups(
    sort: Sort, hits: BitMap, facets: Facets, query: Query | None, found: Matches | None
) -> Iterator[tuple[int, BitMap]]:
    """Yield the results of an order as groups (number, versions), by number; not by name."""
    if sort == "relevance" and query is not None and found is not None:
        yield from _by_relevance(hits, facets, query, found)
    elif sort == "completeness":
        for completeness in range(100, -1, -1):
            having = facets.having(COMPLETENESS, str(completeness))
            if having is not None:
                yield -completeness, hits & having
    elif sort == "review_due":
        yield from _by_review(hits, facets)
    else:
        yield 0, hits


def page(
    grouped: Iterable[tuple[int, BitMap]], after: PagePosition | None, most: int
) -> list[tuple[int, int]]:
    """Return (number, ordinal) of the first results after a position."""
    taken: list[tuple[int, int]] = []
    for number, group in grouped:
        if after is not None and number < after.number:
            continue
        end = len(group)
        if after is not None and number == after.number:
            end = group.rank(after.ord - 1) if after.ord else 0
        newest = group[max(0, end - (most - len(taken))) : end]
        taken += [(number, ordinal) for ordinal in reversed(list(newest))]
        if len(taken) == most:
            break
    return taken


def match_of_number(number: int) -> Match:
    """Return where the words of a result were found, by its number in the order of relevance."""
    if number < _IN_SUMMARY:
        return "name"
    return "summary" if number == _IN_SUMMARY else "text"


def match_of(ordinal: int, in_name: BitMap, in_summary: BitMap) -> Match:
    """Return where the words of a result were found."""
    if ordinal in in_name:
        return "name"
    return "summary" if ordinal in in_summary else "text"


def _by_relevance(
    hits: BitMap, facets: Facets, query: Query, found: Matches
) -> Iterator[tuple[int, BitMap]]:
    """Yield groups by where the words are, and in names by how few other words are there."""
    in_name = evaluate(query, found, NAME) & hits
    rest = in_name
    if rest:
        by_language = {
            language: named
            for language in _of_names(query, found)
            if (named := evaluate(query, found, NAME, language) & in_name)
        }
        for length in range(1, LONGEST_NAME + 1):
            group = BitMap()
            for language, named in by_language.items():
                as_long = facets.having(NAME_LENGTH, length_code(language, length))
                if as_long is not None:
                    group |= named & as_long
            group &= rest
            if group:
                yield length, group
                rest = rest - group
                if not rest:
                    break
        yield _IN_SEVERAL_LANGUAGES, rest
    hits = hits - in_name
    in_summary = evaluate(query, found, SUMMARY) & hits
    yield _IN_SUMMARY, in_summary
    yield _IN_TEXT, hits - in_summary


def _of_names(query: Query, found: Matches) -> Collection[str]:
    """Return the languages in which a query may match names: most have no such name."""
    if not is_plain(query):
        return found.languages
    return {
        language
        for terms in found.terms.values()
        for language, stem in terms
        if found.postings[language, stem].tiers[NAME]
    }


def _by_review(hits: BitMap, facets: Facets) -> Iterator[tuple[int, BitMap]]:
    rest = hits
    for day, having in sorted(facets.sets(REVIEW_DUE).items()):
        group = rest & having
        if group:
            yield (dt.date.fromisoformat(day) - _DAYS_FROM).days, group
            rest = rest - group
    yield _NO_DAY, rest
