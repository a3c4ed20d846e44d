"""Personal data: where a name or a number stands in texts, for who protects data.

A search is in the audit trail, with who made it and how much was found, and without its words.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

import msgspec

from registry.errors import Forbidden, InvalidParameter
from registry.log.disclosure_tree import members
from registry.record.pointers import strings_in
from registry.services import policy
from registry.services.context import ServiceContext
from registry.services.operations import audit_trail, limits
from registry.services.people.access import Actor
from registry.store import redactions
from registry.text.folding import fold

MOST_FOUND = 1000
"""Sections and drafts that one search returns at most."""

_SHORTEST, _LONGEST = 3, 200
_LEAST_DIGITS, _SUBSCRIBER_DIGITS = 6, 9
_BETWEEN_DIGITS = "[^0-9]{0,3}"
_A_MINUTE = 20
"""Searches that a member may make in a minute: each reads all texts."""
_SECONDS = 20
_MARKS = "[\u0300-\u036f\u0640\u064b-\u0652\u0670\u200c-\u200f]*"
_LETTERS = (
    *range(0x30, 0x3A),
    *range(0x41, 0x2B0),
    *range(0x370, 0x400),
    *range(0x5D0, 0x780),
    *range(0x1E00, 0x1F00),
    *range(0x2D30, 0x2D80),
    *range(0xFB00, 0xFB07),
    *range(0xFE70, 0xFF00),
)
_LONGEST_FOLDED = 3


class FoundText(msgspec.Struct, frozen=True, kw_only=True):
    """Where words were found: in a member of versions or of another entry, or in a draft.

    `words` are as the texts have them, `text` is what is around the first of them.
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
) -> tuple[list[FoundText], bool]:
    """Return where each word of a name, or a number, stands, however it is written.

    And whether there is more than one search reads. Of a member with an agency in its own texts
    alone. Raises `Forbidden` for who has not the role, `InvalidParameter` for what is too short or
    too long, `TooManyRequests`, and `Unavailable` where it takes too long.
    """
    if not policy.searches_texts(actor):
        raise Forbidden("who searches for personal data has the role data_protection")
    words = words_of(query)
    await limits.spend(
        context.database, "searches of texts", actor.person, per_minute=_A_MINUTE, now=now
    )
    sought = [re.compile(word.pattern) for word in words]
    async with context.database.snapshot() as connection:
        await connection.execute(f"set local statement_timeout = '{_SECONDS}s'")
        rows = await redactions.search_texts(
            connection,
            [word.candidates for word in words],
            agency=actor.agency,
            limit=MOST_FOUND + 1,
        )
    found: dict[tuple[str, int | None, bool, str], FoundText] = {}
    for row in rows[:MOST_FOUND]:
        for pointer, hits, text in _places(row.key, row.value, sought):
            is_draft = row.version is None and row.entry is None
            place = (row.subject, row.entry, is_draft, pointer)
            before = found.get(place)
            found[place] = FoundText(
                subject=row.subject,
                versions=[*(before.versions if before else ()), *filter(None, [row.version])],
                entry=row.entry,
                is_draft=is_draft,
                pointer=pointer,
                words=sorted({*(before.words if before else ()), *hits}),
                text=text,
            )
    async with context.database.transaction() as connection:
        await audit_trail.note(
            connection, actor, "search_texts", "texts", before=str(len(found)), now=now
        )
    return list(found.values()), len(rows) > MOST_FOUND


class SoughtWord(NamedTuple):
    """A word of a query: what folded texts with it fit, and what all texts fit that may have it."""

    pattern: str
    candidates: str


def words_of(query: str) -> list[SoughtWord]:
    """Return the words of a query as regular expressions, for Python and PostgreSQL.

    >>> re.search(words_of("0612 34 56 78")[0].pattern, fold("tel. +212 6-12-34-56-78")) is not None
    True
    """
    words = re.findall(r"\w+", fold(query))
    if not len("".join(words)) >= _SHORTEST or len(query) > _LONGEST:
        raise InvalidParameter(f"query: give {_SHORTEST} to {_LONGEST} letters or digits")
    digits = "".join(words)
    # Without the country, or the zero in its place.
    number = digits.lstrip("0")[-_SUBSCRIBER_DIGITS:]
    if digits.isdecimal() and len(number) >= _LEAST_DIGITS:
        spelt = [f"[{_spellings()[digit]}]" for digit in number]
        return [SoughtWord(_BETWEEN_DIGITS.join(number), '[^0-9"]{0,6}'.join(spelt))]
    return [SoughtWord(re.escape(word), _candidates(word)) for word in words]


def _candidates(word: str) -> str:
    """Return what texts fit in which a folded word may stand, such as one with an œ for an oe."""
    spellings = _spellings()
    letters = [spellings.get(letter, letter) for letter in word]
    may_lack = [False] * len(word)
    for length in range(2, _LONGEST_FOLDED + 1):
        for start in range(len(word) - length + 1):
            if one := spellings.get(word[start : start + length]):
                letters[start] += one
                may_lack[start + 1 : start + length] = [True] * (length - 1)
    return "".join(
        f"[{spelt}]{'?' if lacks else ''}{_MARKS}"
        for spelt, lacks in zip(letters, may_lack, strict=True)
    )


@cache
def _spellings() -> dict[str, str]:
    """Return the letters and digits that are folded to each letter, or to a few letters."""
    found: dict[str, str] = {}
    for code in _LETTERS:
        letter = chr(code)
        if letter.isalnum():
            found[fold(letter)] = found.get(fold(letter), "") + letter
    return found


def _places(
    key: str, value: str, words: Sequence[re.Pattern[str]]
) -> Iterator[tuple[str, list[str], str]]:
    """Yield the members of a section, or of a draft, with texts in which all are found.

    With what is found in all of these, and what is around the first.
    """
    content = msgspec.json.decode(value)
    sections = [(key, content)] if key else content.items()
    for name, section in sections:
        for pointer, part in members(name, section):
            hits: list[str] = []
            shown = ""
            for text in strings_in(part):
                at = _spans(text, words)
                hits += [text[start:end] for start, end in at]
                if at and not shown:
                    shown = text[max(0, at[0][0] - 60) : at[-1][1] + 60]
            if hits:
                yield pointer, hits, shown


def _spans(text: str, words: Sequence[re.Pattern[str]]) -> list[tuple[int, int]]:
    """Return where words stand in a text, in order; nowhere unless all of them do."""
    folded = [fold(letter) for letter in text]
    # The place in the text of each letter of the folded one, and where that ends.
    places = [at for at, letters in enumerate(folded) for _ in letters] + [len(text)]
    joined = "".join(folded)
    found = [[hit.span() for hit in word.finditer(joined)] for word in words]
    if not all(found):
        return []
    # Marks that follow a letter are its own.
    return sorted(
        (places[start], max(places[end], places[end - 1] + 1))
        for some in found
        for start, end in some
    )
