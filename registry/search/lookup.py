"""Looking up the terms of a query: postings of words, expansions of prefixes, phrases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AsyncExitStack

import msgspec

from registry.errors import InvalidParameter
from registry.search.evaluate import Matches, candidates, evaluate, leaves, word_terms
from registry.search.lexicon import LexiconScope, beginning
from registry.search.phrases import CheckedPhrases
from registry.search.postings import Posting, Term, read_postings
from registry.search.view import View
from registry.store.database import Borrow, Connection
from registry.store.search_rows import TEXTS, find_phrase, read_words
from registry.text.query_parser import And, Not, Or, Phrase, Prefix, Query, Word

MOST_CHECKED = 250_000
"""Versions that are read for a phrase, once; each takes about 10 µs."""


class PostingReader:
    """A connection for one query, borrowed when first needed."""

    def __init__(self, borrow: Borrow, stack: AsyncExitStack) -> None:
        """Take the stack on which the connection is returned."""
        self._borrow = borrow
        self._stack = stack
        self._connection: Connection | None = None

    async def connection(self) -> Connection:
        """Return the connection."""
        if self._connection is None:
            self._connection = await self._stack.enter_async_context(self._borrow())
        return self._connection


async def look_up(
    query: Query,
    *,
    reader: PostingReader,
    view: View,
    languages: Sequence[str],
    lang: str | None,
    entry: int,
) -> Matches:
    """Return the postings of everything a query names, as of an entry.

    Raises `InvalidParameter` if more versions may have a phrase than can be read.
    """
    scope = LexiconScope(languages=languages, entry=entry, new=view.postings.new)
    terms: dict[Word | Prefix, Sequence[Term]] = {}
    wanted: list[Term] = []
    phrases: list[Phrase] = []
    for leaf in leaves(query):
        if isinstance(leaf, Word):
            terms[leaf] = word_terms(leaf.word, languages)
            wanted += terms[leaf]
        elif isinstance(leaf, Prefix):
            known = await beginning(await reader.connection(), leaf.start, scope)
            terms[leaf] = sorted(
                {term for word, language in known for term in word_terms(word, [language])}
            )
            wanted += terms[leaf]
        else:
            phrases.append(leaf)
            wanted += [term for word in leaf.words for term in word_terms(word, languages)]
    found = Matches(
        languages=languages,
        terms=terms,
        postings=await read_whole(wanted, reader=reader, view=view),
        phrases={},
        standing=view.standing_as_of(entry),
    )
    if not phrases:
        return found
    checked = {phrase: view.phrases.known(phrase, lang) for phrase in phrases}
    await _check(query, found, checked, reader, lang)
    return msgspec.structs.replace(
        found, phrases={phrase: known.tiers for phrase, known in checked.items()}
    )


async def read_whole(
    terms: Iterable[Term], *, reader: PostingReader, view: View
) -> dict[Term, Posting]:
    """Return complete postings, from the cache as far as possible."""
    wanted = dict.fromkeys(terms)
    while True:
        folded = view.folded
        postings = view.postings.kept(wanted)
        lacking = [term for term in wanted if term not in postings]
        if not lacking:
            break
        read = await read_postings(await reader.connection(), lacking)
        # After a merge by another process, what was read may lack what is no longer new here.
        if view.folded == folded:
            view.postings.keep(read)
            postings |= read
            break
    return view.postings.whole(postings)


async def _check(
    query: Query,
    found: Matches,
    checked: dict[Phrase, CheckedPhrases],
    reader: PostingReader,
    lang: str | None,
) -> None:
    """Find the phrases of a query in the versions that may have them, and cache the result."""
    possible = {phrase: (candidates(phrase, found),) * TEXTS for phrase in checked}
    widest = _at_widest(query)
    within = found.standing
    if widest is not None:
        assumed = msgspec.structs.replace(found, phrases=possible)
        within = within & evaluate(widest, assumed, TEXTS - 1)
    for phrase, known in checked.items():
        todo = (possible[phrase][0] & within) - known.versions
        if len(todo) > MOST_CHECKED:
            raise InvalidParameter(
                f"q: the words of the phrase stand in {len(todo)} records, too many to look for "
                "them in a row; add another word, or leave the quotation marks out"
            )
        if not todo:
            continue
        connection = await reader.connection()
        places = {
            ordinal: tier
            async for ordinal, tier in find_phrase(connection, phrase.words, todo.to_array())
        }
        if lang is not None:
            places = await _in_languages(phrase, places, set(found.languages), connection)
        for ordinal, tier in places.items():
            for having in known.tiers[tier:]:
                having.add(ordinal)
        known.versions |= todo


async def _in_languages(
    phrase: Phrase, places: Mapping[int, int], languages: AbstractSet[str], connection: Connection
) -> dict[int, int]:
    """Return the places of a phrase that are in some languages."""
    pattern = f" {' '.join(phrase.words)} "
    kept: dict[int, int] = {}
    async for ordinal, words in read_words(connection, list(places)):
        tiers = [
            tier
            for language in languages & words.keys()
            for tier, text in enumerate(words[language])
            if pattern in text
        ]
        if tiers:
            kept[ordinal] = min(tiers)
    return kept


def _at_widest(query: Query) -> Query | None:
    """Return a query without the negated parts of phrases; None if nothing is left."""
    if isinstance(query, Not):
        return None if any(isinstance(leaf, Phrase) for leaf in leaves(query.of)) else query
    if isinstance(query, And):
        rest = tuple(one for of in query.of if (one := _at_widest(of)) is not None)
        return And(rest) if rest else None
    if isinstance(query, Or):
        every = tuple(_at_widest(of) for of in query.of)
        some = tuple(one for one in every if one is not None)
        return Or(some) if len(some) == len(every) else None
    return query
