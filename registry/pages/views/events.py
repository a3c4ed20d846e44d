"""The entries of the log in order, as lists of changes and feeds show them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from registry.log.register import RiskMove
from registry.pages.labels import message, plural_message
from registry.pages.page import digest
from registry.pages.reader import Reader, label, say
from registry.pages.site import Site
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
    "configuration": message("The country pack or the release of this register changed"),
    "origin": message("Another register is described"),
    "import": message("An import has ended"),
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

GATHERED = "gathered"
"""The kind of an event that stands for the entries of one import, which the log has not."""

IMPORT = message("Import of %(register)s")
MOVED = message("Moved here from %(agency)s")
STATED_DAY = message("Day of the change, says the agency: %(date)s")
UNDATED = message("Changed without a date at the source")


_OF_AGENCIES = {"attestation", "agency"}
_OF_OTHERS = {"origin", "import"}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the log; `record` and `agency` are ids, `scopes` the lists that it stands in.

    The scope `all` is what was filed here, `everything` has the other registers too. `digest`
    covers what is shown of the record, or else of the agency. An event of kind `gathered` stands
    for the entries of one import, from `first` on the day `begun` to `index`: `counts` are its
    entries by kind, `page` is the page of the log on which they begin.
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
        elif line.kind not in _OF_OTHERS:
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
