"""A page of results, made of what a query finds: none of it waits, so a thread can do it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

import msgspec
import tantivy

from registry.search import highlights, ranking
from registry.search.filters import IndexAsOf
from registry.search.find import QueryMatches, WordMeanings
from registry.search.labels import NameLabels
from registry.search.query import (
    Hit,
    Match,
    Named,
    PagePosition,
    PartialMatches,
    SearchQuery,
    SearchResult,
)
from registry.search.schema import review_day
from registry.search.text_query import every
from registry.text.highlighting import Highlight, Texts
from registry.text.query_parser import Query, is_positive

_MOST_NAMED = 3
_MOST_PARTIAL = 5


class RankedResults(msgspec.Struct, frozen=True, kw_only=True):
    """What a query finds, the results of its page and one more, and where the words of each are.

    `matches` are of the page alone, None where no words have to be there. `partial` are results of
    most of the words, if the question has such.
    """

    question: SearchQuery
    found: QueryMatches
    placed: Sequence[ranking.RankedVersion]
    matches: Sequence[Match | None]
    partial: RankedResults | None = None

    @property
    def groups(self) -> list[RankedResults]:
        """These results, and those of most of the words."""
        return [self, *([] if self.partial is None else [self.partial])]

    @property
    def shown(self) -> Sequence[ranking.RankedVersion]:
        """The results of the page."""
        return self.placed[: self.question.limit]

    @property
    def ordinals(self) -> list[int]:
        """The versions of the page."""
        return [one.ord for one in self.shown]

    @property
    def hidden(self) -> list[int]:
        """The versions whose texts beside name and summary have the words, if they are wanted."""
        pairs = zip(self.ordinals, self.matches, strict=True)
        return [ord_ for ord_, match in pairs if match == "text" and self.question.highlights]


def place_results(question: SearchQuery, at: IndexAsOf, meanings: WordMeanings) -> RankedResults:
    """Find what a query asks for, and put the results of its page in order."""
    found = QueryMatches(question, at, meanings)
    placed: list[ranking.RankedVersion] = []
    if found.total:
        placed = ranking.page(question, at, found.passed, found.text, question.limit + 1)
    shown = placed[: question.limit]
    matches: Sequence[Match | None] = [None] * len(shown)
    if shown and found.text is not None and is_positive(found.text.query):
        matches = (
            [ranking.match_of_number(one.number) for one in shown]
            if question.sort == "relevance"
            else ranking.matches(shown, at, found.text)
        )
    partial = None
    if found.fewer is not None:
        fewer = msgspec.structs.replace(
            question,
            text=found.fewer.text,
            sort="relevance",
            limit=min(question.limit, _MOST_PARTIAL),
            facets=(),
            mends=False,
        )
        partial = place_results(fewer, at, meanings)
    return RankedResults(
        question=question, found=found, placed=placed, matches=matches, partial=partial
    )


def write_page(
    results: RankedResults,
    cards: highlights.Cards,
    bodies: Mapping[int, Texts],
    names: NameLabels,
) -> SearchResult:
    """Return the page: cards with their passages, totals, and what is said beside them."""
    question, found, shown = results.question, results.found, results.shown
    hits = _hits(results, cards, bodies)
    last = shown[-1] if len(results.placed) > len(shown) else None
    return SearchResult(
        hits=hits,
        total=found.total,
        facets=found.facets,
        next=None
        if last is None
        else PagePosition(number=last.number, ord=last.ord, size=found.at.entry + 1),
        size=found.at.entry + 1,
        named=[] if question.after is not None else _named(results, names),
        mended=found.mended and _as_written(found.mended, question, hits),
        partial=_partial(results, cards, bodies),
        suggestion=found.suggestion(),
        whole_country=found.whole_country,
        kinds=found.kinds,
        cells=found.cells,
    )


def _hits(
    results: RankedResults,
    cards: highlights.Cards,
    bodies: Mapping[int, Texts],
) -> list[Hit]:
    question, found, shown = results.question, results.found, results.shown
    read = [cards.read(found.at.searcher, one) for one in shown]
    marked: Sequence[list[Highlight]] = [[] for _ in shown]
    if found.text is not None and question.highlights and any(results.matches):
        wanted = highlights.highlight_terms(found.text)
        marked = highlights.mark(results.ordinals, read, bodies, wanted)
    late: Sequence[int | None] = [None] * len(shown)
    if shown and "overdue" in question.filters and question.today is not None:
        keys = found.at.searcher.fast_field_values("by_review", [one.address for one in shown])
        late = [(question.today - review_day(int(key or 0))).days for key in keys]
    return [
        Hit(ord=one.ord, card=card, match=match, highlights=marks, overdue_days=days)
        for one, (card, _), match, marks, days in zip(
            shown, read, results.matches, marked, late, strict=True
        )
    ]


def _partial(
    results: RankedResults,
    cards: highlights.Cards,
    bodies: Mapping[int, Texts],
) -> PartialMatches | None:
    partial, fewer = results.partial, results.found.fewer
    if partial is None or fewer is None:
        return None
    hits = _hits(partial, cards, bodies)
    others = [
        hit
        for hit in hits
        if hit.ord not in results.ordinals and (hit.match == "name" or not fewer.is_name)
    ]
    if not others:
        return None
    return PartialMatches(
        words=_as_written(fewer.text, results.question, hits),
        missing=fewer.missing,
        hits=others,
        total=partial.found.total,
    )


def _as_written(text: str, question: SearchQuery, hits: Sequence[Hit]) -> str:
    marks = chain.from_iterable(hit.highlights for hit in hits)
    return highlights.as_written(text, question.text or "", marks)


def _named(results: RankedResults, names: NameLabels) -> list[Named]:
    """Return what the words name, and those of them that most of the words are."""
    found = [
        one
        for group in results.groups
        if (text := group.found.text) is not None
        for one in find_named(
            names, group.found.mended or group.question.text or "", text.query, group.found.at
        )
    ]
    return [*dict.fromkeys(found)][:_MOST_NAMED]


def find_all(
    question: SearchQuery, at: IndexAsOf, meanings: WordMeanings
) -> tuple[Sequence[int], str | None]:
    """Return every version that is found, oldest first, and the corrected text."""
    found = QueryMatches(question, at, meanings)
    if found.total == 0:
        return [], found.mended
    hits = at.searcher.search(
        found.hits, found.total, count=False, order_by_field="ord", order=tantivy.Order.Asc
    ).hits
    return [ord_ for ord_, _ in hits], found.mended


def find_named(
    names: NameLabels, text: str, query: Query, at: IndexAsOf, *, is_begun: bool = False
) -> list[Named]:
    """Return the agencies and sectors that a text names, with their numbers of records."""
    return [
        Named(
            kind="agency" if kind == "agency" else "sector",
            code=code,
            records=at.total(every([at.standing, at.passing(kind, [code])])),
        )
        for kind, code in names.named(text, query, is_begun=is_begun)[:_MOST_NAMED]
    ]
