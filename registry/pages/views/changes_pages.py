"""All changes in order, imports as one event each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import msgspec

from registry.pages.page import Page, digest
from registry.pages.reader import Reader
from registry.pages.site import Site, pages
from registry.pages.views.events import GATHERED, Event, event_view

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


_KINDS = ("new", "version", "gone", "present")
"""The kinds of what an import writes."""

_PARTS = 5
"""A large import touches more than one of so many parts of the register's records."""


class _Import(msgspec.Struct):
    """The events of one import, with their places in the log; `size` is the register's after it."""

    events: list[Event]
    place: int
    size: int = 0

    def is_large(self) -> bool:
        """Return whether it touched more than a fifth of the records."""
        records = {event.record for event in self.events}
        return len(self.events) > 1 and _PARTS * len(records) > self.size


def gather_imports(events: Sequence[Event]) -> list[Event]:
    """Return events with those of each large import as one, at the place of its last entry.

    The feed of an agency of another register has one too, of that agency's part.
    """
    large = [one for one in _imports(events) if one.is_large()]
    gathered = {(event.index, event.record) for one in large for event in one.events}
    kept = [event for event in events if (event.index, event.record) not in gathered]
    kept += [event for one in large for event in _gathered(one)]
    return sorted(kept, key=lambda event: event.index)


def _imports(events: Sequence[Event]) -> list[_Import]:
    """Return all imports: adjacent entries of a register that name the same run."""
    found: list[_Import] = []
    latest: dict[str, _Import] = {}
    records: dict[str, set[str]] = {}
    for place, event in enumerate(events):
        origin, record = event.origin, event.record
        if origin is None or record is None or event.kind not in _KINDS:
            continue
        records.setdefault(origin, set()).add(record)
        current = latest.get(origin)
        if current is None or current.events[-1].run != event.run:
            current = latest[origin] = _Import([], place)
            found.append(current)
        current.events.append(event)
        current.size = len(records[origin])
    return found


def _gathered(one: _Import) -> Iterator[Event]:
    page = f"changes/{one.place // PAGE_SIZE + 1}"
    yield _event(one.events, ("everything", f"origins/{one.events[0].origin}"), page=page)
    by_agency: dict[str | None, list[Event]] = {}
    for event in one.events:
        by_agency.setdefault(event.agency, []).append(event)
    for agency, several in by_agency.items():
        scopes = (f"agencies/{agency}",)
        if len(several) == 1:
            yield msgspec.structs.replace(several[0], scopes=scopes)
        else:
            yield _event(several, scopes, page=page, agency=agency)


def _event(
    events: Sequence[Event], scopes: Sequence[str], *, page: str, agency: str | None = None
) -> Event:
    first, last = events[0], events[-1]
    counted = Counter(event.kind for event in events)
    return Event(
        index=last.index,
        at=last.at,
        kind=GATHERED,
        agency=agency,
        scopes=scopes,
        origin=first.origin,
        run=first.run,
        first=first.index,
        begun=first.day,
        counts={kind: counted[kind] for kind in _KINDS if counted[kind]},
        page=page,
    )
