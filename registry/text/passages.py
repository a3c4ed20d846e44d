"""What was asked for, marked in the texts that have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from registry.text.analysis import (
    language_of,
    places_of,
    run_places,
    stems,
    stems_of_runs,
    word_places,
)
from registry.text.analysis import runs as runs_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST = 240
"""Characters of a passage, about."""

_BEFORE = 80
_CUT = "…"


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A text or a piece of one; `marks` are [from, to) in it, in Unicode code points."""

    text: str
    marks: list[tuple[int, int]]


class Mark(msgspec.Struct, frozen=True):
    """A place in a text, [start, end), and which of the things sought stands there."""

    start: int
    end: int
    what: int


class Sought:
    """What is to be marked: words by their stems, and words in a row, each with a number."""

    def __init__(
        self,
        stems_by_language: Mapping[str, Mapping[str, int]],
        phrases: Mapping[tuple[str, ...], int],
    ) -> None:
        """Take numbers by language and stem, and by phrase; a phrase may be in any of these."""
        self._stems = stems_by_language
        self._phrases = phrases
        self._starts: dict[str, list[str]] = {}
        self.numbers = {
            *(number for stems in stems_by_language.values() for number in stems.values()),
            *phrases.values(),
        }

    def runs(self, line: str, tag: str) -> list[str]:
        """Find in the `words_line` of a text the runs of which something sought may be."""
        language = language_of(tag)
        starts = self._starts.get(language)
        if starts is None:
            firsts = {stems(language)[phrase[0]] for phrase in self._phrases}
            sought = self._stems.get(language, {}).keys() | firsts
            starts = self._starts[language] = [f" {stem}:" for stem in sought]
        found = []
        for start in starts:
            at = line.find(start)
            while at >= 0:
                found.append(line[at + len(start) : line.index(" ", at + 1)])
                at = line.find(start, at + 1)
        return found

    def marks(
        self, text: str, tag: str, *, runs: Sequence[str] | None = None, around: int | None = None
    ) -> list[Mark]:
        """Find the places of what is sought in a text of a BCP 47 tag, in order.

        `runs` are those of letters that are of a stem sought, where they are known. Of single words
        only those that are so many characters `around` the first, or all.
        """
        language = language_of(tag)
        sought = self._stems.get(language)
        if sought is None:
            return []
        stem_of = stems_of_runs(language)
        places = run_places(text) if runs is None else places_of(text, runs)
        found: list[Mark] = []
        for at, until, run in places:
            if (what := sought.get(stem_of[run])) is not None:
                if found and around is not None and at > found[0].start + around:
                    break
                found.append(Mark(at, until, what))
        if self._phrases:
            found = sorted([*found, *self._phrase_marks(text)], key=lambda mark: mark.start)
        return found

    def _phrase_marks(self, text: str) -> list[Mark]:
        places = [(word, at, end) for at, end, words in word_places(text) for word in words]
        row = [word for word, _, _ in places]
        return [
            Mark(places[start][1], places[start + len(phrase) - 1][2], number)
            for phrase, number in self._phrases.items()
            for start in range(len(row) - len(phrase) + 1)
            if row[start : start + len(phrase)] == list(phrase)
        ]


def words_line(text: str, tag: str) -> str:
    """Write a text's runs of letters, each once behind its stem, to be found in by `Sought.runs`.

    It is far smaller than any set of them, and looked through as fast.
    """
    stem_of = stems_of_runs(language_of(tag))
    known = dict.fromkeys(runs_of(text))
    return "".join([f" {stem_of[run]}:{run}" for run in known]) + " "


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
