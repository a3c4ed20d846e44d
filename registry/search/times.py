"""Filters that depend on time: overdue reviews, and changes in a window."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from pyroaring import BitMap

from registry.record.facets import OVERDUE, REVIEW_DUE
from registry.search.facets import ALL, Facets, union
from registry.search.lookup import PostingReader
from registry.search.view import View
from registry.store.as_of import LogWindow
from registry.store.sql import statement


def overdue(facets: Facets, today: dt.date | None) -> dict[str, BitMap]:
    """Return the versions, not retired, whose review was due before a day, by the one code."""
    if today is None:
        raise ValueError("what is overdue depends on the day: give `today`")
    due = facets.sets(REVIEW_DUE)
    late = union([having for day, having in due.items() if day < today.isoformat()])
    retired = facets.having("status", "retired")
    return {OVERDUE: late if retired is None else late - retired}


def days_late(ordinals: Iterable[int], facets: Facets, today: dt.date) -> dict[int, int]:
    """Return the days since the review of overdue versions was due."""
    page = BitMap(ordinals)
    return {
        ordinal: (today - dt.date.fromisoformat(day)).days
        for day, having in facets.sets(REVIEW_DUE).items()
        for ordinal in having & page
    }


async def changed(window: LogWindow, *, view: View, entry: int, reader: PostingReader) -> BitMap:
    """Return the versions in force as of an entry of records with a version in a window."""
    published = view.facets.sets(ALL)[""] & BitMap(_entries(window, entry))
    return await _standing_for(published, view=view, entry=entry, reader=reader)


async def moved(
    window: LogWindow, *, view: View, entry: int, reader: PostingReader
) -> dict[str, BitMap]:
    """Return the versions in force of records whose risk level changed in a window, by kind."""
    entries = _entries(window, entry)
    connection = await reader.connection()
    by_change: dict[str, BitMap] = {}
    for row in await connection.fetch(statement("index", "moved"), entries.start, entries.stop):
        by_change.setdefault(row["risk_change"], BitMap()).add(row["entry"])
    return {
        change: await _standing_for(versions, view=view, entry=entry, reader=reader)
        for change, versions in by_change.items()
    }


def _entries(window: LogWindow, entry: int) -> range:
    last = entry if window.last is None else min(window.last, entry)
    return range(window.after + 1, max(window.after, last) + 1)


async def _standing_for(
    versions: BitMap, *, view: View, entry: int, reader: PostingReader
) -> BitMap:
    """Replace versions by those of their records that are in force as of an entry."""
    standing = view.standing_as_of(entry)
    gone = versions - standing
    if not gone:
        return versions
    connection = await reader.connection()
    rows = await connection.fetch(statement("index", "standing_for"), gone.to_array(), entry)
    return (versions & standing) | BitMap(row["entry"] for row in rows)
