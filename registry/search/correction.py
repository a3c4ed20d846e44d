"""Spelling correction of queries that find nothing."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

import msgspec
from pyroaring import BitMap

from registry.search.evaluate import Matches, evaluate, leaves, word_terms
from registry.search.facets import union
from registry.search.lexicon import LexiconScope, SimilarWord, similar_words
from registry.search.lookup import PostingReader, read_whole
from registry.search.postings import ANYWHERE
from registry.search.view import View
from registry.text.query_parser import (
    Query,
    Synonyms,
    Word,
    replace_query_words,
    replace_words,
    required_words,
)
from registry.text.tokens import words

_MOST_WORDS = 12
_SHORT = 3


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """A corrected query: its text, its parsed form, and what its words match."""

    text: str
    query: Query
    found: Matches


async def correct(
    text: str,
    query: Query,
    found: Matches,
    *,
    reader: PostingReader,
    view: View,
    entry: int,
    synonyms: Synonyms,
) -> Correction | None:
    """Return a correction of a query with which it finds something, or None.

    A word that no version has is replaced; if each word occurs but not together, one of them is. An
    acronym of the country pack is never replaced.
    """
    typed = {word for word in words(text) if word not in synonyms}
    own = [word for word in dict.fromkeys(required_words(query)) if word in typed]
    unknown = [word for word in own if not _having(Word(word), found)]
    scope = LexiconScope(languages=found.languages, entry=entry, new=view.postings.new)
    options: dict[str, list[SimilarWord]] = {}
    for word in (unknown or own)[:_MOST_WORDS]:
        if len(word) > _SHORT or len(own) > 1:
            options[word] = await similar_words(await reader.connection(), word, scope)
    meant = {one.word for one in chain.from_iterable(options.values())}
    terms = {Word(word): word_terms(word, found.languages) for word in sorted(meant)}
    postings = await read_whole(chain.from_iterable(terms.values()), reader=reader, view=view)
    known = msgspec.structs.replace(
        found, terms={**found.terms, **terms}, postings={**found.postings, **postings}
    )
    for word, ones in options.items():
        counted = [(one, len(_having(Word(one.word), known))) for one in ones]
        options[word] = [
            one
            for one, count in sorted(counted, key=lambda pair: (pair[0].distance, -pair[1]))
            if count
        ]
    best = _best(query, known, options, unknown)
    if best is None:
        return None
    replaced = replace_query_words(query, best)
    return Correction(
        text=replace_words(text, best), query=replaced, found=_naming(replaced, known)
    )


def _best(
    query: Query, found: Matches, options: Mapping[str, list[SimilarWord]], unknown: list[str]
) -> dict[str, str] | None:
    """Return the best replacements: the fewest edits first, then the most results."""
    if any(not options.get(word) for word in unknown):
        return None
    likeliest = {word: options[word][0].word for word in unknown}
    tries: list[tuple[int, int, int, dict[str, str]]] = []
    for word in unknown or options:
        for number, one in enumerate(options.get(word, ())):
            chosen = {**likeliest, word: one.word}
            count = _finds(replace_query_words(query, chosen), found)
            if count:
                tries.append((one.distance, -count, number, chosen))
    return min(tries, key=lambda one: one[:3])[3] if tries else None


def _finds(query: Query, found: Matches) -> int:
    return len(evaluate(query, _naming(query, found), ANYWHERE) & found.standing)


def _naming(query: Query, found: Matches) -> Matches:
    """Return matches to which the terms of the words of a query are added."""
    terms = dict(found.terms)
    for leaf in leaves(query):
        if isinstance(leaf, Word) and leaf not in terms:
            terms[leaf] = word_terms(leaf.word, found.languages)
    return msgspec.structs.replace(found, terms=terms)


def _having(word: Word, found: Matches) -> BitMap:
    return union(
        [
            found.postings[term].tiers[ANYWHERE] & found.standing
            for term in word_terms(word.word, found.languages)
        ]
    )
