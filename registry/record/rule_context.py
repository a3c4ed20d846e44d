"""The rule context: a document with what the publication rules read of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import msgspec

from registry.errors import Severity
from registry.record.law import Demand
from registry.record.messages import Message, PendingFinding, message
from registry.record.model import Document
from registry.record.pack import Pack
from registry.record.pointers import dig, pointer
from registry.record.requirements import (
    FUNCTION,
    RISK_LEVEL,
    ROLE,
    STATUS,
    RequirementStatus,
    covers,
)

STRONG_ROLES = frozenset(("recommends", "decides_with_review", "decides_alone"))
"""The roles in a decision from `recommends` up."""

ASKED_BY_FORMAT = message("Asked for by this register's format.")
"""What findings of the format's own rules say, which rest on no law."""


class RuleContext(msgspec.Struct, frozen=True, kw_only=True):
    """The argument of every rule.

    The document's shape is sound; `today` is the country's day. `held` names the conditions that
    hold, `withheld` the pointers that it lawfully withholds; `national` means that every code and
    language is already known to be the country's own. Level, status, role and function are those
    stated, of the risk, the system, in the decision; `demands` are what the country's law asks for.
    """

    document: Document
    pack: Pack
    today: dt.date
    held: frozenset[str]
    withheld: tuple[str, ...]
    national: bool
    level: str | None
    status: str | None
    role: str | None
    function: str | None
    demands: tuple[Demand, ...]

    def dig(self, *path: str) -> Any:
        """Return the value that the document states at a path, or None."""
        return dig(self.document, *path)

    def lacks(self, *path: str) -> bool:
        """Return whether a path has no value, or an empty list, and is not lawfully withheld."""
        value = self.dig(*path)
        if value is not None:
            return bool(value == [])
        return not any(covers(given, pointer(path)) for given in self.withheld)


Rule: TypeAlias = Callable[[RuleContext], Iterator[PendingFinding]]


def make_rule_context(
    document: Document,
    status: RequirementStatus,
    pack: Pack,
    today: dt.date,
    *,
    national: bool = False,
) -> RuleContext:
    """Return the context of a document."""
    return RuleContext(
        document=document,
        pack=pack,
        today=today,
        held=status.requirements.held,
        withheld=status.excused,
        national=national,
        level=dig(document, *RISK_LEVEL),
        status=dig(document, *STATUS),
        role=dig(document, *ROLE),
        function=dig(document, *FUNCTION),
        demands=status.requirements.demands,
    )


def remark(
    rule: str, place: str, *messages: Message, severity: Severity = "error"
) -> PendingFinding:
    """Return a rule's finding, to be rendered."""
    return PendingFinding(pointer=place, rule=rule, severity=severity, messages=messages)
