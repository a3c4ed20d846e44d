"""How complete a record is, from 0 to 100: reproducible from the document and the schema alone.

A unit that is mandatory under the circumstances weighs 3, an optional one 1, any other nothing.
An answer in progress counts half. Accountability is the same over what is asked for only because
of risk, personal data or operation (L, H, P, D); where nothing of that kind is asked for it is
100, and 0 for a record that does not state its risk level, of which nothing can be said.
"""

from __future__ import annotations

import msgspec

from registry.record.requirement_status import RequirementStatus, pointers
from registry.record.requirements import RISK_LEVEL, WEIGHT_OPTIONAL, WEIGHT_REQUIRED, unit_of


class Completeness(msgspec.Struct, frozen=True, kw_only=True):
    """Two scores, and the pointers of what applies and is not stated."""

    completeness: int
    accountability: int
    missing: tuple[str, ...]


def score(stands: RequirementStatus) -> Completeness:
    """Score a document from what is known of each unit."""
    asked, absent = stands.asked, stands.absent
    levelled = asked.required & unit_of(RISK_LEVEL) & ~absent
    return Completeness(
        completeness=_share(stands, asked.required, asked.optional),
        accountability=_share(stands, asked.accountable, 0) if levelled else 0,
        missing=pointers((asked.required | asked.optional) & absent),
    )


def _share(stands: RequirementStatus, required: int, optional: int) -> int:
    """Return the weighted share that is met, rounded half up; nothing asked for is all met."""
    whole = 2 * _weight(required, optional)
    if whole == 0:
        return 100
    met = 2 * _weight(required & stands.met, optional & stands.met)
    met += _weight(required & stands.half, optional & stands.half)
    return (200 * met + whole) // (2 * whole)


def _weight(required: int, optional: int) -> int:
    return WEIGHT_REQUIRED * required.bit_count() + WEIGHT_OPTIONAL * optional.bit_count()
