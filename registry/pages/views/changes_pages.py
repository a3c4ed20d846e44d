"""All changes in order: the latest on one page, and those before on pages that stay as they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import msgspec

from registry.pages.page import Page, digest
from registry.pages.reader import Reader
from registry.pages.site import Site, pages
from registry.pages.views.events import Event, event_view

PAGE_SIZE = 100


def changes_pages(site: Site, events: Sequence[Event]) -> Iterator[Page]:
    """Yield the list of changes in each language; `events` are all, oldest first.

    Page n holds the n-th hundred entries and is made when they are complete.
    """
    full = len(events) // PAGE_SIZE
    latest = events[-PAGE_SIZE:]
    before = (len(events) - PAGE_SIZE - 1) // PAGE_SIZE + 1 if len(events) > PAGE_SIZE else 0
    yield from _list(site, "changes", latest, earlier=before, later=None)
    for number in range(1, full + 1):
        part = events[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
        later = f"changes/{number + 1}" if number < full else "changes"
        yield from _list(site, f"changes/{number}", part, earlier=number - 1, later=later)


def _list(
    site: Site, path: str, events: Sequence[Event], *, earlier: int, later: str | None
) -> Iterator[Page]:
    known = {"earlier": earlier, "later": later}
    key = digest(msgspec.json.encode([known, events]))
    view = partial(_view, site=site, events=events, known=known)
    return pages(site, path, template="changes.html", key=key, view=view)


def _view(
    reader: Reader, *, site: Site, events: Sequence[Event], known: dict[str, Any]
) -> dict[str, Any]:
    return known | {"events": [event_view(reader, site, event) for event in reversed(events)]}
