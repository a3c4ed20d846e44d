"""Entries that are to be appended, each with the rows that follow from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from registry.log.blob import KeptVerdict
from registry.log.disclosure_tree import Section
from registry.log.entry import (
    AgencyEntry,
    AttestationEntry,
    ImportEntry,
    LogEntry,
    OriginEntry,
    Previous,
    RedactionEntry,
    SourceEntry,
    WithdrawalEntry,
    entry_bytes,
    previous_entry,
    timestamp,
)
from registry.store.agencies import agency_document
from registry.store.log import Entry, TableRow, bytea
from registry.store.records import CurrentVersion


class NewEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that is to be appended.

    `stored` are the exact bytes of one that published files have, and `at` is its time.
    """

    stored: bytes | None = None
    at: dt.datetime | None = None

    @property
    def kind(self) -> str:
        """The kind of the entry."""
        raise NotImplementedError

    @property
    def record(self) -> str | None:
        """The id of the record that the entry is about, if it is about one."""
        raise NotImplementedError

    def write(self, at: dt.datetime) -> bytes:
        """Return the bytes of the entry at a time."""
        raise NotImplementedError

    def project(self, entry: Entry, /) -> Mapping[str, Sequence[TableRow]]:
        """Return the rows that follow from the entry at its place, by table."""
        raise NotImplementedError


class StatedEntry(NewEntry, frozen=True, kw_only=True):
    """An entry of any kind but a version, as it will state itself, and without a time yet.

    `sections` are what it commits to. `current` is the version of its record that is in force.
    `request` is the number of the request of a redaction, which `confirmed_person` is kept with:
    the log names roles, never persons. `left` are the verdicts that it leaves, by entry.
    `report` is the JSON text of an import's, whose digest its entry has.
    """

    entry: LogEntry
    left: Mapping[int, KeptVerdict] = {}
    sections: Sequence[Section] = ()
    current: CurrentVersion | None = None
    request: int = 0
    confirmed_person: str | None = None
    report: str = "{}"

    @property
    def kind(self) -> str:
        """The kind of the entry."""
        return self.entry.kind

    @property
    def record(self) -> str | None:
        """The id of the record that the entry is about, if it is about one."""
        return self.entry.record

    def write(self, at: dt.datetime) -> bytes:
        """Return the bytes of the entry at a time."""
        return entry_bytes(msgspec.structs.replace(self.entry, at=timestamp(at)))

    def project(self, entry: Entry, /) -> Mapping[str, Sequence[TableRow]]:
        """Return the rows that follow from the entry at its place, by table."""
        own = self._rows(entry)
        if not self.sections:
            return own
        rows = [{"entry": entry.index} | section_row(section) for section in self.sections]
        return {**own, "entry_section": rows}

    def _rows(self, entry: Entry) -> dict[str, Sequence[TableRow]]:  # noqa: PLR0911  one a kind
        stated = self.entry
        at: TableRow = {"entry": entry.index}
        match stated:
            case WithdrawalEntry():
                at["version"] = stated.version
                withdrawal = {
                    "record": stated.id,
                    "withdrawn_at": entry.at,
                    "reason": stated.reason,
                    "actor": stated.actor,
                    "approved_by": stated.approved_by,
                }
                record: TableRow = {"id": stated.id, "state": "withdrawn"}
                if self.current is not None:
                    record |= {"agency": self.current.agency, "origin": self.current.origin}
                return {"withdrawal": [at | withdrawal], "record": [at | record]}
            case SourceEntry():
                event = {
                    "record": stated.id,
                    "version": stated.version,
                    "state": stated.state,
                    "day": stated.day,
                    "at": entry.at,
                }
                return {"source_event": [at | event]}
            case AttestationEntry():
                attestation = {
                    "agency": stated.agency,
                    "day": stated.day,
                    "systems_total": stated.systems_total,
                    "filed_at": entry.at,
                    "actor": stated.actor,
                    "approved_by": stated.approved_by,
                }
                return {"attestation": [at | attestation]}
            case RedactionEntry():
                verdicts = {str(index): one.to_json() for index, one in self.left.items()}
                decision = {
                    one.key: msgspec.json.decode(one.value)
                    for one in self.sections
                    if one.key in {"authority", "reference"}
                }
                redaction = {
                    "id": self.request,
                    "record": stated.id,
                    "agency": stated.agency,
                    "versions": stated.versions,
                    "entries": stated.entries,
                    "pointers": stated.pointers,
                    "basis": stated.basis,
                    "authority": decision.get("authority") or "",
                    "reference": decision.get("reference"),
                    "requested_by": stated.actor,
                    "confirmed_by": stated.confirmed_by,
                    "confirmed_person": self.confirmed_person,
                    "verdicts": msgspec.json.encode(verdicts).decode() if verdicts else None,
                }
                return {"redaction": [at | redaction]}
            case AgencyEntry():
                document = agency_document(stated.facts)
                return {"agency_entry": [at | {"agency": stated.agency, "document": document}]}
            case OriginEntry():
                document = msgspec.json.encode(stated.facts).decode()
                return {"origin": [{"code": stated.origin, "document": document}]}
            case ImportEntry():
                run = {
                    "id": stated.run,
                    "origin": stated.origin,
                    "begun_at": stated.begun_at,
                    "ended_at": entry.at,
                    "file_name": stated.file_name,
                    "file_sha256": stated.file_sha256,
                    "crosswalk_sha256": stated.crosswalk_sha256,
                    "as_of": stated.as_of,
                    "complete": stated.complete,
                    "counts": msgspec.json.encode(stated.counts, order="deterministic").decode(),
                    "report": self.report,
                }
                return {"import_run": [run]}
        return {}


def after(current: CurrentVersion) -> Previous:
    """Return the link to the last entry of a record."""
    return previous_entry(current.last_entry, current.last_leaf)


def section_row(section: Section) -> TableRow:
    """Return the columns of a section."""
    return msgspec.structs.asdict(section) | {"salts": bytea(section.salts)}
