"""How complete a record is, from 0 to 100: reproducible from the document and the schema alone.

A unit that is mandatory under the circumstances weighs 3, an optional one 1, any other nothing.
An answer in progress counts half. Accountability is the same over what is asked for only because
of risk, personal data or operation (L, H, P, D); where nothing of that kind is asked for it is
100, and 0 for a record that does not state its risk level, of which nothing can be said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from registry.record.requirements import ALWAYS, RISK_LEVEL, WEIGHT_REQUIRED, Standing, standings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from registry.record.model import Document

_HALVES = {"met": 2, "half": 1}
_FAMILIES = frozenset("LHPD")


class Completeness(msgspec.Struct, frozen=True, kw_only=True):
    """Two scores, and the pointers of what applies and is not stated."""

    completeness: int
    accountability: int
    missing: tuple[str, ...]


def completeness(document: Document) -> Completeness:
    """Score a document whose shape is sound."""
    return score(standings(document))


def score(all_standings: Iterable[Standing]) -> Completeness:
    """Score from what is already known of each unit."""
    applicable = [standing for standing in all_standings if standing.weight]
    accountable = [standing for standing in applicable if _accountable(standing)]
    levelled = any(
        standing.unit.path == RISK_LEVEL and not standing.absent for standing in applicable
    )
    return Completeness(
        completeness=_share(applicable),
        accountability=_share(accountable) if levelled else 0,
        missing=tuple(standing.unit.pointer for standing in applicable if standing.absent),
    )


def _accountable(standing: Standing) -> bool:
    if standing.weight != WEIGHT_REQUIRED:
        return False
    names = {name for alternative in standing.unit.alternatives for name in alternative}
    return ALWAYS not in names and not names.isdisjoint(_FAMILIES)


def _share(of: list[Standing]) -> int:
    """Return the weighted share that is met, rounded half up; nothing asked for is all met."""
    whole = 2 * sum(standing.weight for standing in of)
    if whole == 0:
        return 100
    met = sum(standing.weight * _HALVES.get(standing.state, 0) for standing in of)
    return (200 * met + whole) // (2 * whole)
