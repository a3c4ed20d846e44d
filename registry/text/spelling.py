"""Spelling correction: words within a small edit distance that may be meant."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Sequence

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from registry.text.folding import fold
from registry.text.language_words import words_of

_LATIN = string.ascii_lowercase
_ARABIC = re.compile("[؀-ۿ]")

_SHORTEST = 4
_SHORTEST_ARABIC = 5
"""Three and four letters are a root: another letter is another word."""

_SHORT = 5
"""The letters of the longest word that, alone, keeps them all: prime is not prise."""

_LONG_KNOWN = 6
"""The letters from which on a word that occurs may be a misspelt one."""

_LONG = 8
"""The letters of the shortest word with a likely edit at its first letter; longer ones have two."""

PARTICLES = frozenset(map(fold, words_of("negator")))
_NEGATIONS = PARTICLES.union(map(fold, words_of("denial")))
"""Words that turn the meaning of others, folded; particles mean nothing without them."""


def is_particle(word: str) -> bool:
    """Return whether a folded word negates the word after it."""
    return word in PARTICLES


_JOINED = re.compile(
    "(?:[bdf]?l|[dj](?=[aeiouyh])|qu(?=[aeiouy]))(?=...)|[بدفكو]?ل(?=...)|[بدفو](?=....)"
)
"""Particles written without an apostrophe, or as one speaks: lécole, fl'école, فالسبيطار, لمنحة."""


def without_particle(word: str) -> str | None:
    """Return a folded word without what may be a particle before it: an article, a preposition."""
    joined = _JOINED.match(word)
    return None if joined is None else word[joined.end() :]


def other_articles(word: str) -> tuple[str, ...]:
    """Return an Arabic word with the French article, and without; of others nothing."""
    bare = re.sub("^(?:ال|لا)(?=....)", "", word)
    return ("لا" + bare, bare) if _ARABIC.match(word) else ()


def slips(word: str) -> int:
    """Return the number of edits that a word of this length may have; 0 for a number."""
    shortest = _SHORTEST_ARABIC if _ARABIC.search(word) else _SHORTEST
    if word.isdigit() or len(word) < shortest or word in _NEGATIONS:
        return 0
    return 2 if len(word) > _LONG else 1


def may_be_misspelt(word: str) -> bool:
    """Return whether a word that records have may be a misspelt one: long, and not Arabic."""
    return len(word) >= _LONG_KNOWN and not _ARABIC.search(word)


def is_likely(word: str, other: str, *, is_alone: bool) -> bool:
    """Return whether another word of a small edit distance may be meant, and not another thing."""
    if other in _NEGATIONS or other.isdigit() or len(other) < _SHORTEST:
        return False
    if word[0] != other[0] and len(word) < _LONG:
        return False
    if not is_alone or len(word) > _SHORT:
        return True
    # In a short word a letter may be missing, doubled or at its neighbour's place.
    if len(word) > len(other):
        return any(word[at] == word[at - 1] for at in range(1, len(word)))
    return len(word) < len(other) or sorted(word) == sorted(other)


def other_beginnings(word: str) -> Iterator[str]:
    """Yield the words at one edit that have another first letter; none for a short word."""
    if len(word) < _LONG:
        return
    yield word[1:]
    yield word[1] + word[0] + word[2:]
    if not _ARABIC.search(word):
        for letter in _LATIN:
            yield letter + word
            yield letter + word[1:]


def within(word: str, others: Sequence[str], most: int) -> list[tuple[int, int]]:
    """Return (distance, position) of the words within an edit distance of a word.

    Optimal string alignment: a swap of neighbours is one edit, Damerau (1964).
    """
    found = extract(word, others, scorer=OSA.distance, score_cutoff=most, limit=None)
    return [(int(distance), position) for _, distance, position in found]
