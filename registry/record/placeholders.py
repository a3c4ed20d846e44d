"""Whether a text says something: what is left of it without the words that say nothing.

Those are stop words, placeholders of `words.csv` in the folders of languages, and sentences that
only deny what is asked for. They are compared folded, all languages at once, since a placeholder is
often in another language than its field.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from functools import cache, lru_cache
from itertools import pairwise, product
from typing import TypeAlias

import msgspec

from registry.text.language_words import words_by_language, words_of
from registry.text.tokens import common, words

FEWEST_WORDS = 4
"""The different words, at least, of a text that says something."""

FEWEST_LETTERS = 20
"""The letters, at least, that these words have together."""

_MOSTLY_THE_SAME = 0.75
_SENTENCE_END = re.compile(r"[.!?؟;؛:\n]+")

_Phrases: TypeAlias = dict[tuple[str, str], list[list[str]]]
"""Phrases as folded words, by the first two: most words of a text begin none."""


def says_something(said: Collection[str], *, letters: int = FEWEST_LETTERS) -> bool:
    """Return whether the content words of a text are enough, and have so many letters together."""
    return len(said) >= FEWEST_WORDS and sum(map(len, said)) >= letters


def is_repetition(said: AbstractSet[str], other: AbstractSet[str]) -> bool:
    """Return whether two texts have three quarters of their content words in common."""
    longer = max(len(said), len(other))
    return longer > 0 and len(said & other) >= _MOSTLY_THE_SAME * longer


def content_words(text: str, of_form: Collection[str] = ()) -> frozenset[str]:
    """Return the different words of a text, folded, that say something beside those of a form."""
    known = _data()
    found: set[str] = set()
    for sentence in _SENTENCE_END.split(text):
        read = words(sentence)
        idle = [word in of_form or word in known.words or not _is_word(word) for word in read]
        for start, end in _places(read, known.phrases):
            idle[start:end] = [True] * (end - start)
        # A denial begins at the first word that says something, or before it.
        first = idle.index(False) if False in idle else len(idle)
        denied = [end for start, end in _places(read, known.denials) if start <= first]
        if not any(known.exceptions.isdisjoint(read[end:]) for end in denied):
            found.update(word for word, is_idle in zip(read, idle, strict=True) if not is_idle)
    return frozenset(found)


@lru_cache(maxsize=20_000)
def _is_word(word: str) -> bool:
    """Return whether a word has two different letters, and each thrice on average at most."""
    letters = [letter for letter in word if letter.isalpha()]
    different = len(set(letters))
    return different > 1 and len(letters) <= 3 * different


def _places(read: list[str], phrases: _Phrases) -> Iterator[tuple[int, int]]:
    """Yield where a phrase stands, as (start, end)."""
    for start, pair in enumerate(pairwise(read)):
        for phrase in phrases.get(pair, ()):
            end = start + len(phrase)
            if read[start:end] == phrase:
                yield start, end


class _Data(msgspec.Struct, frozen=True):
    """The words and phrases of all languages, folded."""

    words: frozenset[str]
    phrases: _Phrases
    denials: _Phrases
    exceptions: frozenset[str]


@cache
def _data() -> _Data:
    phrases = [words(text) for text in words_of("placeholder")]
    denials = [
        words(" ".join(pair))
        for kinds in words_by_language().values()
        for pair in product(kinds.get("negation", ()), kinds.get("subject", ()))
    ]
    exceptions = [words(text) for text in words_of("exception")]
    return _Data(
        words=common().union(*(phrase for phrase in phrases if len(phrase) == 1)),
        phrases=_by_first_words(phrases),
        denials=_by_first_words(denials),
        exceptions=frozenset().union(*exceptions),
    )


def _by_first_words(phrases: Iterable[list[str]]) -> _Phrases:
    found: _Phrases = {}
    for phrase in phrases:
        if len(phrase) > 1:
            found.setdefault((phrase[0], phrase[1]), []).append(phrase)
    return found
