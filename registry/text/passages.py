"""What was asked for, marked in the texts that have it."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
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

_SPANS_BYTES = 2_000
"""What it takes to know where words stand in those texts of which marks were shown, about."""

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
    """Some texts, with the places of each stem, which are found without a look at the texts.

    A place is the number of a stem, counted through all texts. Where that stands is looked for
    only when it is shown, which is in few texts.
    """

    __slots__ = ("_ends", "_places", "_signs", "_spans", "bits", "languages", "of")

    def __init__(self, texts: Sequence[Text]) -> None:
        """Read the texts, once; `bits` has those of all signs."""
        self.of = texts
        self.languages = {language_of(tag) for _, tag, _ in texts}
        signs: list[int] = []
        self._ends = array("I")
        for _, tag, text in texts:
            signs += chain.from_iterable(
                map(signs_of_runs(language_of(tag)).__getitem__, runs(text))
            )
            self._ends.append(len(signs))
        order = sorted(range(len(signs)), key=signs.__getitem__)
        self._signs = array("q", map(signs.__getitem__, order))
        self._places = array("I", order)
        self._spans: dict[int, array[int]] = {}
        self.bits = 0
        for one in set(signs):
            self.bits |= _bit_of(one)

    def places(self, sign: int) -> Sequence[int]:
        """Give the places of a stem, in order."""
        signs = self._signs
        first = bisect_left(signs, sign)
        if first == len(signs) or signs[first] != sign:
            return ()
        return self._places[first : bisect_right(signs, sign, first)]

    def number(self, place: int) -> int:
        """Say in which text a place is."""
        return bisect_right(self._ends, place)

    def end(self, number: int) -> int:
        """Give the place that follows the last of a text."""
        return self._ends[number]

    def span(self, number: int, place: int) -> tuple[int, int]:
        """Give [start, end) of a place in its text."""
        spans = self._spans.get(number)
        if spans is None:
            spans = self._spans[number] = self._spans_of(number)
        # Counted from the end, for the begin of a text is the end of the one before, if any is.
        at = len(spans) - 2 * (self._ends[number] - place)
        return spans[at], spans[at + 1]

    @property
    def weight(self) -> int:
        """Say how many bytes they take, about."""
        words = getsizeof(self._signs) + getsizeof(self._places) + _SPANS_BYTES
        return words + _TEXT_BYTES + sum(getsizeof(text) + _TEXT_BYTES for _, _, text in self.of)

    def _spans_of(self, number: int) -> array[int]:
        _, tag, text = self.of[number]
        signs = signs_of_runs(language_of(tag))
        return array(
            "I",
            [
                edge
                for start, end, run in run_places(text)
                for edge in (start, end) * len(signs[run])
            ],
        )


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
        known: dict[int, int] = {}
        in_a_row: set[int] = set()
        for language in texts.languages & self._words.keys():
            for wanted, bit, what in self._words[language]:
                # Most words are not there, which a bit tells sooner.
                if texts.bits & bit:
                    known |= dict.fromkeys(texts.places(wanted), what)
            for wanted in self._firsts[language]:
                # Words in a row may be wherever the first of them is.
                in_a_row.update(map(texts.number, texts.places(wanted)))
        found = sorted(known)
        at = 0
        while at < len(found) or in_a_row:
            numbers = in_a_row if at == len(found) else {texts.number(found[at]), *in_a_row}
            number = min(numbers)
            end = bisect_left(found, texts.end(number), at)
            words, at = found[at:end], end
            # Two words may be written as one, which is marked once.
            spans: dict[tuple[int, int], int] = {}
            for place in words:
                span = texts.span(number, place)
                if spans and around is not None and span[0] > next(iter(spans))[0] + around:
                    break
                spans[span] = known[place]
            marks = [Mark(*span, what) for span, what in spans.items()]
            if number in in_a_row:
                in_a_row.remove(number)
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
