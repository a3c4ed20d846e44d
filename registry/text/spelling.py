"""Spelling correction: words within a small edit distance that may be meant."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from functools import lru_cache

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

PARTICLES = frozenset(
    {
        *("عدم", "غير", "بدون", "دون", "ليس", "بلا", "ماشي"),
        *("non", "sans", "pas", "jamais", "aucun", "aucune"),
        *("no", "not", "without", "never", "none"),
    }
)
_NEGATIONS = PARTICLES | {"منع", "رفض", "refus", "refuse", "denied", "war"}
"""Words that turn the meaning of others, folded; particles mean nothing without them."""


def is_particle(word: str) -> bool:
    """Return whether a folded word negates the word after it."""
    return word in PARTICLES


_JOINED = re.compile(
    "(?:[bdf]?l|[dj](?=[aeiouyh])|qu(?=[aeiouy]))(?=...)|[بدفكو]?ل(?=...)|[بدفو](?=....)"
)
"""Particles written without an apostrophe, or as one speaks: lécole, fl'école, فالسبيطار, لمنحة."""

_MOST_SILENT = 4
"""Letters by which two ways to write a word may differ in length."""

_SOUNDS = [
    (re.compile(written), sound)
    for written, sound in (
        ("qu?|c(?![eiyh])", "k"),
        ("ph", "f"),
        ("e?au", "o"),
        ("[ae]i", "e"),
        ("y", "i"),
        ("n(?=[bp])", "m"),
        (r"(.)\1", r"\1"),
    )
]


_AS_WRITTEN = frozenset("bdgjlrstvwxz")
"""Letters that a word has if and only if its sound has them."""


def without_particle(word: str) -> str | None:
    """Return a folded word without what may be a particle before it: an article, a preposition."""
    joined = _JOINED.match(word)
    return None if joined is None else word[joined.end() :]


def other_articles(word: str) -> tuple[str, ...]:
    """Return an Arabic word with the French article, and without; of others nothing."""
    bare = re.sub("^(?:ال|لا)(?=....)", "", word)
    return ("لا" + bare, bare) if _ARABIC.match(word) else ()


def sounds_alike(word: str, other: str) -> bool:
    """Return whether another word, no negation, is written with the same sounds in French."""
    return (
        word != other
        and other not in _NEGATIONS
        and min(len(word), len(other)) >= _SHORTEST
        and abs(len(word) - len(other)) <= _MOST_SILENT
        # Most words of a vocabulary fail here, which is ten times as fast.
        and _AS_WRITTEN.intersection(word) == _AS_WRITTEN.intersection(other)
        and _sound(word) == _sound(other)
    )


def first_letters(word: str) -> str:
    """Return the letters with which the first sound of a folded word is written in French."""
    return {"k": "cqk", "f": "pf"}.get(_sound(word)[0], word[0])


@lru_cache(maxsize=50_000)
def _sound(word: str) -> str:
    """Return a word with one letter for each way to write a sound."""
    for written, spoken in _SOUNDS:
        word = written.sub(spoken, word)
    return word


def slips(word: str, *, is_alone: bool) -> int:
    """Return the number of edits that a word of this length may have; 0 for a number.

    A word that is alone in its question must be a little longer to be told from others.
    """
    shortest = _SHORTEST_ARABIC if is_alone and _ARABIC.search(word) else _SHORTEST
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


def distance(one: str, other: str, most: int) -> int:
    """Return the edit distance of two words, at most `most` + 1.

    Optimal string alignment: a swap of neighbours is one edit, Damerau (1964).
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        before, above, row = row, before, [i]
        for j, against in enumerate(other, start=1):
            cost = min(row[-1] + 1, before[j] + 1, before[j - 1] + (letter != against))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)
