"""Completeness: how much of what it could state a record states, from 0 to 100.

It is computed from the document and the schema alone. A unit that is mandatory under the conditions
that hold weighs 3, an optional one 1, any other nothing; an answer in progress counts half.
Accountability is the same over the units that are required only because of risk, personal data or
operation (L, H, P, D): 100 where there are none, and 0 for a record without a risk level. A foreign
record is under no duty here: it has no accountability if it states none of these units, so that
saying nothing is never the best score. Nor is it for a restricted record, of which nothing is met
that it may not state; where nothing is known by which it would account for itself, that is 0 too.
"""

from __future__ import annotations

import msgspec

from registry.record.pointers import pointer
from registry.record.requirement_status import RequirementStatus
from registry.record.requirements import RISK_LEVEL, WEIGHT_OPTIONAL, WEIGHT_REQUIRED

_LEVEL = pointer(RISK_LEVEL)


class Completeness(msgspec.Struct, frozen=True, kw_only=True):
    """The two scores, and the pointers of the units that apply and are not stated."""

    completeness: int
    accountability: int | None
    missing: tuple[str, ...]


def score(status: RequirementStatus, *, foreign: bool = False) -> Completeness:
    """Return the scores of a document, and the missing units in document order."""
    requirements = status.requirements
    unstated = requirements.counted - requirements.units.keys()
    unmet, half = status.withheld.union(status.absent, unstated), status.in_progress
    is_levelled = _LEVEL not in status.absent
    accountability: int | None = 0
    if foreign and (not is_levelled or requirements.accountable <= unmet):
        accountability = None
    elif is_levelled and (requirements.accountable or not unstated):
        accountability = _share(requirements.accountable, frozenset(), unmet, half)
    return Completeness(
        completeness=_share(requirements.required, requirements.optional, unmet, half),
        accountability=accountability,
        missing=tuple([place for place in status.absent if place in requirements.counted]),
    )


def _share(
    required: frozenset[str], optional: frozenset[str], unmet: frozenset[str], half: frozenset[str]
) -> int:
    """Return the weighted share of units that is met, in percent, rounded half up.

    Nothing is met of `unmet` ones, half of `half`. 100 if there is no requirement.
    """

    def weight(units: frozenset[str]) -> int:
        return WEIGHT_REQUIRED * len(required & units) + WEIGHT_OPTIONAL * len(optional & units)

    whole = 2 * (WEIGHT_REQUIRED * len(required) + WEIGHT_OPTIONAL * len(optional))
    met = whole - 2 * weight(unmet) - weight(half)
    return (200 * met + whole) // (2 * whole) if whole else 100
