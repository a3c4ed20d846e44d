"""Passages of hits with what was asked for marked in them."""

from __future__ import annotations

from sys import getsizeof
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from registry.record.erasing import readable
from registry.record.words import words
from registry.store.bounded import Bounded
from registry.store.index.question import Highlight
from registry.store.sql import statement
from registry.text.asking import Every, Phrase, Some, Without, Word
from registry.text.passages import LONGEST, Sought, passage, words_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from registry.store.index.evaluate import Found
    from registry.store.index.lookup import Reader
    from registry.text.asking import Asked, Prefix

_HEADS = ("name", "summary")
_MOST_FIELDS = 2

_TEXT_BYTES = 150
"""What a text takes in memory beside itself."""

Text: TypeAlias = tuple[str, str, str, str]
"""A text of a document beside name and summary: pointer, tag, what it says, its `words_line`."""


class Bodies:
    """The texts of versions beside name and summary, kept as long as there is room."""

    def __init__(self, room: int) -> None:
        """Begin with nothing; `room` is in bytes."""
        self._texts: Bounded[int, list[Text]] = Bounded(room)

    async def read(self, ordinals: Sequence[int], reader: Reader) -> dict[int, list[Text]]:
        """Give the texts of versions, reading those that are not here."""
        found = {
            ordinal: texts
            for ordinal in ordinals
            if (texts := self._texts.get(ordinal)) is not None
        }
        lacking = [ordinal for ordinal in ordinals if ordinal not in found]
        if lacking:
            connection = await reader.connection()
            for row in await connection.fetch(statement("index", "documents"), lacking):
                document = readable(msgspec.json.decode(row["document"]), row["erased"])
                texts = [
                    (field, tag, text, words_line(text, tag))
                    for field, tag, text in words(document)
                    if field[1:] not in _HEADS
                ]
                found[row["ord"]] = texts
                self._texts.put(row["ord"], texts, weight_of(texts))
        return found


def weight_of(texts: Sequence[Text]) -> int:
    """Say how many bytes texts take."""
    return _TEXT_BYTES + sum(
        getsizeof(text) + getsizeof(line) + _TEXT_BYTES for _, _, text, line in texts
    )


def sought(asked: Asked, found: Found) -> Sought:
    """Tell what of a question is to be marked: what is to be there."""
    stems: dict[str, dict[str, int]] = {language: {} for language in found.languages}
    phrases: dict[tuple[str, ...], int] = {}
    for number, leaf in enumerate(_positive(asked)):
        if isinstance(leaf, Phrase):
            phrases[leaf.words] = number
        else:
            for language, stem in found.terms[leaf]:
                stems[language][stem] = number
    return Sought(stems, phrases)


def heads(card: str) -> list[Text]:
    """Give the name and the summary that a card shows."""
    shown: dict[str, Any] = msgspec.json.decode(card)
    return [
        (f"/{field}", tag, text, words_line(text, tag))
        for field in _HEADS
        for tag, text in (shown[field] or {}).items()
    ]


def in_heads(texts: Sequence[Text], wanted: Sought) -> list[Highlight]:
    """Mark names and summaries, each as a whole."""
    return [
        Highlight(
            field=field, lang=tag, text=text, marks=[(mark.start, mark.end) for mark in marks]
        )
        for field, tag, text, line in texts
        if (runs := wanted.runs(line, tag)) and (marks := wanted.marks(text, tag, runs=runs))
    ]


def in_texts(texts: Sequence[Text], wanted: Sought) -> Iterator[Highlight]:
    """Mark passages of a version, beside name and summary.

    They are of the first field that has any, and of one more where that has what else was asked.
    """
    shown: set[str] = set()
    left = set(wanted.numbers)
    for field, tag, text, line in texts:
        if field not in shown and (len(shown) == _MOST_FIELDS or not left):
            return
        runs = wanted.runs(line, tag)
        # Most texts have nothing of it, which is told without a look at each place.
        if not runs:
            continue
        marks = wanted.marks(text, tag, runs=runs, around=LONGEST)
        new = {mark.what for mark in marks} & left
        if new or (marks and field in shown):
            shown.add(field)
            left -= new
            cut = passage(text, marks)
            yield Highlight(field=field, lang=tag, text=cut.text, marks=cut.marks)


def _positive(asked: Asked) -> Iterator[Word | Prefix | Phrase]:
    if isinstance(asked, Every | Some):
        for one in asked.of:
            yield from _positive(one)
    elif not isinstance(asked, Without):
        yield asked
