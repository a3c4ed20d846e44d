"""What was asked for, marked in the texts that have it."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from sys import getsizeof
from typing import TypeAlias

import msgspec

from registry.text.analysis import (
    language_of,
    run_places,
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

# A place is the number of a text, a start and an end, in one number of 64 bits.
_NUMBER, _START, _PLACE = 48, 24, 2**24 - 1
_IN_A_ROW = -1
_BITS = 1023


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A text or a piece of one; `marks` are [from, to) in it, in Unicode code points."""

    text: str
    marks: list[tuple[int, int]]


class Mark(msgspec.Struct, frozen=True):
    """A place in a text, [start, end), and which of the things sought stands there."""

    start: int
    end: int
    what: int


Text: TypeAlias = tuple[str, str, str]
"""A text of a document: pointer, BCP 47 tag, what it says."""


class Texts:
    """Some texts, with the places of each stem, which are found without a look at the texts."""

    __slots__ = ("_places", "_signs", "bits", "languages", "of")

    def __init__(self, texts: Sequence[Text]) -> None:
        """Read the texts, once; `bits` has those of all signs."""
        self.of = texts
        self.languages = {language_of(tag) for _, tag, _ in texts}
        found = sorted(
            (sign, number << _NUMBER | at << _START | end)
            for number, (_, tag, text) in enumerate(texts)
            for signs in (signs_of_runs(language_of(tag)),)
            for at, end, run in run_places(text)
            for sign in signs[run]
        )
        self._signs = array("q", [sign for sign, _ in found])
        self._places = array("Q", [place for _, place in found])
        self.bits = 0
        for one in set(self._signs):
            self.bits |= _bit_of(one)

    def places(self, sign: int) -> Sequence[int]:
        """Give the places of a stem, in order."""
        signs = self._signs
        first = bisect_left(signs, sign)
        if first == len(signs) or signs[first] != sign:
            return ()
        return self._places[first : bisect_right(signs, sign, first)]

    @property
    def weight(self) -> int:
        """Say how many bytes they take."""
        words = getsizeof(self._signs) + getsizeof(self._places)
        return words + _TEXT_BYTES + sum(getsizeof(text) + _TEXT_BYTES for _, _, text in self.of)


class Sought:
    """What is to be marked: words by their stems, and words in a row, each with a number."""

    def __init__(
        self,
        stems_by_language: Mapping[str, Mapping[str, int]],
        phrases: Mapping[tuple[str, ...], int],
    ) -> None:
        """Take numbers by language and stem, and by phrase; a phrase may be in any of these."""
        self._words = {
            language: [
                (signed, _bit_of(signed), number)
                for stem, number in numbers.items()
                for signed in (sign(stem, language),)
            ]
            for language, numbers in stems_by_language.items()
        }
        self._phrases = phrases
        self._firsts = {
            language: {sign(stems(language)[phrase[0]], language) for phrase in phrases}
            for language in stems_by_language
        }
        self.numbers = {
            *(number for numbers in stems_by_language.values() for number in numbers.values()),
            *phrases.values(),
        }

    def marks(self, texts: Texts, *, around: int | None = None) -> Iterator[tuple[int, list[Mark]]]:
        """Walk the texts that have something of it as (number, its places there in order).

        Of single words there are only those that are so many characters `around` the first, or all.
        """
        # Two words may be written as one, which is marked once.
        known: dict[int, int] = {}
        for language in texts.languages & self._words.keys():
            for wanted, bit, what in self._words[language]:
                # Most words are not there, which a bit tells sooner.
                if texts.bits & bit:
                    known |= dict.fromkeys(texts.places(wanted), what)
            for wanted in self._firsts[language]:
                # Before all places of its text stands that words in a row may be there.
                begun = (place >> _NUMBER << _NUMBER for place in texts.places(wanted))
                known |= dict.fromkeys(begun, _IN_A_ROW)
        found = sorted(known)
        at = 0
        while at < len(found):
            number = found[at] >> _NUMBER
            in_a_row = known[found[at]] == _IN_A_ROW
            end = bisect_left(found, (number + 1) << _NUMBER, at)
            words, at = found[at + in_a_row : end], end
            if words and around is not None:
                last = (words[0] >> _START) + around
                words = words[: bisect_left(words, (last + 1) << _START)]
            marks = [
                Mark(place >> _START & _PLACE, place & _PLACE, known[place]) for place in words
            ]
            if in_a_row:
                marks += self._phrase_marks(texts.of[number][-1])
                marks.sort(key=lambda mark: mark.start)
            if marks:
                yield number, marks

    def _phrase_marks(self, text: str) -> list[Mark]:
        places = [(word, at, end) for at, end, words in word_places(text) for word in words]
        row = [word for word, _, _ in places]
        return [
            Mark(places[start][1], places[start + len(phrase) - 1][2], number)
            for phrase, number in self._phrases.items()
            for start in range(len(row) - len(phrase) + 1)
            if row[start : start + len(phrase)] == list(phrase)
        ]


def passage(text: str, marks: Sequence[Mark]) -> Passage:
    """Cut a text down to a piece around its first mark; the cuts are between words."""
    first = marks[0]
    start, end = 0, len(text)
    if end > LONGEST:
        start = max(0, first.start - _BEFORE)
        if start:
            space = text.find(" ", start, first.start)
            start = first.start if space < 0 else space + 1
        end = min(end, start + LONGEST)
    if end < len(text):
        space = text.rfind(" ", first.end, end)
        end = max(end, first.end) if space < 0 else space
    head = _CUT if start else ""
    moved = len(head) - start
    return Passage(
        text=head + text[start:end] + (_CUT if end < len(text) else ""),
        marks=[(mark.start + moved, mark.end + moved) for mark in marks if mark.end <= end],
    )


def _bit_of(signed: int) -> int:
    """Give the bit that is set where a sign is, and where one in a thousand others is."""
    return 1 << (signed & _BITS)
