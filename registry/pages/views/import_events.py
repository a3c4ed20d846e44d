"""Imports as one event each, where they touch more than a fifth of another register's records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from registry.pages.views.changes_pages import log_page
from registry.pages.views.events import Event

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
    page = log_page(one.place)
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
        kind="import",
        agency=agency,
        scopes=scopes,
        origin=first.origin,
        run=first.run,
        first=first.index,
        begun=first.day,
        counts={kind: counted[kind] for kind in _KINDS if counted[kind]},
        page=page,
    )
