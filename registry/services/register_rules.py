"""The rules that need the register: what a record is beside the others that are published.

As in `record/rules.py`, one generator function each in one ordered table; they run when a record
is filed, submitted or loaded, after the document's own rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from types import MappingProxyType
from typing import TypeAlias

import msgspec

from registry.record.field_descriptions import quoted
from registry.record.messages import PendingFinding, message
from registry.record.model import Document, LangText
from registry.record.pack import Pack
from registry.record.pointers import dig, pointer
from registry.record.rule_context import remark
from registry.services.duplicate_names import (
    SHARED_WORDS,
    NameParts,
    any_confusable,
    confusable,
    name_parts,
)
from registry.store.record_names import RecordName
from registry.text.confusables import skeleton

_NEARLY_THE_SAME = 0.9


class RegisterRuleContext(msgspec.Struct, frozen=True, kw_only=True):
    """A document at the register's door: `version` is what it would become."""

    document: Document
    pack: Pack
    version: int
    others: Sequence[RecordName]
    """The published records that it could be taken for, this one left out."""


RegisterRule: TypeAlias = Callable[[RegisterRuleContext], Iterator[PendingFinding]]


def source_id_unique(entrance: RegisterRuleContext) -> Iterator[PendingFinding]:
    """R21: No two records of an agency have the same `source_id`.

    An error: the agency's own inventory number tells its systems apart.
    """
    source_id = dig(entrance.document, "source_id")
    for other in entrance.others:
        if source_id and other.source_id == source_id and other.agency == _agency(entrance):
            yield remark(
                "R21",
                "/source_id",
                message(
                    "{code} is already the agency's own identifier of {record}. Give this system "
                    "its own, or amend that record.",
                    code=quoted(source_id),
                    record=other.record,
                ),
            )


def name_distinct(entrance: RegisterRuleContext) -> Iterator[PendingFinding]:
    """R22: A name that repeats another of the agency, or only looks like one, is pointed out.

    A warning with the other record: it may be the same system filed twice, or one that passes for
    another by letters that look alike (UTS 39).
    """
    name: LangText = dig(entrance.document, "name") or {}
    agency = _agency(entrance)
    for tag, text in name.items():
        mine, pretends = name_parts(text), confusable(text)
        for other in entrance.others:
            theirs = other.name.get(tag) if other.agency == agency else None
            if theirs is not None and _repeats(mine, name_parts(theirs)):
                saying = message(
                    "This is nearly the name of {record}. Amend that record if it is the same "
                    "system; else name what tells them apart.",
                    record=other.record,
                )
            elif (pretends or any_confusable(other.name)) and _looks_like(text, other.name):
                saying = message(
                    "This looks like the name of {record}, with other letters. Write it in the "
                    "letters of its language.",
                    record=other.record,
                )
            else:
                continue
            yield remark("R22", pointer(("name", tag)), saying, severity="warning")
    yield from _agency_distinct(entrance)


def _agency_distinct(entrance: RegisterRuleContext) -> Iterator[PendingFinding]:
    agencies = entrance.pack.agencies
    own = agencies.get(_agency(entrance))
    pretends = own is not None and any_confusable(own.name)
    for other in agencies.values() if own else ():
        if (
            own
            and other.id != own.id
            and (pretends or any_confusable(other.name))
            and any(_looks_like(t, other.name) for t in own.name.values())
        ):
            yield remark(
                "R22",
                "/id",
                message(
                    "The agency's name looks like that of {agency}, with other letters. Tell the "
                    "register's office.",
                    agency=other.id,
                ),
                severity="warning",
            )


def change_explained(entrance: RegisterRuleContext) -> Iterator[PendingFinding]:
    """change_note: From the second version on, a record says what has changed.

    An error: readers of the history must not have to compare versions to learn why there are two.
    """
    if entrance.version > 1 and dig(entrance.document, "publication", "change_note") is None:
        yield remark(
            "change_note",
            "/publication/change_note",
            message(
                "This would be version {number}, and from the second version on a record says "
                "what has changed. Add {place}: a sentence for the public, by language.",
                number=entrance.version,
                place="/publication/change_note",
            ),
        )


RULES: Mapping[str, RegisterRule] = MappingProxyType(
    {"R21": source_id_unique, "R22": name_distinct, "change_note": change_explained}
)


def _agency(entrance: RegisterRuleContext) -> str:
    return str(dig(entrance.document, "id") or "").split("/")[0]


def _repeats(mine: NameParts, other: NameParts) -> bool:
    """Tell whether two names of one language differ by little more than a slip."""
    (one, words, digits), (two, others, numbers) = mine, other
    if one == two:
        return True
    # Most names are far from alike, and what is cheap to see comes first.
    if digits != numbers or words.isdisjoint(others):
        return False
    if len(words & others) < SHARED_WORDS * max(len(words), len(others)):
        return False
    return SequenceMatcher(None, one, two, autojunk=False).ratio() >= _NEARLY_THE_SAME


def _looks_like(text: str, names: LangText) -> bool:
    if not confusable(text) and not any_confusable(names):
        return False
    seen = skeleton(text)
    return any(name != text and skeleton(name) == seen for name in names.values())
