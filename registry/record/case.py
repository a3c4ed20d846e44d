"""A document before the rules: with what is asked of it, and what it lawfully withholds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from registry.record.model import Document
from registry.record.pack import Pack
from registry.record.pointers import dig, pointer
from registry.record.requirements import covers, holding, withheld_pointers
from registry.record.sayings import Remark, Saying, say

if TYPE_CHECKING:
    from registry.errors import Severity

STRONG_ROLES = frozenset(("recommends", "decides_with_review", "decides_alone"))
"""The roles in a decision from `recommends` up."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What every rule is given. The document's shape is sound; `today` is the UTC date.

    `held` names the conditions that hold, `withheld` the pointers that it may and does withhold.
    """

    document: Document
    pack: Pack
    today: dt.date
    held: frozenset[str]
    withheld: tuple[str, ...]

    def dig(self, *path: str) -> Any:
        """Return what the document states at a path, or None."""
        return dig(self.document, *path)

    def lacks(self, *path: str) -> bool:
        """Tell whether a path is neither stated nor lawfully withheld; an empty list says none."""
        value = self.dig(*path)
        if value is not None:
            return bool(value == [])
        place = pointer(path)
        return not any(covers(given, place) for given in self.withheld)

    @property
    def statutory(self) -> tuple[str, ...]:
        """The sensitive categories used that the country's law calls so."""
        used = self.dig("data", "sensitive") or ()
        return tuple(code for code in used if code in self.pack.sensitive_statutory)


Rule: TypeAlias = Callable[[Case], Iterator[Remark]]


def open_case(document: Document, pack: Pack, today: dt.date) -> Case:
    """Prepare a document for the rules."""
    return Case(
        document=document,
        pack=pack,
        today=today,
        held=holding(document),
        withheld=withheld_pointers(document),
    )


def told(rule: str, place: str, *sayings: Saying, severity: Severity = "error") -> Remark:
    """Make a rule's remark."""
    return Remark(pointer=place, rule=rule, severity=severity, sayings=sayings)


def asked_by(pack: Pack, subject: str) -> tuple[Saying, ...]:
    """Cite the country's law on a subject, where the pack knows one."""
    law = pack.laws.get(subject)
    return (say("Asked for by {law}.", law=law),) if law else ()
