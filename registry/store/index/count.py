"""Filters and facets: which hits a filter lets pass, and how many each code would give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from registry.store.index.facets import REVIEW_DUE, union
from registry.store.index.question import OVERDUE, FacetCount

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from pyroaring import BitMap

    from registry.store.index.facets import Facets

_OVERDUE = "overdue"


def passing(
    filters: Mapping[str, Sequence[str]], facets: Facets, today: dt.date | None
) -> dict[str, BitMap]:
    """Give for each filter the versions that have one of its codes."""
    return {
        kind: _overdue(facets, today) if kind == _OVERDUE else facets.having_any(kind, codes)
        for kind, codes in filters.items()
    }


def within(versions: BitMap, passed: Mapping[str, BitMap], leave_out: str | None = None) -> BitMap:
    """Give those of some versions that pass all filters, or all but one."""
    for kind, having in passed.items():
        if kind != leave_out:
            versions = versions & having
    return versions


def counts(kind: str, versions: BitMap, facets: Facets, today: dt.date | None) -> list[FacetCount]:
    """Count some versions by code, the most first; codes that none has are left out."""
    if kind == _OVERDUE:
        count = versions.intersection_cardinality(_overdue(facets, today))
        return [FacetCount(code=OVERDUE, count=count)] if count else []
    counted = (
        (versions.intersection_cardinality(having), code)
        for code, having in facets.sets(kind).items()
    )
    return [
        FacetCount(code=code, count=count)
        for count, code in sorted(
            ((count, code) for count, code in counted if count), key=lambda one: (-one[0], one[1])
        )
    ]


def _overdue(facets: Facets, today: dt.date | None) -> BitMap:
    if today is None:
        raise ValueError("what is overdue depends on the day: give `today`")
    due = union(
        [having for day, having in facets.sets(REVIEW_DUE).items() if day < today.isoformat()]
    )
    retired = facets.having("status", "retired")
    return due if retired is None else due - retired
