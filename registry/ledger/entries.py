"""What enters the log beside versions: a class for each kind of entry, with the rows of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from registry.record.entry import (
    ApprovedBy,
    EntryKind,
    PeerEntry,
    Previous,
    SourceState,
    attestation_entry,
    redaction_entry,
    source_entry,
    withdrawal_entry,
)
from registry.record.log_entry import key_entry, policy_entry
from registry.record.sections import Section
from registry.store.log import Entry, TableRow, bytea
from registry.store.records import CurrentVersion


class NewEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that is to be appended.

    `stored` are the exact bytes of one that is brought back from our own files.
    """

    kind: ClassVar[EntryKind]
    actor: str
    stored: bytes | None = None

    @property
    def record(self) -> str | None:
        """The id of the record that the entry is about, if it is about one."""
        return None

    def write(self, at: dt.datetime) -> bytes:
        """Return the bytes of the entry at a time."""
        raise NotImplementedError

    def project(self, _entry: Entry, /) -> Mapping[str, Sequence[TableRow]]:
        """Return the rows that follow from the entry at its place, by table; here none."""
        return {}


class RecordEntry(NewEntry, frozen=True, kw_only=True):
    """An entry about the record `id`."""

    id: str

    @property
    def record(self) -> str:
        """The record's id."""
        return self.id


class WithdrawalEntry(RecordEntry, frozen=True, kw_only=True):
    """A withdrawal of the version in force, `current`; `approved_by` where it took two actors.

    `source` is the withdrawal in another register's log that it follows.
    """

    kind: ClassVar[EntryKind] = "withdrawal"
    current: CurrentVersion
    reason: str
    sections: Sequence[Section]
    approved_by: ApprovedBy | None = None
    source: PeerEntry | None = None

    def write(self, at: dt.datetime) -> bytes:
        """Return the bytes of the entry at a time."""
        return withdrawal_entry(
            actor=self.actor,
            at=at,
            record=self.id,
            version=self.current.version,
            reason=self.reason,
            previous=after(self.current),
            sections=self.sections,
            approved_by=self.approved_by,
            source=self.source,
        )

    def project(self, entry: Entry) -> Mapping[str, Sequence[TableRow]]:
        """Return the withdrawal; the record goes out of force."""
        at = {"entry": entry.index, "version": self.current.version}
        withdrawal = {
            "record": self.id,
            "withdrawn_at": entry.at,
            "reason": self.reason,
            "actor": self.actor,
            "approved_by": self.approved_by,
        }
        return {
            "withdrawal": [at | withdrawal],
            "record": [at | {"id": self.id, "agency": self.current.agency, "state": "withdrawn"}],
            "entry_section": _entry_sections(entry, self.sections),
        }


class SourceEntry(RecordEntry, frozen=True, kw_only=True):
    """A foreign record that is gone from its source, or back; `current` stays in force."""

    kind: ClassVar[EntryKind] = "source"
    origin: str
    current: CurrentVersion
    state: SourceState
    day: dt.date
    run: int

    def write(self, at: dt.datetime) -> bytes:
        """Return the bytes of the entry at a time."""
        return source_entry(
            actor=self.actor,
            at=at,
            record=self.id,
            origin=self.origin,
            version=self.current.version,
            state=self.state,
            day=self.day,
            run=self.run,
            previous=after(self.current),
        )

    def project(self, entry: Entry) -> Mapping[str, Sequence[TableRow]]:
        """Return where the record stands at its source."""
        event = {
            "entry": entry.index,
            "record": self.id,
            "version": self.current.version,
            "state": self.state,
            "day": self.day,
            "at": entry.at,
        }
        return {"source_event": [event]}


class AttestationEntry(NewEntry, frozen=True, kw_only=True):
    """What an agency says of the number of its systems; `previous` is its attestation before.

    `approved_by` where it took two actors.
    """

    kind: ClassVar[EntryKind] = "attestation"
    agency: str
    day: dt.date
    systems_total: int
    previous: Previous | None
    sections: Sequence[Section]
    approved_by: ApprovedBy | None = None

    def write(self, at: dt.datetime) -> bytes:
        """Return the bytes of the entry at a time."""
        return attestation_entry(
            actor=self.actor,
            at=at,
            agency=self.agency,
            day=self.day,
            systems_total=self.systems_total,
            previous=self.previous,
            sections=self.sections,
            approved_by=self.approved_by,
        )

    def project(self, entry: Entry) -> Mapping[str, Sequence[TableRow]]:
        """Return the attestation."""
        attestation = {
            "entry": entry.index,
            "agency": self.agency,
            "day": self.day,
            "systems_total": self.systems_total,
            "filed_at": entry.at,
            "actor": self.actor,
            "approved_by": self.approved_by,
        }
        return {
            "attestation": [attestation],
            "entry_section": _entry_sections(entry, self.sections),
        }


class KeyEntry(NewEntry, frozen=True, kw_only=True):
    """The log's next key, and the one that it follows, as verifier keys."""

    kind: ClassVar[EntryKind] = "key"
    key: str
    follows: str

    def write(self, at: dt.datetime) -> bytes:
        """Return the bytes of the entry at a time."""
        return key_entry(actor=self.actor, at=at, key=self.key, follows=self.follows)


class RedactionEntry(NewEntry, frozen=True, kw_only=True):
    """A redaction that a second actor has confirmed; `redaction` is the number of the request.

    It is of a record `id`, or of an `agency`'s attestations. `confirmed_person` is kept with the
    request only: the log names roles, never persons. `source` is the redaction in another
    register's log that it follows.
    """

    kind: ClassVar[EntryKind] = "redaction"
    redaction: int
    confirmed_by: str
    confirmed_person: str | None = None
    id: str | None
    agency: str | None = None
    versions: Sequence[int]
    entries: Sequence[int] = ()
    pointers: Sequence[str]
    basis: str
    previous: Previous | None
    sections: Sequence[Section]
    source: PeerEntry | None = None

    @property
    def record(self) -> str | None:
        """The record's id, if it is of a record."""
        return self.id

    def write(self, at: dt.datetime) -> bytes:
        """Return the bytes of the entry at a time."""
        return redaction_entry(
            actor=self.actor,
            confirmed_by=self.confirmed_by,
            at=at,
            record=self.id,
            agency=self.agency,
            versions=self.versions,
            entries=self.entries,
            pointers=self.pointers,
            basis=self.basis,
            previous=self.previous,
            sections=self.sections,
            source=self.source,
        )

    def project(self, entry: Entry) -> Mapping[str, Sequence[TableRow]]:
        """Return who confirmed the request, and where the log has it."""
        confirmed = {
            "id": self.redaction,
            "entry": entry.index,
            "confirmed_by": self.confirmed_by,
            "confirmed_person": self.confirmed_person,
        }
        return {
            "redaction": [confirmed],
            "entry_section": _entry_sections(entry, self.sections),
        }


class PolicyEntry(NewEntry, frozen=True, kw_only=True):
    """The text of the policy of witnesses that is in force from here on."""

    kind: ClassVar[EntryKind] = "policy"
    policy: str

    def write(self, at: dt.datetime) -> bytes:
        """Return the bytes of the entry at a time."""
        return policy_entry(actor=self.actor, at=at, policy=self.policy)


def after(current: CurrentVersion) -> Previous:
    """Return the link to the last entry of a record."""
    return Previous(index=current.last_entry, leaf=current.last_leaf)


def section_row(section: Section) -> TableRow:
    """Return the columns of a section."""
    return msgspec.structs.asdict(section) | {"salts": bytea(section.salts)}


def _entry_sections(entry: Entry, sections: Sequence[Section]) -> list[TableRow]:
    return [{"entry": entry.index} | section_row(section) for section in sections]
