"""What was asked for, marked in the texts that have it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from sys import getsizeof
from typing import TypeAlias

import msgspec

from registry.text.analysis import (
    language_of,
    run_places,
    runs,
    sign,
    signs_of_runs,
    stems,
    word_places,
)

LONGEST = 240
"""Characters of a passage, about."""

_BEFORE = 80
_CUT = "…"

_TEXT_BYTES = 150
"""What a text takes in memory beside itself."""

_MOST_KNOWN = 60
"""Of so many stems in texts it is kept where they stand."""

_KNOWN_BYTES = 8_000
"""What these take in memory, about."""


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A text or a piece of one; `marks` are [from, to) in it, in Unicode code points."""

    text: str
    marks: list[Place]


Place: TypeAlias = tuple[int, int]
"""A place in a text, [start, end)."""

Mark: TypeAlias = tuple[int, int, int]
"""A place in a text, and which of the things sought stands there."""

Text: TypeAlias = tuple[str, str, str]
"""A text of a document: pointer, BCP 47 tag, what it says."""


class Texts:
    """Some texts, and which of them have which stem, which is known without a look at the texts.

    Where a stem stands is looked for only in what is shown of it.
    """

    __slots__ = ("_having", "_places", "of")

    def __init__(self, texts: Sequence[Text]) -> None:
        """Read the texts, once."""
        self.of = texts
        # The numbers of texts are bits: most stems are in one of few.
        having: dict[int, int] = {}
        for number, (_, tag, text) in enumerate(texts):
            bit = _bit_of(number)
            known = signs_of_runs(language_of(tag))
            for signed in set(chain.from_iterable(map(known.__getitem__, runs(text)))):
                others = having.get(signed)
                having[signed] = bit if others is None else others | bit
        self._having = having
        self._places: dict[tuple[int, int], list[Place]] = {}

    def having(self, wanted: Mapping[int, int]) -> list[tuple[int, int]]:
        """Say which of these stems are there, and in which texts: the numbers are the bits set."""
        having = self._having
        return [(signed, having[signed]) for signed in having.keys() & wanted.keys()]

    def places(self, number: int, signed: int) -> list[Place]:
        """Give the places in a text of the words that have a stem, in order."""
        places = self._places.get((number, signed))
        if places is None:
            _, tag, text = self.of[number]
            signs = signs_of_runs(language_of(tag))
            places = [(start, end) for start, end, run in run_places(text) if signed in signs[run]]
            if len(self._places) >= _MOST_KNOWN:
                self._places.clear()
            self._places[number, signed] = places
        return places

    @property
    def weight(self) -> int:
        """Say how many bytes they take, about."""
        texts = sum(getsizeof(text) + _TEXT_BYTES for _, _, text in self.of)
        return texts + getsizeof(self._having) + _TEXT_BYTES + _KNOWN_BYTES


class Sought:
    """What is to be marked: words by their stems, and words in a row, each with a number."""

    def __init__(
        self,
        stems_by_language: Mapping[str, Mapping[str, int]],
        phrases: Mapping[tuple[str, ...], int],
    ) -> None:
        """Take numbers by language and stem, and by phrase; a phrase may be in any of these."""
        self._words = {
            sign(stem, language): number
            for language, numbers in stems_by_language.items()
            for stem, number in numbers.items()
        }
        self._phrases = phrases
        # Words in a row may be wherever the first of them is.
        self._firsts = {
            sign(stems(language)[phrase[0]], language): number
            for phrase, number in phrases.items()
            for language in stems_by_language
        }
        self.numbers = {*self._words.values(), *phrases.values()}

    def marks(self, texts: Texts, *, around: int | None = None) -> Iterator[tuple[int, list[Mark]]]:
        """Walk the texts that have something of it as (number, its places there in order).

        Of single words there are only those that are so many characters `around` the first, or all.
        """
        present = texts.having(self._words)
        # Of two words that are written as one the later counts, in any process.
        present.sort(key=lambda one: self._words[one[0]])
        in_a_row = left = 0
        if self._firsts:
            for _, having in texts.having(self._firsts):
                in_a_row |= having
            left = in_a_row
        for _, having in present:
            left |= having
        while left:
            bit = left & -left
            left -= bit
            number = bit.bit_length() - 1
            known: dict[Place, int] = {}
            for signed, having in present:
                if having & bit:
                    known |= dict.fromkeys(texts.places(number, signed), self._words[signed])
            places = sorted(known) if len(known) > 1 else list(known)
            if known and around is not None and places[-1][0] > (last := places[0][0] + around):
                places = [place for place in places if place[0] <= last]
            marks = [(*place, known[place]) for place in places]
            if in_a_row & bit:
                marks += self._phrase_marks(texts.of[number][-1])
                marks.sort()
            if marks:
                yield number, marks

    def _phrase_marks(self, text: str) -> list[Mark]:
        places = [(word, at, end) for at, end, words in word_places(text) for word in words]
        row = [word for word, _, _ in places]
        return [
            (places[start][1], places[start + len(phrase) - 1][2], number)
            for phrase, number in self._phrases.items()
            for start in range(len(row) - len(phrase) + 1)
            if row[start : start + len(phrase)] == list(phrase)
        ]


def passage(text: str, marks: Sequence[Mark]) -> Passage:
    """Cut a text down to a piece around its first mark; the cuts are between words."""
    first, after, _ = marks[0]
    start, end = 0, len(text)
    if end > LONGEST:
        start = max(0, first - _BEFORE)
        if start:
            space = text.find(" ", start, first)
            start = first if space < 0 else space + 1
        end = min(end, start + LONGEST)
    if end < len(text):
        space = text.rfind(" ", after, end)
        end = max(end, after) if space < 0 else space
    head = _CUT if start else ""
    moved = len(head) - start
    return Passage(
        text=head + text[start:end] + (_CUT if end < len(text) else ""),
        marks=[(at + moved, to + moved) for at, to, _ in marks if to <= end],
    )


@cache
def _bit_of(number: int) -> int:
    """Give the bit of a text's number, which all who have it share."""
    return 1 << number
