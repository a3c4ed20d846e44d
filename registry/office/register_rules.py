"""The rules that need the register: what a record is beside the others that are published.

As in `record/rules.py`, one generator function each in one ordered table; they run when a record
is filed, submitted or loaded, after the document's own rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from types import MappingProxyType
from typing import TypeAlias

import msgspec

from registry.record.case import told
from registry.record.forms import shown
from registry.record.model import Document, LangText
from registry.record.pack import Pack
from registry.record.pointers import dig, pointer
from registry.record.sayings import Remark, say
from registry.store.records import Namesake
from registry.text.folding import fold
from registry.text.skeleton import is_disguised, skeleton

_NEARLY_THE_SAME = 0.9
_SHARED_WORDS = 0.5
_NAMES_KEPT = 20_000  # every filing is compared with the same names
_Parts: TypeAlias = tuple[str, frozenset[str], str]


class Entrance(msgspec.Struct, frozen=True, kw_only=True):
    """A document at the register's door: `version` is what it would become."""

    document: Document
    pack: Pack
    version: int
    others: Sequence[Namesake]
    """The published records that it could be taken for, this one left out."""


RegisterRule: TypeAlias = Callable[[Entrance], Iterator[Remark]]


def source_id_unique(entrance: Entrance) -> Iterator[Remark]:
    """R21: No two records of an agency have the same `source_id`.

    An error: the agency's own inventory number tells its systems apart.
    """
    source_id = dig(entrance.document, "source_id")
    for other in entrance.others:
        if source_id and other.source_id == source_id and other.agency == _agency(entrance):
            yield told(
                "R21",
                "/source_id",
                say(
                    "{code} is already the agency's own identifier of {record}. Give this system "
                    "its own, or amend that record.",
                    code=shown(source_id),
                    record=other.record,
                ),
            )


def name_distinct(entrance: Entrance) -> Iterator[Remark]:
    """R22: A name that repeats another of the agency, or only looks like one, is pointed out.

    A warning with the other record: it may be the same system filed twice, or one that passes for
    another by letters that look alike (UTS 39).
    """
    name: LangText = dig(entrance.document, "name") or {}
    agency = _agency(entrance)
    for tag, text in name.items():
        parts, disguised = _parts(text), _is_disguised(text)
        for other in entrance.others:
            theirs = other.name.get(tag) if other.agency == agency else None
            if theirs is not None and _repeats(parts, _parts(theirs)):
                saying = say(
                    "This is nearly the name of {record}. Amend that record if it is the same "
                    "system; else name what tells them apart.",
                    record=other.record,
                )
            elif (disguised or _passes_for_another(other)) and _looks_like(text, other.name):
                saying = say(
                    "This looks like the name of {record}, with other letters. Write it in the "
                    "letters of its language.",
                    record=other.record,
                )
            else:
                continue
            yield told("R22", pointer(("name", tag)), saying, severity="warning")
    yield from _agency_distinct(entrance)


def _agency_distinct(entrance: Entrance) -> Iterator[Remark]:
    agencies = entrance.pack.agencies
    own = agencies.get(_agency(entrance))
    disguised = own is not None and _any_disguised(own.name)
    for other in agencies.values() if own else ():
        if (
            own
            and other.id != own.id
            and (disguised or _any_disguised(other.name))
            and any(_looks_like(t, other.name) for t in own.name.values())
        ):
            yield told(
                "R22",
                "/id",
                say(
                    "The agency's name looks like that of {agency}, with other letters. Tell the "
                    "register's office.",
                    agency=other.id,
                ),
                severity="warning",
            )


def change_explained(entrance: Entrance) -> Iterator[Remark]:
    """change_note: From the second version on, a record says what has changed.

    An error: readers of the history must not have to compare versions to learn why there are two.
    """
    if entrance.version > 1 and dig(entrance.document, "publication", "change_note") is None:
        yield told(
            "change_note",
            "/publication/change_note",
            say(
                "This would be version {number}, and from the second version on a record says "
                "what has changed. Add {place}: a sentence for the public, by language.",
                number=entrance.version,
                place="/publication/change_note",
            ),
        )


RULES: Mapping[str, RegisterRule] = MappingProxyType(
    {"R21": source_id_unique, "R22": name_distinct, "change_note": change_explained}
)


def may_be_disguised(document: Document) -> bool:
    """Whether a name has to be compared with those of every agency, not only of its own."""
    return _any_disguised(dig(document, "name") or {})


def _agency(entrance: Entrance) -> str:
    return str(dig(entrance.document, "id") or "").split("/")[0]


def _repeats(mine: _Parts, other: _Parts) -> bool:
    """Tell whether two names of one language differ by little more than a slip."""
    (one, words, digits), (two, others, numbers) = mine, other
    if one == two:
        return True
    # Most names are far from alike, and what is cheap to see comes first.
    if digits != numbers or words.isdisjoint(others):
        return False
    if len(words & others) < _SHARED_WORDS * max(len(words), len(others)):
        return False
    return SequenceMatcher(None, one, two, autojunk=False).ratio() >= _NEARLY_THE_SAME


@lru_cache(maxsize=_NAMES_KEPT)
def _parts(name: str) -> _Parts:
    """Give a name folded, its words, and its digits."""
    folded = fold(name)
    return folded, frozenset(folded.split()), "".join(filter(str.isdigit, folded))


_is_disguised = lru_cache(maxsize=_NAMES_KEPT)(is_disguised)


@lru_cache(maxsize=_NAMES_KEPT)
def _passes_for_another(other: Namesake) -> bool:
    return _any_disguised(other.name)


def _any_disguised(names: LangText) -> bool:
    return any(map(_is_disguised, names.values()))


def _looks_like(text: str, names: LangText) -> bool:
    if not _is_disguised(text) and not _any_disguised(names):
        return False
    seen = skeleton(text)
    return any(name != text and skeleton(name) == seen for name in names.values())
