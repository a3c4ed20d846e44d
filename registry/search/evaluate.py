"""Evaluation of a query over the postings of its terms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from pyroaring import BitMap

from registry.search.facets import union
from registry.search.postings import ANYWHERE, Posting, Term
from registry.text.query_parser import Not, Or, Phrase, Prefix, Query, Word
from registry.text.tokens import NEUTRAL, query_stems, stems


class Matches(msgspec.Struct, frozen=True, kw_only=True):
    """The postings of a query.

    `terms` are the terms of a word or prefix in each language, `postings` by term, `phrases` the
    versions by phrase and tier, `standing` all versions in force.
    """

    languages: Sequence[str]
    terms: Mapping[Word | Prefix, Sequence[Term]]
    postings: Mapping[Term, Posting]
    phrases: Mapping[Phrase, tuple[BitMap, BitMap, BitMap]]
    standing: BitMap


def evaluate(query: Query, found: Matches, tier: int, language: str | None = None) -> BitMap:
    """Return the versions that a query finds within a tier; negated parts count in any tier.

    With a language only the words of that one count. The result may hold versions that are not in
    force.
    """
    if isinstance(query, Word | Prefix):
        return union(
            [
                found.postings[term].tiers[tier]
                for term in found.terms[query]
                if language is None or term[0] == language
            ]
        )
    if isinstance(query, Phrase):
        return found.phrases[query][tier]
    if isinstance(query, Not):
        return found.standing - evaluate(query.of, found, ANYWHERE)
    parts = (evaluate(one, found, tier, language) for one in query.of)
    return union(list(parts)) if isinstance(query, Or) else _shared(parts)


def candidates(phrase: Phrase, found: Matches) -> BitMap:
    """Return the versions that have all words of a phrase, in one language."""
    return union(
        [
            _shared(
                found.postings[language, stem].tiers[ANYWHERE]
                for stem in {stems(language)[word] for word in phrase.words}
            )
            for language in found.languages
        ]
    )


def word_terms(word: str, languages: Iterable[str]) -> list[Term]:
    """Return the terms of a word in languages."""
    return [(language, stem) for language in languages for stem in query_stems(word, language)]


def searched_languages(lang: str | None, known: Iterable[str]) -> list[str]:
    """Return the languages to search: all, or one and the neutral one."""
    return sorted(known) if lang is None else [NEUTRAL, lang]


def leaves(query: Query) -> Iterator[Word | Prefix | Phrase]:
    """Yield the words, prefixes and phrases of a query."""
    if isinstance(query, Word | Prefix | Phrase):
        yield query
    elif isinstance(query, Not):
        yield from leaves(query.of)
    else:
        for one in query.of:
            yield from leaves(one)


def _shared(parts: Iterable[BitMap]) -> BitMap:
    shared: BitMap | None = None
    for part in parts:
        shared = part if shared is None else shared & part
        if not shared:
            break
    return BitMap() if shared is None else shared
