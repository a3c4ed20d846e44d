"""How complete a record is, from 0 to 100: reproducible from the document and the schema alone.

A unit that is mandatory under the circumstances weighs 3, an optional one 1, any other nothing.
An answer in progress counts half. Accountability is the same over what is asked for only because
of risk, personal data or operation (L, H, P, D); where nothing of that kind is asked for it is
100, and 0 for a record that does not state its risk level, of which nothing can be said.
"""

from __future__ import annotations

import msgspec

from registry.record.pointers import pointer
from registry.record.requirement_status import RequirementStatus
from registry.record.requirements import RISK_LEVEL, WEIGHT_OPTIONAL, WEIGHT_REQUIRED


class Completeness(msgspec.Struct, frozen=True, kw_only=True):
    """Two scores, and the pointers of what applies and is not stated."""

    completeness: int
    accountability: int
    missing: tuple[str, ...]


def score(status: RequirementStatus) -> Completeness:
    """Return the scores of a document, and what is missing in document order."""
    asked = status.requirements
    is_levelled = pointer(RISK_LEVEL) not in status.absent
    counted = asked.required | asked.optional
    return Completeness(
        completeness=_share(status, asked.required, asked.optional),
        accountability=_share(status, asked.accountable, frozenset()) if is_levelled else 0,
        missing=tuple(place for place in status.absent if place in counted),
    )


def _share(status: RequirementStatus, required: frozenset[str], optional: frozenset[str]) -> int:
    """Return the weighted share that is met, rounded half up; 100 where nothing is asked for."""

    def weight(units: frozenset[str]) -> int:
        return WEIGHT_REQUIRED * len(required & units) + WEIGHT_OPTIONAL * len(optional & units)

    whole = 2 * (WEIGHT_REQUIRED * len(required) + WEIGHT_OPTIONAL * len(optional))
    lost = 2 * weight(status.withheld.union(status.absent)) + weight(status.in_progress)
    return (200 * (whole - lost) + whole) // (2 * whole) if whole else 100
