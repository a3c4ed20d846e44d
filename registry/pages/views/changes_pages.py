"""All changes in order: as lists and feeds show them, imports as one event each."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from registry.log.register import RiskMove
from registry.pages.labels import message, plural_message
from registry.pages.page import Page, digest
from registry.pages.reader import Reader, label, say
from registry.pages.site import Site, pages
from registry.pages.views.lists import AT_SOURCE, agency_view, origin_view
from registry.record.model import LangText

KINDS = {
    "genesis": message("The log of this register begins"),
    "new": message("New record"),
    "version": message("New version"),
    "withdrawal": message("Record withdrawn"),
    "redaction": message("Parts of a record erased"),
    "attestation": message("An agency states how many systems it uses"),
    "key": message("The key of the log changed"),
    "policy": message("The witnesses of the log are named"),
    "agency": message("Name of an agency"),
    **AT_SOURCE,
}
"""The kinds of events, in English."""

COUNTED = {
    "new": plural_message("%(n)s new record", "%(n)s new records"),
    "version": plural_message("%(n)s changed record", "%(n)s changed records"),
    "gone": plural_message("%(n)s no longer at its source", "%(n)s no longer at their source"),
    "present": plural_message("%(n)s at its source again", "%(n)s at their source again"),
}
"""What an import did, by kind of event, in English: for one, for several."""

IMPORT = message("Import of %(register)s")
MOVED = message("Moved here from %(agency)s")
STATED_DAY = message("Day of the change, says the agency: %(date)s")
UNDATED = message("Changed without a date at the source")


_OF_AGENCIES = {"attestation", "agency"}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the log; `record` and `agency` are ids, `scopes` the lists that it stands in.

    The scope `all` is what was filed here, `everything` has the other registers too. `digest`
    covers what is shown of the record, or else of the agency. An event of kind `import` stands for
    the entries of one import, from `first` on the day `begun` to `index`: `counts` are its entries
    by kind, `page` is the page of the log on which they begin.
    """

    index: int
    at: dt.datetime
    kind: str
    record: str | None = None
    agency: str | None = None
    version: int | None = None
    note: LangText | None = None
    reason: str | None = None
    systems: int | None = None
    risk: RiskMove | None = None
    scopes: Sequence[str] = ()
    digest: str = ""
    origin: str | None = None
    run: int | None = None
    moved_from: str | None = None
    undated: bool = False
    changed_on: str | None = None
    first: int | None = None
    begun: str = ""
    counts: Mapping[str, int] = {}
    page: str = ""

    @property
    def day(self) -> str:
        """The UTC day, as ISO 8601."""
        return self.at.date().isoformat()


def read_events(site: Site) -> list[Event]:
    """Return the events of the whole log, oldest first."""
    snapshot = site.snapshot
    versions = {
        (name, line.entry): line
        for name, record in site.records.items()
        for line in record.versions
    }
    withdrawals = {
        (name, one.entry): one
        for name, record in site.records.items()
        for one in record.withdrawals
    }
    stated = {(one.agency, one.entry): one for one in snapshot.attestations.values()}
    events, named = [], set()
    for line in snapshot.log:
        place = (line.subject or "", line.index)
        card = site.cards.get(line.subject or "")
        facts: dict[str, Any] = {}
        if (version := versions.get(place)) is not None:
            facts = {
                "version": version.version,
                "note": version.change_note,
                "changed_on": None if card and card.origin else version.changed_on or None,
            }
        elif (withdrawal := withdrawals.get(place)) is not None:
            facts = {"reason": withdrawal.reason, "note": withdrawal.note}
        elif (said := stated.get(place)) is not None:
            facts = {"systems": said.systems_total, "note": said.note}
        agency = card.agency if card else line.subject if line.kind in _OF_AGENCIES else None
        known = snapshot.agencies.get(agency or "")
        origin = card.origin if card else known.origin if known else None
        scopes = {"everything"}
        if agency:
            scopes.add(f"agencies/{agency}")
        if origin:
            scopes.add(f"origins/{origin}")
        else:
            scopes.add("all")
        if line.kind == "agency" and agency not in named:
            # That it is named for the first time is told by the record that it filed.
            scopes = set()
            named.add(agency)
        if card and not card.origin:
            moved = {line.risk.before, line.risk.after} if line.risk else set()
            scopes |= {f"risk/{level}" for level in {card.risk, *moved}}
            scopes.add(f"sectors/{card.sector}")
        events.append(
            Event(
                index=line.index,
                at=line.at,
                kind="new" if facts.get("version") == 1 else line.state or line.kind,
                record=card.id if card else None,
                agency=agency,
                risk=line.risk,
                scopes=sorted(scopes),
                digest=card.digest if card else digest(msgspec.json.encode(known)),
                origin=origin,
                run=line.run,
                moved_from=line.moved_from,
                undated=line.undated,
                **facts,
            )
        )
    return events


def event_view(reader: Reader, site: Site, event: Event) -> dict[str, Any]:
    """Return the view of an event; `kind` is an English wording."""
    card = site.cards.get(event.record or "")
    return {
        "index": event.index,
        "first": event.first,
        "day": event.day,
        "kind": KINDS.get(event.kind, event.kind),
        "record": event.record,
        "name": say(reader, card.name, card.written) if card else None,
        "fictitious": bool(card and card.fictitious),
        "origin": event.origin,
        "agency": agency_view(reader, site, event.agency) if event.agency else None,
        "version": event.version,
        "note": say(reader, event.note),
        "reason": label(reader, "withdrawal_reason", event.reason) if event.reason else None,
        "systems": event.systems,
        "moved": event.moved_from
        and (MOVED, agency_view(reader, site, event.moved_from)["name"].inline),
        "undated": event.undated and UNDATED,
        "changed_on": event.changed_on,
        "register": origin_view(reader, site, event.origin)["origin_name"],
        "counts": [(*COUNTED[kind], number) for kind, number in event.counts.items()],
        "run": event.run,
        "page": event.page,
        "risk": [
            label(reader, "risk_level", level) for level in (event.risk.before, event.risk.after)
        ]
        if event.risk
        else None,
    }


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
