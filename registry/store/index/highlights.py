"""Passages of hits with what was asked for marked in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from registry.record.words import words
from registry.store.index.postings import ANYWHERE
from registry.store.index.question import Highlight
from registry.store.sql import statement
from registry.text.analysis import language_of
from registry.text.asking import Every, Phrase, Some, Without, Word
from registry.text.passages import Sought, passage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from registry.store.index.evaluate import Found
    from registry.store.index.lookup import Reader
    from registry.text.asking import Asked, Prefix

_HEADS = ("name", "summary")
_MOST_FIELDS = 2


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


async def in_texts(
    ordinals: Sequence[int], asked: Asked, found: Found, wanted: Sought, reader: Reader
) -> dict[int, list[Highlight]]:
    """Mark passages of versions, beside name and summary.

    They are of the first field that has any, and of one more where that has what else was asked.
    """
    if not ordinals:
        return {}
    connection = await reader.connection()
    rows = await connection.fetch(statement("index", "documents"), list(ordinals))
    return {
        row["ord"]: list(
            _passages(
                msgspec.json.decode(row["document"]),
                wanted,
                languages=_languages(row["ord"], asked, found),
            )
        )
        for row in rows
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
    document: dict[str, Any], wanted: Sought, languages: Collection[str]
) -> Iterator[Highlight]:
    shown: set[str] = set()
    left = set(wanted.numbers)
    for field, tag, text in words(document):
        if field not in shown and (len(shown) == _MOST_FIELDS or not left):
            return
        if field[1:] in _HEADS or language_of(tag) not in languages:
            continue
        marks = wanted.marks(text, tag)
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
