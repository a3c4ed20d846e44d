"""Filters and facet counts as operations on bitmaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pyroaring import BitMap

from registry.search.facets import union
from registry.search.query import FacetCount


def passing(codes: Iterable[str], having: Mapping[str, BitMap]) -> BitMap:
    """Return the versions that have at least one of some codes."""
    return union([having[code] for code in codes if code in having])


def within(versions: BitMap, passed: Mapping[str, BitMap], leave_out: str | None = None) -> BitMap:
    """Return the versions, of some, that pass all filters, or all but one."""
    for kind, having in passed.items():
        if kind != leave_out:
            versions = versions & having
    return versions


def counts(versions: BitMap, having: Mapping[str, BitMap]) -> list[FacetCount]:
    """Return the codes of some versions by count, the largest first; without those of count 0."""
    counted = ((versions.intersection_cardinality(of), code) for code, of in having.items())
    return [
        FacetCount(code=code, count=count)
        for count, code in sorted(
            ((count, code) for count, code in counted if count), key=lambda one: (-one[0], one[1])
        )
    ]
