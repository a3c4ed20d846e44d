"""Queries of the index: words, filters, what is in force as of an entry, counts of facets."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

import tantivy
from tantivy import FieldType, Occur, Query

from registry.record.facets import FACETS, OVERDUE, SINGLE, TERRITORY, countries_of
from registry.record.model import RISK_CHANGES
from registry.search.query import FacetCount
from registry.search.schema import (
    CURRENT,
    LABEL,
    LEXEME,
    NAMES,
    STEMS,
    WORDS,
    folded_name,
    review_before,
    stem_token,
    word_token,
)
from registry.store.as_of import LogWindow
from registry.text.query_parser import And, Not, Or, Phrase, Prefix, Word
from registry.text.query_parser import Query as ParsedQuery
from registry.text.tokens import NEUTRAL, query_stems

Term: TypeAlias = tuple[str, str]
"""A language and a stem."""

TermQuery: TypeAlias = Callable[[str, str], tantivy.Query]

_FEW = 12
"""Terms that are asked for one by one; more are asked for as a set."""


class TextQuery:
    """A parsed query over an index, in some languages.

    `terms` are the terms of each word and prefix.
    """

    def __init__(
        self,
        query: ParsedQuery,
        *,
        schema: tantivy.Schema,
        searcher: tantivy.Searcher,
        languages: Sequence[str],
        known: tantivy.Query | None,
    ) -> None:
        """Take the versions whose words prefixes may find, where not all of the index."""
        self.query = query
        self.languages = languages
        self.terms: Mapping[Word | Prefix, Sequence[Term]] = {
            leaf: (
                word_terms(leaf.word, languages)
                if isinstance(leaf, Word)
                else _begun(leaf.start, searcher, languages, known)
            )
            for leaf in leaves(query)
            if not isinstance(leaf, Phrase)
        }
        self._schema = schema
        self._searcher = searcher
        self._within: dict[tuple[int, str | None], tantivy.Query] = {}

    def within(self, tier: int, language: str | None = None) -> tantivy.Query:
        """Return the query within a tier; negated parts count in any.

        With a language only words in that one count, but for those of phrases.
        """
        key = (tier, language)
        if key not in self._within:
            found = self._of(self.query, tier, language)
            self._within[key] = tantivy.Query.empty_query() if found is None else found
        return self._within[key]

    def _of(self, query: ParsedQuery, tier: int, language: str | None) -> tantivy.Query | None:
        """Return what a part finds within a tier; None if no version has its words there."""
        if isinstance(query, Not):
            found = self._of(query.of, LABEL, None)
            return tantivy.Query.all_query() if found is None else nothing_of(found)
        if isinstance(query, And):
            parts = [self._of(one, tier, language) for one in query.of]
            known = [part for part in parts if part is not None]
            return every(known) if len(known) == len(parts) else None
        if isinstance(query, Or):
            found_parts = [self._of(one, tier, language) for one in query.of]
        else:
            found_parts = list(self._leaf(query, tier, language))
        some = [part for part in found_parts if part is not None]
        return either(some) if some else None

    def _leaf(
        self, leaf: Word | Prefix | Phrase, tier: int, language: str | None
    ) -> Iterator[tantivy.Query]:
        if isinstance(leaf, Phrase):
            for field in WORDS[: tier + 1]:
                for spoken in self.languages:
                    tokens = [word_token(word, spoken) for word in leaf.words]
                    if all(self._searcher.doc_freq(field, token) for token in tokens):
                        yield _row(self._schema, field, tokens)
            return
        tokens = [
            token
            for spoken, stem in self.terms[leaf]
            if (language is None or spoken == language)
            and self._searcher.doc_freq(STEMS[tier], token := stem_token(stem, spoken))
        ]
        if tokens:
            yield any_of(self._schema, STEMS[tier], tokens)


def leaves(query: ParsedQuery) -> Iterator[Word | Prefix | Phrase]:
    """Yield the words, prefixes and phrases of a query."""
    if isinstance(query, Word | Prefix | Phrase):
        yield query
    elif isinstance(query, Not):
        yield from leaves(query.of)
    else:
        for one in query.of:
            yield from leaves(one)


def word_terms(word: str, languages: Iterable[str]) -> list[Term]:
    """Return the terms of a word in languages."""
    return [(language, stem) for language in languages for stem in query_stems(word, language)]


def searched_languages(lang: str | None, known: Iterable[str]) -> list[str]:
    """Return the languages to search: all, or one and the neutral one."""
    return sorted(known) if lang is None else [NEUTRAL, lang]


def any_of(schema: tantivy.Schema, field: str, tokens: Sequence[str]) -> tantivy.Query:
    """Return the query of versions that have one of some tokens."""
    if len(tokens) > _FEW:
        return tantivy.Query.term_set_query(schema, field, tokens)
    return either([tantivy.Query.term_query(schema, field, token) for token in tokens])


def every(queries: Sequence[tantivy.Query]) -> tantivy.Query:
    """Return the conjunction of queries; that of none is everything."""
    if not queries:
        return tantivy.Query.all_query()
    if len(queries) == 1:
        return queries[0]
    return tantivy.Query.boolean_query([(Occur.Must, query) for query in queries])


def either(queries: Sequence[tantivy.Query]) -> tantivy.Query:
    """Return the disjunction of queries; that of none is nothing."""
    if not queries:
        return tantivy.Query.empty_query()
    if len(queries) == 1:
        return queries[0]
    return tantivy.Query.boolean_query([(Occur.Should, query) for query in queries])


def nothing_of(*queries: tantivy.Query) -> tantivy.Query:
    """Return the query of everything that queries do not find."""
    return tantivy.Query.boolean_query(
        [
            (Occur.Must, tantivy.Query.all_query()),
            *((Occur.MustNot, query) for query in queries),
        ]
    )


def _row(schema: tantivy.Schema, field: str, tokens: Sequence[str]) -> tantivy.Query:
    """Return the query of versions with tokens one after the other; of one, with it."""
    if len(tokens) == 1:
        return tantivy.Query.term_query(schema, field, tokens[0])
    return tantivy.Query.phrase_query(schema, field, list(tokens))


def _begun(
    start: str,
    searcher: tantivy.Searcher,
    languages: Sequence[str],
    known: tantivy.Query | None,
) -> list[Term]:
    """Return the terms of every word with a prefix."""
    found = (
        token.rsplit("|", 1) for token, _ in searcher.terms_with_prefix(LEXEME, start, known, None)
    )
    return sorted(
        {
            term
            for word, language in found
            if language in languages
            for term in word_terms(word, [language])
        }
    )


GROUPED = {kind: facet.of for kind, facet in FACETS.items() if facet.of is not None}
"""The facets that group the codes of another one, and which that is."""

_MOST_CODES = 60_000
"""Codes that are counted of one facet; tantivy allows 65,000 in an answer."""


class IndexAsOf:
    """The versions that were in force when an entry was the last, and questions about them."""

    def __init__(
        self,
        schema: tantivy.Schema,
        searcher: tantivy.Searcher,
        *,
        size: int,
        entry: int,
        changed: LogWindow | None = None,
        today: dt.date | None = None,
        countries: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Take an index of the log of a size, and what filters of time and country refer to."""
        self.schema = schema
        self.searcher = searcher
        self.entry = entry
        self.changed = changed
        self._today = today
        self._countries = countries
        if entry >= size - 1:
            self.known: Query | None = None
            self.standing = Query.term_query(schema, "until", CURRENT)
        else:
            self.known = self._range("since", upper=entry)
            self.standing = every([self.known, self._range("until", lower=entry + 1)])

    @property
    def published(self) -> Query:
        """The versions of records of which one was published in the window."""
        return self._in_window("published")

    def passing(self, kind: str, codes: Sequence[str]) -> Query:
        """Return the versions that have one of some codes."""
        if kind == "overdue":
            return self._overdue if OVERDUE in codes else Query.empty_query()
        if kind == "risk_change" and self.changed is not None:
            return either([self._in_window(code) for code in codes])
        if kind in GROUPED:
            grouped = [code for code, group in self._countries.items() if group in codes]
            return any_of(self.schema, GROUPED[kind], grouped)
        if kind in NAMES:
            return any_of(self.schema, NAMES[kind], [folded_name(code) for code in codes])
        if kind == TERRITORY:
            return any_of(self.schema, kind, [*codes, *countries_of(codes)])
        return any_of(self.schema, kind, codes)

    def unchanged_after(self, entry: int) -> Query:
        """Return the versions that came with an entry or before."""
        return Query.empty_query() if entry < 0 else self._range("since", upper=entry)

    def total(self, query: Query) -> int:
        """Return the number of versions that a query finds."""
        return int(self._aggregate(query, {})["total"]["value"])

    def count(self, query: Query, kinds: Iterable[str]) -> tuple[int, dict[str, list[FacetCount]]]:
        """Return the number of versions that a query finds, and their codes of some kinds.

        The codes are by count, the largest first, without those of count 0.
        """
        wanted: dict[str, Any] = {}
        counted: dict[str, dict[str, int]] = {}
        for kind in kinds:
            if kind == "overdue":
                counted[kind] = {OVERDUE: self.total(every([query, self._overdue]))}
            elif kind == "risk_change" and self.changed is not None:
                counted[kind] = {
                    code: self.total(every([query, self._in_window(code)])) for code in RISK_CHANGES
                }
            else:
                wanted[kind] = GROUPED.get(kind) or NAMES.get(kind, kind)
        found = self._aggregate(query, wanted)
        for kind in wanted:
            codes = _buckets(found[kind])
            if kind in GROUPED:
                codes = self._grouped(codes)
            if kind == TERRITORY:
                codes = self._with_whole_country(query, codes)
            if kind in NAMES and codes:
                spellings = self._spellings(kind)
                codes = {spellings[name]: count for name, count in codes.items()}
            counted[kind] = codes
        return int(found["total"]["value"]), {
            kind: [
                FacetCount(code=code, count=count)
                for code, count in sorted(codes.items(), key=lambda one: (-one[1], one[0]))
                if count
            ]
            for kind, codes in counted.items()
        }

    def _aggregate(self, query: Query, fields: Mapping[str, str]) -> dict[str, Any]:
        asked: dict[str, Any] = {
            name: {"terms": {"field": field, "size": _MOST_CODES, "segment_size": _MOST_CODES}}
            for name, field in fields.items()
        }
        single = next((name for name, field in fields.items() if field in SINGLE), None)
        if single is None:
            asked["total"] = {"value_count": {"field": "ord"}}
        found: dict[str, Any] = self.searcher.aggregate(query, asked)
        if single is not None:
            # Every version has one code of it.
            found["total"] = {"value": sum(_buckets(found[single]).values())}
        return found

    def _grouped(self, codes: Mapping[str, int]) -> dict[str, int]:
        found: Counter[str] = Counter()
        for code, count in codes.items():
            if group := self._countries.get(code):
                found[group] += count
        return found

    def _with_whole_country(self, query: Query, codes: Mapping[str, int]) -> dict[str, int]:
        """Return the counts of regions with those of their countries, each record once."""
        found = dict(codes)
        for country in countries_of(codes):
            if country in codes:
                whole = every([query, any_of(self.schema, TERRITORY, [country])])
                both = _buckets(self._aggregate(whole, {TERRITORY: TERRITORY})[TERRITORY])
                for code in codes:
                    if code.startswith(f"{country}-"):
                        found[code] += codes[country] - both.get(code, 0)
        return found

    def _spellings(self, kind: str) -> dict[str, str]:
        """Return the most frequent spelling of each folded name among what is in force."""
        found: dict[str, str] = {}
        codes = _buckets(self._aggregate(self.standing, {kind: kind})[kind])
        for code, _ in sorted(codes.items(), key=lambda one: (-one[1], one[0])):
            found.setdefault(folded_name(code), code)
        return found

    @property
    def _overdue(self) -> Query:
        if self._today is None:
            raise ValueError("what is overdue depends on the day: give `today`")
        return every(
            [
                self._range("by_review", upper=review_before(self._today) - 1),
                nothing_of(Query.term_query(self.schema, "status", "retired")),
            ]
        )

    def _in_window(self, field: str) -> Query:
        """Return the versions whose field, of entries, has one of the window up to this one."""
        window = self.changed
        if window is None:
            raise ValueError("without a window nothing is in it")
        last = self.entry if window.last is None else min(window.last, self.entry)
        if last <= window.after:
            return Query.empty_query()
        return self._range(field, lower=window.after + 1, upper=last)

    def _range(self, field: str, *, lower: int | None = None, upper: int | None = None) -> Query:
        return Query.range_query(self.schema, field, FieldType.Integer, lower, upper)


def _buckets(counted: Mapping[str, Any]) -> dict[str, int]:
    return {bucket["key"]: bucket["doc_count"] for bucket in counted["buckets"]}
