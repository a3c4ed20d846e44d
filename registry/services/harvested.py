"""Entries of a peer's log as they are taken in: whose they are, and what they become here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from registry.ledger.publication import SealedDocument
from registry.log.entry import LogEntry, PeerEntry, RedactionEntry, VersionEntry, WithdrawalEntry
from registry.record.ids import MAX_LENGTH, agency_of, is_id
from registry.record.model import Document
from registry.record.pack import Agency
from registry.record.pointers import parts
from registry.record.validate import Verdict
from registry.store.peers import PeerSubject


class Harvested(msgspec.Struct, frozen=True, kw_only=True):
    """A verified entry of a peer's log, made ready.

    `document`, `agency`, `verdict` and `sealed` are of a version, as it is to be published here;
    `texts` are what a withdrawal or redaction commits to. `holes` are the list items that are
    erased there, as `hole` writes them. `evidence` is JSON of the peer's own proof; `fault` says
    why a version cannot be taken.
    """

    index: int
    leaf: bytes
    entry: LogEntry
    subject: str | None
    document: Document | None = None
    agency: Agency | None = None
    verdict: Verdict | None = None
    sealed: SealedDocument | None = None
    texts: Mapping[str, Any] = {}
    holes: Sequence[str] = ()
    evidence: str | None = None
    fault: str | None = None

    @property
    def source(self) -> PeerEntry:
        """The entry as entries here name it."""
        return PeerEntry(
            index=self.index,
            leaf=self.leaf.hex(),
            at=self.entry.at,
            version=self.entry.version if isinstance(self.entry, VersionEntry) else None,
        )


def id_here(code: str, record: str) -> str:
    """Return the id that a peer's record has here."""
    return f"{code}.{record}"


def is_taken(entry: LogEntry, before: PeerSubject | None) -> bool:
    """Return whether an entry is of a record that is the peer's own: others come from elsewhere."""
    if not isinstance(entry, VersionEntry | WithdrawalEntry | RedactionEntry):
        return False
    if before is not None:
        return before.record is not None
    return not isinstance(entry, VersionEntry) or entry.origin is None


def grouped(work: Sequence[Harvested]) -> list[list[Harvested]]:
    """Part entries, in their order, so that each group has a record once."""
    groups: list[list[Harvested]] = []
    taken: set[str] = set()
    for one in work:
        if not groups or one.subject in taken:
            groups.append([])
            taken.clear()
        groups[-1].append(one)
        taken.add(str(one.subject))
    return groups


def after_entry(one: Harvested, before: PeerSubject | None, record: str | None) -> PeerSubject:
    """Return a subject after an entry."""
    version = one.entry.version if isinstance(one.entry, VersionEntry) else 0
    return PeerSubject(
        subject=str(one.subject),
        index=one.index,
        leaf=one.leaf,
        version=version or (before.version if before is not None else 0),
        record=record if before is None else before.record,
        is_withdrawn=before is not None and before.is_withdrawn,
        holes=sorted({*(before.holes if before is not None else ()), *one.holes}),
    )


def misplaced(record: str, elsewhere: Mapping[str, str | None]) -> str | None:
    """Return why a record cannot have its id here."""
    agency = agency_of(record)
    for name in (agency, record):
        if name in elsewhere:
            return f"{name} belongs to {elsewhere[name] or 'this register itself'} here"
    if not is_id(record):
        return f"its id here, {record}, would have more than {MAX_LENGTH} characters"
    return None


def hole(version: int, pointer: str) -> str:
    """Return how a list item is noted that was erased of a version before it came here."""
    return f"{version} {pointer}"


def left_to_erase(pointers: Sequence[str], version: int, holes: Collection[str]) -> list[str]:
    """Return what is to be erased here of a version of which a redaction there names pointers.

    Items that were never here are left out. The numbers of others in their lists are not those
    that they have there, so that the whole list goes.
    """
    own = {one.partition(" ")[2] for one in holes if one.partition(" ")[0] == str(version)}
    shifted = {parts(one)[0] for one in own}
    return sorted(
        {
            f"/{key}" if (key := parts(one)[0]) in shifted else one
            for one in pointers
            if one not in own
        }
    )
