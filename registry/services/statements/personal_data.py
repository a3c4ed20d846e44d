"""Personal data: where a name or a number stands in texts, for who protects data.

A search is in the audit trail, with who made it and how much was found, and without its words.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from functools import cache

import msgspec

from registry.errors import Forbidden, InvalidParameter
from registry.log.disclosure_tree import members
from registry.record.pointers import strings_in
from registry.services import policy
from registry.services.context import ServiceContext
from registry.services.operations import audit_trail
from registry.services.people.access import Actor
from registry.store import redactions
from registry.text.folding import fold

MOST_FOUND = 1000
"""Sections and drafts that one search returns at most."""

_SHORTEST, _LONGEST = 3, 200
_LEAST_DIGITS, _SUBSCRIBER_DIGITS = 6, 9
_BETWEEN_DIGITS = '[^0-9"]{0,3}'
_ARABIC_MARKS = "[\u0640\u064b-\u0652\u0670]*"
_LETTERS = (*range(0x41, 0x250), *range(0x5D0, 0x700), *range(0x2D30, 0x2D80))


class FoundText(msgspec.Struct, frozen=True, kw_only=True):
    """Where words were found: in a member of versions or of another entry, or in a draft.

    `words` are as the text has them, `text` is what is around the first of them.
    """

    subject: str
    versions: list[int]
    entry: int | None
    is_draft: bool
    pointer: str
    words: list[str]
    text: str


async def search_texts(
    context: ServiceContext, actor: Actor, query: str, *, now: dt.datetime
) -> list[FoundText]:
    """Return where each word of a name, or a number, stands, however it is written.

    Of a member with an agency in its own texts alone. Raises `Forbidden` for who has not the role,
    `InvalidParameter` for what is too short or too long.
    """
    if not policy.searches_texts(actor):
        raise Forbidden("who searches for personal data has the role data_protection")
    patterns = patterns_of(query)
    async with context.database.transaction() as connection:
        rows = await redactions.search_texts(
            connection, patterns, agency=actor.agency, limit=MOST_FOUND
        )
        found: dict[tuple[str, int | None, bool, str], FoundText] = {}
        for row in rows:
            for pointer, words, text in _places(row.key, row.value, patterns):
                is_draft = row.version is None and row.entry is None
                place = (row.subject, row.entry, is_draft, pointer)
                before = found.get(place)
                found[place] = FoundText(
                    subject=row.subject,
                    versions=[*(before.versions if before else ()), *filter(None, [row.version])],
                    entry=row.entry,
                    is_draft=is_draft,
                    pointer=pointer,
                    words=sorted({*(before.words if before else ()), *words}),
                    text=text,
                )
        await audit_trail.note(
            connection, actor, "search_texts", "texts", before=str(len(found)), now=now
        )
    return list(found.values())


def patterns_of(query: str) -> list[str]:
    """Return regular expressions, for Python and PostgreSQL, that texts with the words fit.

    >>> re.search(patterns_of("0612 34 56 78")[0], "tel. +212 6-12-34-56-78") is not None
    True
    """
    words = re.findall(r"\w+", fold(query))
    if not len("".join(words)) >= _SHORTEST or len(query) > _LONGEST:
        raise InvalidParameter(f"query: give {_SHORTEST} to {_LONGEST} letters or digits")
    digits = "".join(words)
    if digits.isdecimal() and len(digits) >= _LEAST_DIGITS:
        # Without the country, or the zero in its place.
        return [_BETWEEN_DIGITS.join(digits.lstrip("0")[-_SUBSCRIBER_DIGITS:])]
    return ["".join(f"[{_spellings().get(c, c)}]{_ARABIC_MARKS}" for c in word) for word in words]


@cache
def _spellings() -> dict[str, str]:
    """Return the letters that are folded to each letter."""
    found: dict[str, str] = {}
    for code in _LETTERS:
        letter = chr(code)
        if letter.isalpha():
            found[fold(letter)] = found.get(fold(letter), "") + letter
    return found


def _places(key: str, value: str, patterns: list[str]) -> Iterator[tuple[str, list[str], str]]:
    """Yield the members of a section, or of a draft, with a text in which all are found."""
    content = msgspec.json.decode(value)
    sections = [(key, content)] if key else content.items()
    for name, section in sections:
        for pointer, part in members(name, section):
            for text in strings_in(part):
                hits = [re.search(pattern, text, re.IGNORECASE) for pattern in patterns]
                if all(hits):
                    at = [hit.span() for hit in hits if hit]
                    start = max(0, min(at)[0] - 60)
                    yield pointer, [text[a:b] for a, b in at], text[start : max(at)[1] + 60]
                    break
