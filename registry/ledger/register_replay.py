"""The register as its log says that it is: what follows from entries and contents alone.

A verified log is taken entry by entry (`verify_log`'s `visit`), with no database. What comes out
are the very structures that the API answers with, as of any entry, so that a stranger compares
answers with what the register was bound to. What the log does not bind is not in them, or said to
be `unbound`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from registry.errors import Finding
from registry.ledger.publication import risk_change
from registry.ledger.replay import OF_AGENCIES, subject
from registry.ledger.replayed_version import ReplayedVersion, change_note, source_facts, stated_day
from registry.record.agency_entry import agency_facts
from registry.record.canonical import canonical
from registry.record.content_file import Content, KeptSection, replaced_items, shown
from registry.record.entry import NOT_STATED, SourceState, imported_of
from registry.record.erasure import REPLACED
from registry.record.ids import agency_of
from registry.record.pack import Agency
from registry.store.as_of import END
from registry.store.attestations import Attestation
from registry.store.imports import SourceEvent
from registry.store.log import LogLine, RiskMove
from registry.store.records import Redacted, Register, StoredRecord, VersionLine
from registry.store.withdrawals import Withdrawal

_OF_LINES = ("moved_from", "changed_on", "undated", "run")
_ENDING = {"version", "withdrawal"}


class _Redaction(msgspec.Struct, frozen=True, kw_only=True):
    basis: str
    authority: str | None
    at: dt.datetime


class RegisterReplay:
    """The register as a log says; `take` its entries in order, then `finish` with its hashes."""

    def __init__(self) -> None:
        """Begin with an empty register."""
        self.versions: dict[str, list[ReplayedVersion]] = {}
        self.source_events: dict[str, list[SourceEvent]] = {}
        self._withdrawals: dict[str, list[Withdrawal]] = {}
        self._attestations: dict[str, list[Attestation]] = {}
        self._redactions: dict[int, _Redaction] = {}
        self._replaced: dict[int, list[Any] | None] = {}
        self._erased: dict[int, list[tuple[str, int]]] = {}
        self._endings: dict[str, list[tuple[int, str, dt.datetime]]] = {}
        self.agencies: dict[str, Agency] = {}
        self.codes: dict[str, str] = {}
        self.log: list[LogLine] = []
        self._times: list[dt.datetime] = []
        self._leaves: Sequence[bytes] = ()

    @property
    def size(self) -> int:
        """The number of entries taken."""
        return len(self._times)

    @property
    def attesting(self) -> list[str]:
        """The agencies that ever attested, by id."""
        return sorted(self._attestations)

    def take(self, index: int, entry: Mapping[str, Any], content: Content) -> None:
        """Take the next entry, which was checked, with its content."""
        at = dt.datetime.fromisoformat(entry["at"])
        self._times.append(at)
        kind, sections = entry["kind"], content.sections
        self.log.append(self._line(index, entry, at))
        if content.erased:
            self._erased[index] = sorted((one.pointer, one.redaction) for one in content.erased)
        if "code" in entry:
            self.codes[entry["id"]] = entry["code"]
        if kind in _ENDING:
            self._endings.setdefault(entry["id"], []).append((index, kind, at))
        if kind == "version":
            self._take_version(index, entry, content, at)
        elif kind == "withdrawal":
            self._withdrawals.setdefault(entry["id"], []).append(
                Withdrawal(
                    version=entry["version"],
                    reason=entry["reason"],
                    note=_value(sections, "note") or None,
                    successor=_value(sections, "successor"),
                    withdrawn_at=at,
                    entry=index,
                    hash="",
                    redacted=[],
                    approved_by=entry.get("approved_by"),
                )
            )
        elif kind == "attestation":
            self._attestations.setdefault(entry["agency"], []).append(
                Attestation(
                    agency=entry["agency"],
                    day=dt.date.fromisoformat(entry["day"]),
                    systems_total=entry["systems_total"],
                    uses_none=entry["systems_total"] == 0,
                    contact=_value(sections, "contact") or None,
                    note=_value(sections, "note") or None,
                    filed_at=at,
                    entry=index,
                    hash="",
                    records=0,
                    redacted=[],
                )
            )
        elif kind == "agency":
            self.agencies[entry["agency"]] = agency_facts(entry)
        elif kind == "redaction":
            authority = _value(sections, "authority")
            self._redactions[index] = _Redaction(basis=entry["basis"], authority=authority, at=at)
            self._replaced[index] = replaced_items(sections.get(REPLACED))
        elif kind == "source":
            self.source_events.setdefault(entry["id"], []).append(
                SourceEvent(
                    version=entry["version"],
                    entry=index,
                    state=entry["state"],
                    day=dt.date.fromisoformat(entry["day"]),
                    at=at,
                )
            )

    def finish(self, leaves: Sequence[bytes]) -> None:
        """Take the leaf hashes of all entries."""
        self._leaves = leaves
        # What stands in the place of erased members is said by later entries.
        for record, versions in self.versions.items():
            self.versions[record] = [
                one if not one.erased else msgspec.structs.replace(one, document=self._shown(one))
                for one in versions
            ]

    def leaf(self, index: int) -> str:
        """Return the leaf hash of an entry, in hex."""
        return self._leaves[index].hex()

    def at(self, index: int) -> dt.datetime:
        """Return the time of an entry."""
        return self._times[index]

    def standing(self, *, as_of: int = END) -> Iterator[tuple[ReplayedVersion, bool]]:
        """Yield the last version of each record by id, and whether it is in force."""
        for record in sorted(self.versions):
            known = [one for one in self.versions[record] if one.entry <= as_of]
            if known:
                yield known[-1], self._ended(known[-1], as_of)[0] == "published"

    def following(
        self, version: ReplayedVersion, *, as_of: int = END
    ) -> tuple[str, dt.datetime] | None:
        """Return kind and time of what put a version out of force, if anything did."""
        for index, kind, at in self._endings[version.record]:
            if version.entry < index <= as_of:
                return kind, at
        return None

    def withdrawals(self, record: str, *, as_of: int = END) -> list[Withdrawal]:
        """Return the withdrawals of a record, oldest first."""
        return [
            msgspec.structs.replace(
                one, hash=self.leaf(one.entry), redacted=self._redacted(one.entry)
            )
            for one in self._withdrawals.get(record, ())
            if one.entry <= as_of
        ]

    def attestations(self, agency: str, *, records: int, as_of: int = END) -> list[Attestation]:
        """Return the attestations of an agency that has `records`, the newest day first."""
        known = [one for one in self._attestations.get(agency, ()) if one.entry <= as_of]
        return [
            msgspec.structs.replace(
                one,
                hash=self.leaf(one.entry),
                records=records,
                redacted=self._redacted(one.entry),
            )
            for one in sorted(known, key=lambda one: (one.day, one.entry), reverse=True)
        ]

    def lines(self, record: str, *, as_of: int = END) -> list[VersionLine]:
        """Return the history of a record, oldest first."""
        lines = []
        for one in self.versions[record]:
            if one.entry <= as_of:
                facts = imported_of(one.said)
                more = {name: getattr(facts, name, None) for name in _OF_LINES}
                more["changed_on"] = more["changed_on"] or stated_day(one)
                more["approved_by"] = one.said.get("approved_by")
                lines.append(
                    VersionLine(
                        version=one.version,
                        published_at=one.at,
                        hash=self.leaf(one.entry),
                        entry=one.entry,
                        change_note=change_note(one),
                        **{name: value for name, value in more.items() if value},
                    )
                )
        return lines

    def stored(
        self, version: ReplayedVersion, *, fictitious: bool, as_of: int = END
    ) -> StoredRecord:
        """Return a version as it is stored and answered."""
        state, superseded_at = self._ended(version, as_of)
        findings = msgspec.Raw(msgspec.json.encode(list(version.findings)))
        return StoredRecord(
            id=version.record,
            agency=version.agency,
            document=version.document,
            register=Register(
                version=version.version,
                state=state,
                published_at=version.at,
                superseded_at=superseded_at,
                hash=self.leaf(version.entry),
                entry=version.entry,
                origin=version.origin,
                fictitious=fictitious,
                completeness=version.completeness,
                accountability=version.accountability,
                missing=list(version.missing),
                findings=findings,
                redacted=self._redacted(version.entry),
                code=self.codes.get(version.record),
                source=msgspec.UNSET
                if version.origin is None
                else source_facts(version, self._events(version, as_of=as_of)),
            ),
            versions=self.lines(version.record, as_of=as_of),
        )

    def source_state(self, version: ReplayedVersion, *, as_of: int = END) -> SourceState | None:
        """Return whether a foreign record is still at its source; None for one filed here."""
        if version.origin is None:
            return None
        return source_facts(version, self._events(version, as_of=as_of)).state

    def _events(self, version: ReplayedVersion, *, as_of: int) -> list[SourceEvent]:
        return [
            one
            for one in self.source_events.get(version.record, ())
            if one.version == version.version and one.entry <= as_of
        ]

    def _line(self, index: int, entry: Mapping[str, Any], at: dt.datetime) -> LogLine:
        """Return an entry as lists of changes have it; of a first version, without a lowering."""
        kind, move = entry["kind"], None
        before = self.versions.get(entry["id"]) if kind == "version" else None
        if before:
            earlier, risk = (said["risk"] or NOT_STATED for said in (before[-1].said, entry))
            move = risk_move(earlier, risk)
        return LogLine(
            index=index,
            at=at,
            kind=kind,
            subject=entry["agency"] if kind in OF_AGENCIES else subject(entry),
            risk=move,
            run=entry.get("run"),
            state=entry.get("state"),
            moved_from=entry.get("moved", {}).get("from"),
            undated=entry.get("undated", False),
        )

    def _take_version(
        self, index: int, entry: Mapping[str, Any], content: Content, at: dt.datetime
    ) -> None:
        record, moved = entry["id"], entry.get("moved")
        before = self.versions.setdefault(record, [])
        home = before[-1].agency if before else agency_of(record)
        whole = {one.key: msgspec.json.decode(one.value) for one in content.sections.values()}
        stated, kept = entry["verdict"], content.verdict or {}
        before.append(
            ReplayedVersion(
                record=record,
                agency=moved["to"] if moved else home,
                version=entry["version"],
                entry=index,
                at=at,
                said=entry,
                document=canonical(whole),
                erased=self._erased.get(index, ()),
                completeness=stated["completeness"],
                accountability=stated["accountability"],
                missing=tuple(kept.get("missing", ())),
                findings=msgspec.convert(kept.get("findings", ()), tuple[Finding, ...]),
            )
        )

    def _ended(self, version: ReplayedVersion, as_of: int) -> tuple[str, dt.datetime | None]:
        """Return the state of a version's record, and when something followed the version."""
        after = [one for one in self._endings[version.record] if version.entry < one[0] <= as_of]
        is_withdrawn = bool(after) and after[-1][1] == "withdrawal"
        return "withdrawn" if is_withdrawn else "published", after[0][2] if after else None

    def _shown(self, version: ReplayedVersion) -> bytes:
        whole = msgspec.json.decode(version.document)
        items = self._replaced.get
        return canonical(shown(whole, version.erased, items, version=version.version))

    def _redacted(self, entry: int) -> list[Redacted]:
        return [
            Redacted(
                pointer=pointer,
                basis=self._redactions[redaction].basis,
                authority=self._redactions[redaction].authority,
                entry=redaction,
                redacted_at=self._redactions[redaction].at,
            )
            for pointer, redaction in self._erased.get(entry, ())
        ]


def risk_move(before: str, after: str) -> RiskMove | None:
    """Return how a version moved a risk level, None where it did not."""
    change = risk_change(before, after)
    return None if change is None else RiskMove(change=change, before=before, after=after)


def _value(sections: Mapping[str, KeptSection], key: str) -> Any:
    """Return what is left of the value of a section; None where nothing is."""
    section = sections.get(key)
    return None if section is None else msgspec.json.decode(section.value)
