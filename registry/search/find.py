"""Finding versions: by the words of a query, corrected if they find nothing, and its filters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

import msgspec
import tantivy

from registry.record.facets import (
    BY_FACTS,
    TERRITORY,
    counted_dimension,
    countries_of,
    filter_named,
)
from registry.record.facts import AnswerCounts
from registry.record.schema import broader
from registry.search.filters import IndexAsOf, stated_fact
from registry.search.labels import NameLabels
from registry.search.query import CrossCount, FacetCount, SearchQuery
from registry.search.schema import LABEL, SUMMARY
from registry.search.spelling import Correction, Speller, WordLists
from registry.search.text_query import TextQuery, every, searched_languages
from registry.text.arabizi import ArabiziIndex
from registry.text.locales import direction
from registry.text.query_parser import (
    And,
    Or,
    Prefix,
    Query,
    Vocabulary,
    Word,
    is_plain,
    parse_query,
)
from registry.text.tokens import NEUTRAL, words

_FEW = 3
"""Results from which on no other words are offered."""

_SHORTEST = 2
"""Letters from which on a beginning is completed."""

_MOST_SYNONYMS = 5


def begun_query(text: str, vocabulary: Vocabulary) -> Query | None:
    """Return the query of a text whose last word may be begun, or None if it is too short.

    A begun acronym stands for what it is short for.
    """
    *typed, last = words(text) or [""]
    if len(last) < _SHORTEST and not typed:
        return None
    parts: list[Query] = [Word(word) for word in typed if word not in vocabulary.stop_words]
    known = [word for word in sorted(vocabulary.words()) if not typed and word.startswith(last)]
    meant = [parse_query(other, vocabulary) for other in (text, *known[:_MOST_SYNONYMS])]
    return Or((And((*parts, Prefix(last))), *(one for one in meant if one is not None)))


class WordMeanings(msgspec.Struct, frozen=True, kw_only=True):
    """What words may mean: languages of versions, vocabulary, what a question names, Arabizi.

    `spoken` are the languages of the country, the first first; `lists` the words of the index, in
    which corrections are looked for, None where there are none.
    """

    languages: Sequence[str]
    spoken: Sequence[str]
    vocabulary: Vocabulary
    names: NameLabels
    arabizi: ArabiziIndex
    lists: WordLists | None = None


class QueryMatches:
    """What a query finds, and the text with which it does.

    `text` is None without words; `mended` is the corrected text, if it was corrected; `fewer` are
    the words that find something where all together do not; `total` and `facets` count the results.
    """

    def __init__(self, question: SearchQuery, at: IndexAsOf, meanings: WordMeanings) -> None:
        """Find what a query asks for in the index as of an entry."""
        self.at = at
        self.text: TextQuery | None = None
        self.mended: str | None = None
        self.fewer: Correction | None = None
        self.total = 0
        self.facets: dict[str, list[FacetCount]] = {kind: [] for kind in question.facets}
        self.kinds: dict[str, AnswerCounts] = {}
        self._question = question
        self._meanings = meanings
        self._passed = at.filtering(question.filters)
        self._windowed = [] if question.changed is None else [at.published]
        if question.unchanged is not None:
            self._windowed.append(at.unchanged_after(question.unchanged))
        query = None
        if question.text is not None:
            query = parse_query(question.text, meanings.vocabulary)
            if query is None:
                return
            self.text = self.read(query, question.lang)
        self._count()
        # What only the filters leave out is not corrected.
        if (
            self.text is not None
            and query is not None
            and question.mends
            and self.total == 0
            and (not self._passed or not self._without_filters)
        ):
            better = self._correct(self._counted)
            if better is not None and better.missing:
                self.fewer = better
            elif better is not None:
                self.text, self.mended = self.read(better.query, better.lang), better.text
                self._count()
        if self.text is not None and 0 < self.total <= _FEW and self.mended is None:
            self.fewer = self._called(self.text)

    def _called(self, text: TextQuery) -> Correction | None:
        """Return by which of its words records are called, if what has all has none in a name."""
        asked = self._question
        if asked.text is None or not asked.mends or asked.after is not None:
            return None
        if not is_plain(text.query) or self._counted(text, SUMMARY):
            return None
        speller = self._speller(self._counted)
        return None if speller is None else speller.called(asked.text)

    @property
    def passed(self) -> tantivy.Query:
        """What is in force and passes the filters."""
        return every([self.at.standing, *self._windowed, *self._passed])

    @property
    def hits(self) -> tantivy.Query:
        """What is found by words and filters."""
        return self._within(self.text, self._passed)

    def suggestion(self) -> str | None:
        """Return other words that may be meant, where few were found with these, or None.

        Where filters leave nothing, they are words that find something without them.
        """
        asked = self._question
        if self.text is None or asked.text is None or not asked.mends or self.mended is not None:
            return None
        if asked.after is not None or self.total > _FEW or self.fewer is not None:
            return None
        if self.total:
            speller = self._speller(self._counted)
            return None if speller is None else speller.suggest(asked.text, self.text.query)
        # Without filters the same has been looked for.
        if not (self._passed or self._windowed) or self._without_filters:
            return None
        better = self._correct(self._unfiltered)
        return None if better is None or better.missing else better.text

    @cached_property
    def _without_filters(self) -> int:
        """The number of versions that the words find without filters."""
        return 0 if self.text is None else self._unfiltered(self.text)

    @property
    def cells(self) -> list[CrossCount]:
        """The cells of the table that is asked for. Raises `InvalidParameter` for too many."""
        by = self._question.by
        return self.at.cross(self.hits, by) if by and self.total else []

    @property
    def whole_country(self) -> int | None:
        """The number of results that apply in the whole country, where regions are asked for."""
        countries = countries_of(self._question.filters.get(TERRITORY, ()))
        if not countries:
            return None
        return self.at.total(every([self.hits, self.at.valued(TERRITORY, countries)]))

    def _count(self) -> None:
        """Count the results and the facets: each counts what all filters but its own let pass."""
        for number, (query, kinds) in enumerate(self.counted_queries()):
            counted = self.at.count(query, kinds)
            self.total = self.total if number else counted.total
            self.facets |= {
                kind: codes + self._narrower(query, kind) for kind, codes in counted.facets.items()
            }
            self.kinds |= counted.answers

    def _narrower(self, query: tantivy.Query, facet: str) -> list[FacetCount]:
        """Return the counts of the country's own codes that are asked for."""
        known = filter_named(facet)
        if known is None or not known.has_narrower:
            return []
        return [
            FacetCount(code=code, count=self.at.total(every([query, *passed])))
            for name, codes in self._question.filters.items()
            if (asked := filter_named(name)) is not None and asked.stating == known.stating
            for code in codes
            if broader(code) != code and (passed := self.at.filtering({name: [code]}))
        ]

    def counted_queries(self) -> list[tuple[tantivy.Query, list[str]]]:
        """Return the queries of which facets are counted, first that of the results, and which."""
        filters = self._question.filters
        others = {kind: self._others(kind) for kind in self.facets}
        counted = [(self.hits, [kind for kind, left in others.items() if left == filters])]
        for kind, left in others.items():
            if left != filters:
                counted.append((self._within(self.text, self.at.filtering(left)), [kind]))
        return counted

    def _others(self, facet: str) -> dict[str, Sequence[str]]:
        """Return the filters without what they select of what a facet counts."""
        counted = counted_dimension(facet)
        fact = stated_fact(facet) if counted is None else counted.name
        left: dict[str, Sequence[str]] = {}
        for name, codes in self._question.filters.items():
            known = filter_named(name)
            if name == facet or (fact and known is not None and known.stating == fact):
                continue
            kept = codes
            if name in BY_FACTS and fact in codes:
                kept = [code for code in codes if code != fact]
            if kept or not codes:
                left[name] = kept
        return left

    def _counted(self, text: TextQuery, tier: int) -> int:
        return self.at.total(self._within(text, self._passed, tier))

    def _unfiltered(self, text: TextQuery, tier: int = LABEL) -> int:
        return self.at.total(every([self.at.standing, text.within(tier)]))

    def _within(
        self, text: TextQuery | None, filters: Iterable[tantivy.Query], tier: int = LABEL
    ) -> tantivy.Query:
        words = [] if text is None else [text.within(tier)]
        return every([self.at.standing, *words, *self._windowed, *filters])

    def read(self, query: Query, lang: str | None = None) -> TextQuery:
        """Return a parsed query over this index, in a language or in all."""
        return TextQuery(
            query,
            schema=self.at.schema,
            searcher=self.at.searcher,
            languages=searched_languages(lang, self._meanings.languages),
            known=self.at.known,
        )

    def _correct(self, counted: Callable[[TextQuery, int], int]) -> Correction | None:
        speller, asked = self._speller(counted), self._question.text
        if speller is None or asked is None or self.text is None:
            return None
        return speller.correct(asked, self.text.query)

    def _speller(self, counted: Callable[[TextQuery, int], int]) -> Speller | None:
        if self._meanings.lists is None:
            return None
        lang, reader = self._question.lang, self._question.reader
        if lang:
            languages = [lang]
        elif reader:
            # What has the letters of another script than the reader's is of another language.
            spoken = self._meanings.spoken
            languages = [reader, *(one for one in spoken if direction(one) != direction(reader))]
        else:
            languages = [one for one in self._meanings.languages if one != NEUTRAL]
        return Speller(
            self.at,
            lists=self._meanings.lists,
            languages=languages,
            has_reader=bool(lang or reader),
            vocabulary=self._meanings.vocabulary,
            names=self._meanings.names,
            arabizi=self._meanings.arabizi,
            finds=lambda query, language, tier: counted(self.read(query, language), tier),
        )
