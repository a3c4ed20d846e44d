"""Looking up what a question names: its words' postings, how its prefixes go on, its phrases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AsyncExitStack

import msgspec

from registry.errors import InvalidParameter
from registry.store.database import Borrow, Connection
from registry.store.index.evaluate import Found, candidates, evaluate, leaves, word_terms
from registry.store.index.lexicon import Scope, beginning
from registry.store.index.phrases import Checked
from registry.store.index.postings import Posting, Term, read_postings
from registry.store.index.rows import TEXTS, find_phrase, read_words
from registry.store.index.view import View
from registry.text.asking import Asked, Every, Phrase, Prefix, Some, Without, Word

MOST_CHECKED = 250_000
"""Versions that are looked through for a phrase, once; it takes about 10 µs each."""


class Reader:
    """One connection for one question, borrowed when first needed."""

    def __init__(self, borrow: Borrow, stack: AsyncExitStack) -> None:
        """Take the stack that gives it back."""
        self._borrow = borrow
        self._stack = stack
        self._connection: Connection | None = None

    async def connection(self) -> Connection:
        """Give the connection."""
        if self._connection is None:
            self._connection = await self._stack.enter_async_context(self._borrow())
        return self._connection


async def look_up(
    asked: Asked,
    *,
    reader: Reader,
    view: View,
    languages: Sequence[str],
    lang: str | None,
    entry: int,
) -> Found:
    """Look up all that a question names, in what stood as of an entry.

    Raises `InvalidParameter` when a phrase stands in more versions than can be read.
    """
    scope = Scope(languages=languages, entry=entry, new=view.postings.new)
    terms: dict[Word | Prefix, Sequence[Term]] = {}
    wanted: list[Term] = []
    phrases: list[Phrase] = []
    for leaf in leaves(asked):
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
    found = Found(
        languages=languages,
        terms=terms,
        postings=await read_whole(wanted, reader=reader, view=view),
        phrases={},
        standing=view.standing_as_of(entry),
    )
    if not phrases:
        return found
    checked = {phrase: view.phrases.known(phrase, lang) for phrase in phrases}
    await _check(asked, found, checked, reader, lang)
    return msgspec.structs.replace(
        found, phrases={phrase: known.tiers for phrase, known in checked.items()}
    )


async def read_whole(terms: Iterable[Term], *, reader: Reader, view: View) -> dict[Term, Posting]:
    """Give whole postings, from memory as far as they are there."""
    wanted = dict.fromkeys(terms)
    while True:
        folded = view.folded
        postings = view.postings.kept(wanted)
        lacking = [term for term in wanted if term not in postings]
        if not lacking:
            break
        read = await read_postings(await reader.connection(), lacking)
        # If others folded meanwhile, what was read may lack what is no longer new.
        if view.folded == folded:
            view.postings.keep(read)
            postings |= read
            break
    return view.postings.whole(postings)


async def _check(
    asked: Asked, found: Found, checked: dict[Phrase, Checked], reader: Reader, lang: str | None
) -> None:
    """Find the phrases of a question in the versions that may have them, and remember it."""
    possible = {phrase: (candidates(phrase, found),) * TEXTS for phrase in checked}
    widest = _at_widest(asked)
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
    """Keep of the places of a phrase those that are in some languages."""
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


def _at_widest(asked: Asked) -> Asked | None:
    """Leave out of a question what a phrase is not to be in; None where nothing is left."""
    if isinstance(asked, Without):
        return None if any(isinstance(leaf, Phrase) for leaf in leaves(asked.of)) else asked
    if isinstance(asked, Every):
        rest = tuple(one for of in asked.of if (one := _at_widest(of)) is not None)
        return Every(rest) if rest else None
    if isinstance(asked, Some):
        every = tuple(_at_widest(of) for of in asked.of)
        some = tuple(one for one in every if one is not None)
        return Some(some) if len(some) == len(every) else None
    return asked
