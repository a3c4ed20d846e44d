"""All changes in order: what was filed here, that with other registers, and the log's entries."""

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


def changes_pages(site: Site, events: Sequence[Event], gathered: Sequence[Event]) -> Iterator[Page]:
    """Yield the lists of changes in each language; events are all, oldest first.

    `gathered` are those with large imports as one. A list begins with its latest page; its n-th
    page holds the n-th hundred events and is made when they are complete. The pages of the log hold
    each entry, those of imports too, and the last of them grows.
    """
    copied = any(event.origin for event in events)
    for scope, path, numbered in (
        ("all", "changes", "changes/local"),
        ("everything", "changes/all", "changes/all"),
    ):
        chosen = [event for event in gathered if scope in event.scopes]
        full = len(chosen) // PAGE_SIZE
        before = (len(chosen) - PAGE_SIZE - 1) // PAGE_SIZE + 1 if len(chosen) > PAGE_SIZE else 0
        of_list = {"scope": scope, "copied": copied}
        latest = of_list | {"earlier": before and f"{numbered}/{before}", "later": None}
        yield from _list(site, path, chosen[-PAGE_SIZE:], latest)
        for number in range(1, full + 1):
            known = of_list | {
                "earlier": number > 1 and f"{numbered}/{number - 1}",
                "later": f"{numbered}/{number + 1}" if number < full else path,
            }
            yield from _list(site, f"{numbered}/{number}", _part(chosen, number), known)
    last = -(-len(events) // PAGE_SIZE)
    for number in range(1, last + 1):
        known = {
            "scope": "log",
            "copied": copied,
            "earlier": number > 1 and f"changes/{number - 1}",
            "later": number < last and f"changes/{number + 1}",
        }
        yield from _list(site, f"changes/{number}", _part(events, number), known)


def log_page(place: int) -> str:
    """Return the page of the log on which the entry at a place, counted from 0, stands."""
    return f"changes/{place // PAGE_SIZE + 1}"


def _part(events: Sequence[Event], number: int) -> Sequence[Event]:
    return events[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]


def _list(site: Site, path: str, events: Sequence[Event], known: dict[str, Any]) -> Iterator[Page]:
    known = known | {"is_blocked": site.snapshot.register.is_blocked}
    key = digest(msgspec.json.encode([known, events]))
    view = partial(_view, site=site, events=events, known=known)
    return pages(site, path, template="changes.html", key=key, view=view)


def _view(
    reader: Reader, *, site: Site, events: Sequence[Event], known: dict[str, Any]
) -> dict[str, Any]:
    return known | {"events": [event_view(reader, site, event) for event in reversed(events)]}
