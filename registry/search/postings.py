"""Postings: the versions with each term. The stored part is cached, the new part in memory."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, takewhile
from typing import TypeAlias

import msgspec
from pyroaring import BitMap

from registry.record.search_document import TokensByLanguage
from registry.search.facets import packed
from registry.store.database import Connection
from registry.store.search_rows import TEXTS
from registry.store.sql import statement
from registry.text.tokens import article_variants, stems

Term: TypeAlias = tuple[str, str]
"""A language and a stem."""

NAME, SUMMARY, ANYWHERE = range(TEXTS)
"""The tiers of a posting: in the name, in name or summary, in any text."""

_NOTHING = BitMap()


_ENTRY_BYTES = 400
"""Memory of a cache entry beside its bitmaps."""


class Posting(msgspec.Struct, frozen=True):
    """The versions that have a term, by tier; each tier includes the ones before it."""

    tiers: tuple[BitMap, BitMap, BitMap]
    size: int


_ABSENT = Posting((_NOTHING, _NOTHING, _NOTHING), _ENTRY_BYTES)


class _Tier(dict[str, "array[int]"]):
    """The ordinals of the versions with a word, by word.

    A version can be there more than once. `stems` has the same ordinals by stem.
    """

    def __init__(self, language: _Language) -> None:
        super().__init__()
        self._language = language
        self.stems: dict[str, array[int]] = {}

    def __missing__(self, word: str) -> array[int]:
        stem = self._language.meet(word)
        self[word] = ordinals = self.stems.setdefault(stem, array("I"))
        return ordinals


class _Language:
    """The new words of a language: its tiers, and the first version with a form, by form."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._stems = stems(language)
        self.tiers = tuple(_Tier(self) for _ in range(TEXTS))
        self.first: dict[str, int] = {}
        self.ordinal = 0

    def meet(self, word: str) -> str:
        """Add a word that is new to a tier; return its stem."""
        for form in article_variants(word, self._language):
            self.first.setdefault(form, self.ordinal)
        return self._stems[word]


class NewTerms:
    """Versions by term and tier that are not in the stored postings yet."""

    def __init__(self) -> None:
        """Begin empty."""
        self._languages: dict[str, _Language] = {}
        # Sorted on first use, by word and by reversed word.
        self._forward: list[tuple[str, str, int]] | None = None
        self._backward: list[tuple[str, str, int]] | None = None

    def add(self, ordinal: int, words: TokensByLanguage) -> None:
        """Add a version's words; ordinals come in order."""
        self._forward = self._backward = None
        for language, texts in words.items():
            known = self._languages.get(language)
            if known is None:
                known = self._languages[language] = _Language(language)
            known.ordinal = ordinal
            for tier, text in zip(known.tiers, texts, strict=True):
                # Nearly every word is known from another version: then this is one lookup.
                for word in set(text.split()):
                    tier[word].append(ordinal)

    def get(self, term: Term) -> tuple[BitMap, BitMap, BitMap] | None:
        """Return the versions that have a term, by tier; each tier includes the ones before it."""
        known = self._languages.get(term[0])
        if known is None:
            return None
        name, summary, rest = (tier.stems.get(term[1]) for tier in known.tiers)
        if name is summary is rest is None:
            return None
        in_name = BitMap(name) if name else _NOTHING
        in_summary = in_name | BitMap(summary) if summary else in_name
        return in_name, in_summary, in_summary | BitMap(rest) if rest else in_summary

    def terms(self) -> Iterator[Term]:
        """Yield the terms."""
        for language, known in self._languages.items():
            for stem in dict.fromkeys(chain.from_iterable(tier.stems for tier in known.tiers)):
                yield language, stem

    def words(self) -> Iterator[tuple[str, str, int]]:
        """Yield the words as (word, language, first ordinal)."""
        for language, known in self._languages.items():
            for word, first in known.first.items():
                yield word, language, first

    def first(self, word: str) -> Iterator[tuple[str, str, int]]:
        """Yield the languages that have a word, as `words` does."""
        for language, known in self._languages.items():
            if word in known.first:
                yield word, language, known.first[word]

    def beginning(self, start: str) -> list[tuple[str, str, int]]:
        """Return the words with a prefix, as `words` does."""
        if self._forward is None:
            self._forward = sorted(self.words())
        return _from(self._forward, start)

    def ending(self, end: str) -> list[tuple[str, str, int]]:
        """Return the words with a suffix, as `words` does."""
        if self._backward is None:
            self._backward = sorted((word[::-1], tag, first) for word, tag, first in self.words())
        return [(word[::-1], tag, first) for word, tag, first in _from(self._backward, end[::-1])]


def _from(known: list[tuple[str, str, int]], start: str) -> list[tuple[str, str, int]]:
    first = bisect_left(known, (start,))
    return list(takewhile(lambda one: one[0].startswith(start), known[first:]))


class Postings:
    """The postings known to a process."""

    def __init__(self, room: int) -> None:
        """Begin empty; `room` is the limit in bytes."""
        self.new = NewTerms()
        self._kept: OrderedDict[Term, Posting] = OrderedDict()
        self._room = room
        self._used = 0

    def kept(self, terms: Iterable[Term]) -> dict[Term, Posting]:
        """Return the cached stored part of terms."""
        found: dict[Term, Posting] = {}
        for term in terms:
            posting = self._kept.get(term)
            if posting is not None:
                self._kept.move_to_end(term)
                found[term] = posting
        return found

    def keep(self, postings: Mapping[Term, Posting]) -> None:
        """Cache postings, in the place of the least recently used ones."""
        for term, posting in postings.items():
            if term not in self._kept:
                self._used += posting.size
            self._kept[term] = posting
        while self._used > self._room and self._kept:
            _, gone = self._kept.popitem(last=False)
            self._used -= gone.size

    def whole(self, folded: Mapping[Term, Posting]) -> dict[Term, Posting]:
        """Return stored postings with the new versions added."""
        return {term: self._with_new(term, posting) for term, posting in folded.items()}

    def fold(self, still_new: NewTerms) -> None:
        """Add the new versions to the cached part, since the stored one has them by now."""
        for term, posting in self._kept.items():
            self._kept[term] = self._with_new(term, posting)
        self.new = still_new

    def _with_new(self, term: Term, posting: Posting) -> Posting:
        new = self.new.get(term)
        if new is None:
            return posting
        name, summary, anywhere = (
            folded | more for folded, more in zip(posting.tiers, new, strict=True)
        )
        return Posting((name, summary, anywhere), posting.size)


async def read_postings(connection: Connection, terms: Sequence[Term]) -> dict[Term, Posting]:
    """Return the stored part of postings; a term without versions has an empty one."""
    rows = await connection.fetch(
        statement("index", "postings"), [lang for lang, _ in terms], [stem for _, stem in terms]
    )
    found = dict.fromkeys(terms, _ABSENT)
    for row in rows:
        tiers = (row["name"], row["summary"], row["anywhere"])
        name, summary, anywhere = (
            _NOTHING if bits is None else BitMap.deserialize(bits) for bits in tiers
        )
        size = _ENTRY_BYTES + sum(len(bits) for bits in tiers if bits is not None)
        found[row["lang"], row["term"]] = Posting((name, summary, anywhere), size)
    return found


async def save_postings(connection: Connection, new: NewTerms) -> None:
    """Add new versions to the stored postings; the caller holds the lock of the index's state."""
    terms = new.terms()
    while block := list(islice(terms, _BLOCK)):
        stored = await read_postings(connection, block)
        columns: list[list[bytes | None]] = [[], [], []]
        for term in block:
            added = new.get(term) or stored[term].tiers
            for column, kept, more in zip(columns, stored[term].tiers, added, strict=True):
                ordinals = kept | more
                column.append(packed(ordinals) if ordinals else None)
        await connection.execute(
            statement("index", "save_postings"),
            [lang for lang, _ in block],
            [stem for _, stem in block],
            *columns,
        )
    words = new.words()
    while part := list(islice(words, _BLOCK)):
        await connection.execute(
            statement("index", "save_lexemes"),
            [word for word, _, _ in part],
            [language for _, language, _ in part],
            [first for _, _, first in part],
        )


_BLOCK = 5000
