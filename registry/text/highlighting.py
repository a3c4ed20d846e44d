"""What was asked for, marked in the texts that have it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from sys import getsizeof
from typing import TypeAlias

import msgspec

from registry.text.tokens import (
    language_of,
    run_places,
    runs,
    signs_of_runs,
    stems,
    term_id,
    word_places,
)

LONGEST = 240
"""Characters of a passage, about."""

_BEFORE = 80
_CUT = "…"

_TEXT_BYTES = 150
"""What a text takes in memory beside itself."""

_STEM_BYTES = 2
"""What it takes to know its stems, for each of its characters, about."""

_MOST_SHOWN = 24
"""What is shown of texts is kept for so many stems, or several together."""

_SHOWN_BYTES = 5_000
"""What that takes in memory, about."""

TextSpan: TypeAlias = tuple[int, int]
"""A place in a text, [start, end)."""

HighlightSpan: TypeAlias = tuple[int, int, int]
"""A place in a text, and which of the things sought stands there."""

TokenizedText: TypeAlias = tuple[str, str, str]
"""A text of a document: pointer, BCP 47 tag, what it says."""


class Highlight(msgspec.Struct, frozen=True, kw_only=True):
    """A passage of a record with what was asked for in it.

    `field` is a JSON pointer, `lang` a language tag, "" where the text has none; `marks` are
    [from, to) in `text`, counted in Unicode code points.
    """

    field: str
    lang: str
    text: str
    marks: list[TextSpan]


class Texts:
    """Some texts, and which of them have which stem.

    They are read in order, no further than somebody has looked for what they have; then that is
    known. What was shown of a text for some stems is kept.
    """

    __slots__ = ("_cut", "_having", "_shown", "of", "read")

    def __init__(self, texts: Sequence[TokenizedText], *, cut: bool = True) -> None:
        """Take the texts. Long ones are shown `cut` down to what is around the first mark."""
        self.of = texts
        self._cut = cut
        # The numbers of texts are bits: most stems are in one of few.
        self._having: dict[int, int] = {}
        self.read = 0
        self._shown: dict[tuple[int, tuple[int, ...]], tuple[Highlight, set[int]]] = {}

    def read_on(self, *wanted: Mapping[int, int]) -> bool:
        """Read up to the next text that has one of some stems; to the end where there is none."""
        having = self._having
        for _, tag, text in self.of[self.read :]:
            bit = _bit_of(self.read)
            known = signs_of_runs(language_of(tag))
            signs = set(chain.from_iterable(map(known.__getitem__, runs(text))))
            for signed in signs:
                others = having.get(signed)
                having[signed] = bit if others is None else others | bit
            self.read += 1
            if not all(map(signs.isdisjoint, wanted)):
                return True
        return False

    def having(self, wanted: Mapping[int, int]) -> list[tuple[int, int]]:
        """Say which of these stems are there, and in which texts: the numbers are the bits set.

        Of texts that were not read yet nothing is said.
        """
        having = self._having
        return [(signed, having[signed]) for signed in having.keys() & wanted.keys()]

    def shown(self, number: int, signs: tuple[int, ...]) -> tuple[Highlight, set[int]]:
        """Show a text with some stems marked that it has, and say which of them are shown.

        Of two words that are written as one the later stem counts.
        """
        found = self._shown.get((number, signs))
        if found is None:
            if len(self._shown) >= _MOST_SHOWN:
                self._shown.clear()
            found = self._shown[number, signs] = self.marked(number, self.marks(number, signs))
        return found

    def marks(self, number: int, signs: tuple[int, ...]) -> list[HighlightSpan]:
        """Find in a text the words that have one of some stems, in order."""
        _, tag, text = self.of[number]
        known = signs_of_runs(language_of(tag))
        rank = {signed: at for at, signed in enumerate(signs)}
        return [
            (start, end, signs[max(ranks)])
            for start, end, run in run_places(text)
            if (ranks := [rank[signed] for signed in known[run] if signed in rank])
        ]

    def marked(self, number: int, marks: Sequence[HighlightSpan]) -> tuple[Highlight, set[int]]:
        """Show a text with these marks in it, and say what of the things sought is shown."""
        field, tag, text = self.of[number]
        if self._cut:
            marks = [mark for mark in marks if mark[0] <= marks[0][0] + LONGEST]
            text, places = passage(text, marks)
        else:
            places = [(start, end) for start, end, _ in marks]
        highlight = Highlight(field=field, lang=tag, text=text, marks=places)
        return highlight, {what for _, _, what in marks}

    @property
    def weight(self) -> int:
        """Say how many bytes they take, about."""
        texts = sum(
            getsizeof(text) + len(text) * _STEM_BYTES + _TEXT_BYTES for _, _, text in self.of
        )
        return texts + _SHOWN_BYTES


class HighlightTerms:
    """What is to be marked: words by their stems, and words in a row, each with a number."""

    def __init__(
        self,
        stems_by_language: Mapping[str, Mapping[str, int]],
        phrases: Mapping[tuple[str, ...], int],
    ) -> None:
        """Take numbers by language and stem, and by phrase; a phrase may be in any of these."""
        self._words = {
            term_id(stem, language): number
            for language, numbers in stems_by_language.items()
            for stem, number in numbers.items()
        }
        self._phrases = phrases
        # Words in a row may be wherever the first of them is.
        self._firsts = {
            term_id(stems(language)[phrase[0]], language): number
            for phrase, number in phrases.items()
            for language in stems_by_language
        }
        self.numbers = {*self._words.values(), *phrases.values()}

    def highlights(self, texts: Texts) -> Iterator[tuple[int, Highlight, set[int]]]:
        """Walk the texts that have something of it as (number, what is shown, what is marked)."""
        done = 0
        while done < texts.read or texts.read_on(self._words, self._firsts):
            present = texts.having(self._words)
            if len(present) > 1:
                # In the same order in any process.
                present.sort(key=lambda one: self._words[one[0]])
            in_a_row = left = 0
            if self._firsts:
                for _, having in texts.having(self._firsts):
                    in_a_row |= having
                left = in_a_row
            for _, having in present:
                left |= having
            left = left >> done << done
            done = texts.read
            while left:
                bit = left & -left
                left -= bit
                number = bit.bit_length() - 1
                signs = tuple(signed for signed, having in present if having & bit)
                if not in_a_row & bit:
                    shown, marked = texts.shown(number, signs)
                    yield number, shown, {self._words[signed] for signed in marked}
                elif marks := self._all_marks(texts, number, signs):
                    yield number, *texts.marked(number, marks)

    def _all_marks(self, texts: Texts, number: int, signs: tuple[int, ...]) -> list[HighlightSpan]:
        marks = [
            (start, end, self._words[signed]) for start, end, signed in texts.marks(number, signs)
        ]
        text = texts.of[number][-1]
        places = [(word, at, end) for at, end, words in word_places(text) for word in words]
        row = [word for word, _, _ in places]
        marks += [
            (places[start][1], places[start + len(phrase) - 1][2], what)
            for phrase, what in self._phrases.items()
            for start in range(len(row) - len(phrase) + 1)
            if row[start : start + len(phrase)] == list(phrase)
        ]
        return sorted(marks)


def passage(text: str, marks: Sequence[HighlightSpan]) -> tuple[str, list[TextSpan]]:
    """Cut a text down to a piece around its first mark; the cuts are between words.

    The places are those of the marks in the piece.
    """
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
    piece = head + text[start:end] + (_CUT if end < len(text) else "")
    return piece, [(at + moved, to + moved) for at, to, _ in marks if to <= end]


@cache
def _bit_of(number: int) -> int:
    """Give the bit of a text's number, which all who have it share."""
    return 1 << number
