"""The words of a query as a query of tantivy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import tantivy
from tantivy import Occur

from registry.search.schema import LABEL, LEXEME, STEMS, WORDS, stem_token, word_token
from registry.text.query_parser import And, Not, Or, Phrase, Prefix, Query, Word
from registry.text.tokens import NEUTRAL, query_stems

Term: TypeAlias = tuple[str, str]
"""A language and a stem."""


_FEW = 12
"""Terms that are asked for one by one; more are asked for as a set."""


class TextQuery:
    """A parsed query over an index, in some languages.

    `terms` are the terms of each word and prefix.
    """

    def __init__(
        self,
        query: Query,
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

    def _of(self, query: Query, tier: int, language: str | None) -> tantivy.Query | None:
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


def leaves(query: Query) -> Iterator[Word | Prefix | Phrase]:
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
