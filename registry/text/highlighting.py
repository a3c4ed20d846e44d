"""Highlighting: the terms of a query marked in the texts of a record."""

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
    stems,
    term_id,
    term_ids_of_runs,
    word_places,
)

LONGEST = 240
"""The approximate length of a passage, in characters."""

_BEFORE = 80
_CUT = "…"

_TEXT_BYTES = 150
"""Memory of a text beside its characters."""

_STEM_BYTES = 2
"""Memory of the index of a text, for each of its characters."""

_MOST_HIGHLIGHTS = 24
"""The number of highlights that are cached."""

_HIGHLIGHTS_BYTES = 5_000
"""Memory of those."""

TextSpan: TypeAlias = tuple[int, int]
"""A place in a text, [start, end)."""

HighlightSpan: TypeAlias = tuple[int, int, int]
"""A place in a text, and the number of the term that is there."""

TokenizedText: TypeAlias = tuple[str, str, str]
"""A text of a document: pointer, BCP 47 tag, text."""


class Highlight(msgspec.Struct, frozen=True, kw_only=True):
    """A passage of a record with the terms of a query marked.

    `field` is a JSON Pointer, `lang` a language tag, "" if the text has none; `marks` are [from,
    to) in `text`, in Unicode code points.
    """

    field: str
    lang: str
    text: str
    marks: list[TextSpan]


class Texts:
    """The texts of a record, with an inverted index by term that is built as far as needed.

    Texts are indexed in order, up to the first that has a wanted term. Rendered highlights are
    cached by text and terms.
    """

    __slots__ = ("_cut", "_having", "_highlights", "indexed", "items")

    def __init__(self, texts: Sequence[TokenizedText], *, cut: bool = True) -> None:
        """Take the texts. With `cut`, a long text is cut to a passage around its first mark."""
        self.items = texts
        self._cut = cut
        # A text is a bit by its number: most terms are in one of the first texts.
        self._having: dict[int, int] = {}
        self.indexed = 0
        self._highlights: dict[tuple[int, tuple[int, ...]], tuple[Highlight, set[int]]] = {}

    def index_further(self, *wanted: Mapping[int, int]) -> bool:
        """Index further texts up to one that has a wanted term; return whether there is one."""
        having = self._having
        for _, tag, text in self.items[self.indexed :]:
            bit = _bit_of(self.indexed)
            known = term_ids_of_runs(language_of(tag))
            terms = set(chain.from_iterable(map(known.__getitem__, runs(text))))
            for term in terms:
                others = having.get(term)
                having[term] = bit if others is None else others | bit
            self.indexed += 1
            if not all(map(terms.isdisjoint, wanted)):
                return True
        return False

    def texts_with(self, wanted: Mapping[int, int]) -> list[tuple[int, int]]:
        """Return (term, bit set of texts) for each wanted term that the indexed texts have."""
        having = self._having
        return [(term, having[term]) for term in having.keys() & wanted.keys()]

    def highlight(self, number: int, terms: tuple[int, ...]) -> tuple[Highlight, set[int]]:
        """Return a text with terms marked, and the set of terms that are marked in it.

        Where two terms are in one run of letters, the later one counts.
        """
        found = self._highlights.get((number, terms))
        if found is None:
            if len(self._highlights) >= _MOST_HIGHLIGHTS:
                self._highlights.clear()
            found = self._highlights[number, terms] = self.make_highlight(
                number, self.spans(number, terms)
            )
        return found

    def spans(self, number: int, terms: tuple[int, ...]) -> list[HighlightSpan]:
        """Return the places of terms in a text, in order; of one that is cut, those of a passage.

        What follows the first by more than `LONGEST` is not in its passage.
        """
        _, tag, text = self.items[number]
        known = term_ids_of_runs(language_of(tag))
        rank = {term: at for at, term in enumerate(terms)}
        found: list[HighlightSpan] = []
        for start, end, run in run_places(text):
            if self._cut and found and start > found[0][0] + LONGEST:
                break
            if ranks := [rank[term] for term in known[run] if term in rank]:
                found.append((start, end, terms[max(ranks)]))
        return found

    def make_highlight(
        self, number: int, marks: Sequence[HighlightSpan]
    ) -> tuple[Highlight, set[int]]:
        """Return a text with these places marked, and the set of numbers that are marked in it."""
        field, tag, text = self.items[number]
        if self._cut:
            marks = [mark for mark in marks if mark[0] <= marks[0][0] + LONGEST]
            text, places = passage(text, marks)
        else:
            places = [(start, end) for start, end, _ in marks]
        highlight = Highlight(field=field, lang=tag, text=text, marks=places)
        return highlight, {what for _, _, what in marks}

    @property
    def weight(self) -> int:
        """The approximate size in memory, in bytes."""
        texts = sum(
            getsizeof(text) + len(text) * _STEM_BYTES + _TEXT_BYTES for _, _, text in self.items
        )
        return texts + _HIGHLIGHTS_BYTES


class HighlightTerms:
    """The terms to mark: words by their stems, and phrases, each with a number."""

    def __init__(
        self,
        stems_by_language: Mapping[str, Mapping[str, int]],
        phrases: Mapping[tuple[str, ...], int],
    ) -> None:
        """Take numbers by language and stem, and by phrase in any of the languages."""
        self._words = {
            term_id(stem, language): number
            for language, numbers in stems_by_language.items()
            for stem, number in numbers.items()
        }
        self._phrases = phrases
        # A phrase can only be where its first word is.
        self._firsts = {
            term_id(stems(language)[phrase[0]], language): number
            for phrase, number in phrases.items()
            for language in stems_by_language
        }
        self.numbers = {*self._words.values(), *phrases.values()}

    def found(self, texts: Texts) -> Iterator[tuple[int, set[int]]]:
        """Yield (number of the text, numbers of what may be marked in it), for texts with a term.

        Of a phrase that is known by its first word alone.
        """
        done = 0
        while done < texts.indexed or texts.index_further(self._words, self._firsts):
            present = [
                (having, numbers[term])
                for numbers in (self._words, self._firsts)
                for term, having in texts.texts_with(numbers)
            ]
            left = 0
            for having, _ in present:
                left |= having
            left = left >> done << done
            done = texts.indexed
            while left:
                bit = left & -left
                left -= bit
                yield bit.bit_length() - 1, {what for having, what in present if having & bit}

    def highlight(self, texts: Texts, number: int) -> tuple[Highlight, set[int]] | None:
        """Return a text with the terms marked, and the numbers of those; None if there are none."""
        bit = _bit_of(number)
        present = [term for term, having in texts.texts_with(self._words) if having & bit]
        # Hash order differs between processes.
        terms = tuple(sorted(present, key=self._words.__getitem__))
        if any(having & bit for _, having in texts.texts_with(self._firsts)):
            marks = self._all_marks(texts, number, terms)
            return texts.make_highlight(number, marks) if marks else None
        shown, marked = texts.highlight(number, terms)
        return shown, {self._words[term] for term in marked}

    def _all_marks(self, texts: Texts, number: int, terms: tuple[int, ...]) -> list[HighlightSpan]:
        marks = [(start, end, self._words[term]) for start, end, term in texts.spans(number, terms)]
        text = texts.items[number][-1]
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
    """Return a piece of a text around its first mark, cut between words, and the marks in it."""
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
    """Return the bit of the text with a number; cached, so that equal integers are shared."""
    return 1 << number
