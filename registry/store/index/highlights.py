"""Passages of hits with what was asked for marked in them."""

from __future__ import annotations

from sys import getsizeof, intern
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from registry.record.erasing import readable
from registry.record.words import words
from registry.store.bounded import Bounded
from registry.store.index.postings import ANYWHERE
from registry.store.index.question import Highlight
from registry.store.sql import statement
from registry.text.analysis import language_of, runs
from registry.text.asking import Every, Phrase, Some, Without, Word
from registry.text.passages import LONGEST, Sought, passage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from registry.store.index.evaluate import Found
    from registry.store.index.lookup import Reader
    from registry.text.asking import Asked, Prefix

_HEADS = ("name", "summary")
_MOST_FIELDS = 2

_TEXT_BYTES = 150
"""What a text takes in memory beside itself."""

Text: TypeAlias = tuple[str, str, str, tuple[str, ...]]
"""A text of a document beside name and summary: pointer, tag, what it says, its runs of letters."""


class Bodies:
    """The texts of versions, kept as long as there is room."""

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
                    # Each run once, and the same one in all texts.
                    (field, tag, text, tuple(map(intern, dict.fromkeys(runs(text)))))
                    for field, tag, text in words(document)
                    if field[1:] not in _HEADS
                ]
                found[row["ord"]] = texts
                weight = sum(
                    getsizeof(text) + getsizeof(known) + _TEXT_BYTES for _, _, text, known in texts
                )
                self._texts.put(row["ord"], texts, weight + _TEXT_BYTES)
        return found


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


def in_heads(card: str, wanted: Sought) -> list[Highlight]:
    """Mark the name and the summary that a card shows."""
    heads: dict[str, Any] = msgspec.json.decode(card)
    return [
        Highlight(
            field=f"/{field}",
            lang=tag,
            text=text,
            marks=[(mark.start, mark.end) for mark in marks],
        )
        for field in _HEADS
        for tag, text in (heads[field] or {}).items()
        if (marks := wanted.marks(text, tag))
    ]


def in_texts(
    bodies: Mapping[int, Sequence[Text]], asked: Asked, found: Found, wanted: Sought
) -> dict[int, list[Highlight]]:
    """Mark passages of versions, beside name and summary.

    They are of the first field that has any, and of one more where that has what else was asked.
    """
    return {
        ordinal: list(_passages(texts, wanted, _languages(ordinal, asked, found)))
        for ordinal, texts in bodies.items()
    }


def _languages(ordinal: int, asked: Asked, found: Found) -> set[str]:
    """Give the languages in which a version has anything of a question."""
    languages = set()
    for leaf in _positive(asked):
        if isinstance(leaf, Phrase):
            return set(found.languages)
        languages |= {
            term[0] for term in found.terms[leaf] if ordinal in found.postings[term].tiers[ANYWHERE]
        }
    return languages


def _passages(
    texts: Sequence[Text], wanted: Sought, languages: Collection[str]
) -> Iterator[Highlight]:
    shown: set[str] = set()
    left = set(wanted.numbers)
    for field, tag, text, known in texts:
        if field not in shown and (len(shown) == _MOST_FIELDS or not left):
            return
        if language_of(tag) not in languages:
            continue
        marks = wanted.marks(text, tag, runs=known, around=LONGEST)
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
