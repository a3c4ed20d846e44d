"""Filters and facets: which hits a filter lets pass, and how many each code would give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pyroaring import BitMap

from registry.search.facets import union
from registry.search.query import FacetCount


def passing(codes: Iterable[str], having: Mapping[str, BitMap]) -> BitMap:
    """Give the versions that have at least one of some codes."""
    return union([having[code] for code in codes if code in having])


def within(versions: BitMap, passed: Mapping[str, BitMap], leave_out: str | None = None) -> BitMap:
    """Give those of some versions that pass all filters, or all but one."""
    for kind, having in passed.items():
        if kind != leave_out:
            versions = versions & having
    return versions


def counts(versions: BitMap, having: Mapping[str, BitMap]) -> list[FacetCount]:
    """Count some versions by code, the most first; codes that none has are left out."""
    counted = ((versions.intersection_cardinality(of), code) for code, of in having.items())
    return [
        FacetCount(code=code, count=count)
        for count, code in sorted(
            ((count, code) for count, code in counted if count), key=lambda one: (-one[0], one[1])
        )
    ]
