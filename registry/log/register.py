"""The register that follows from a log: versions, withdrawals, attestations, as they are answered.

Database and replay give the same structs, so that a stranger compares answers with the log. What
the log does not bind is not in the replay.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import msgspec

from registry.errors import Finding
from registry.log.blob import Content, KeptSection, replaced_items, shown
from registry.log.entry import (
    AgencyEntry,
    ApprovedBy,
    AttestationEntry,
    Imported,
    LogEntry,
    RedactionEntry,
    SourceEntry,
    VersionEntry,
    WithdrawalEntry,
)
from registry.log.erasure import REPLACED
from registry.log.replay import LogReplay
from registry.record.canonical import canonical
from registry.record.model import NOT_STATED, LangText, RiskChange, SourceState
from registry.record.origin import Origin
from registry.record.pack import Agency
from registry.record.pointers import dig
from registry.record.risk_floor import LEVELS

_OF_LINES = ("moved_from", "changed_on", "undated", "run")

END = 2**63 - 1
"""Later than every entry."""


class Redacted(msgspec.Struct, frozen=True, kw_only=True):
    """An erased part: a code of the list `redaction_reason`, and the authority that decided it.

    `entry` is that of the redaction in the log.
    """

    pointer: str
    basis: str
    authority: str | None
    entry: int
    redacted_at: dt.datetime


_FINDINGS = msgspec.Meta(
    extra_json_schema={"type": "array", "items": {"$ref": "#/components/schemas/Finding"}}
)


class Register(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a version in the register, beside the document.

    `hash` is the entry's leaf hash in hex. `findings` is JSON as stored, since most answers pass it
    on. `code` is the short code of what was filed here; `source` is there for foreign records.
    """

    version: int
    state: str
    published_at: dt.datetime
    superseded_at: dt.datetime | None
    hash: str
    entry: int
    origin: str | None
    fictitious: bool
    completeness: int
    accountability: int | None
    missing: list[str]
    findings: Annotated[msgspec.Raw, _FINDINGS]
    redacted: list[Redacted]
    code: str | None = None
    source: SourceFacts | msgspec.UnsetType = msgspec.UNSET

    def noticed(self) -> list[Finding]:
        """Return the findings of the version when it was published."""
        return msgspec.json.decode(self.findings, type=list[Finding])


class SourceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Where a version of a foreign record stands at the register that it comes from.

    `id` is the record's id there, empty where it has none; `state_since` the day on which it was
    found gone, or back; `changed_on` the day of its last change that the source states. `undated`
    says that the source changed it without moving that day, `moved_from` that it was another
    agency's before, and `run` is the import that published the version. `register` is None where
    nothing is known of it but its code.

    The rest is there for what was harvested from another register's log: its name (`origin`), the
    `index` and `leaf` hash of the version's entry in it, the number and time that the version has
    there, when it was seen there, and the address of its proof there.
    """

    id: str
    state: SourceState
    state_since: dt.date | None
    changed_on: str | None
    undated: bool
    moved_from: str | None
    run: int | None
    register: Origin | None
    origin: str | msgspec.UnsetType = msgspec.UNSET
    index: int | msgspec.UnsetType = msgspec.UNSET
    leaf: str | msgspec.UnsetType = msgspec.UNSET
    version: int | msgspec.UnsetType = msgspec.UNSET
    published_at: dt.datetime | msgspec.UnsetType = msgspec.UNSET
    seen_at: dt.datetime | msgspec.UnsetType = msgspec.UNSET
    proof: str | msgspec.UnsetType = msgspec.UNSET


class VersionLine(msgspec.Struct, frozen=True, kw_only=True):
    """A version in a record's history; of foreign ones with the last members of `SourceFacts`.

    `changed_on` of a record that was filed here is the day of the change that its agency states:
    `YYYY`, `YYYY-MM` or `YYYY-MM-DD`. `approved_by` says for whom a second actor approved it.
    """

    version: int
    published_at: dt.datetime
    hash: str
    entry: int
    change_note: LangText | None
    approved_by: ApprovedBy | msgspec.UnsetType = msgspec.UNSET
    moved_from: str | msgspec.UnsetType = msgspec.UNSET
    changed_on: str | msgspec.UnsetType = msgspec.UNSET
    undated: bool | msgspec.UnsetType = msgspec.UNSET
    run: int | msgspec.UnsetType = msgspec.UNSET


class StoredRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a record: `document` is its canonical JSON.

    `versions` is its history, oldest first, if it was read. `whole` has, by JSON Pointer, the whole
    of texts of a foreign record that the document has in part.
    """

    id: str
    agency: str
    document: bytes
    register: Register
    versions: list[VersionLine]
    whole: Mapping[str, str] = {}


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True):
    """A withdrawal: `version` was in force until then, `hash` is the entry's leaf hash.

    `successor` is the id of the record that takes its place, if one was named. `note` is null if
    it was erased. `approved_by` says for whom a second actor approved it.
    """

    version: int
    reason: str
    note: LangText | None
    successor: str | None
    withdrawn_at: dt.datetime
    entry: int
    hash: str
    redacted: list[Redacted]
    approved_by: ApprovedBy | None = None


class Attestation(msgspec.Struct, frozen=True, kw_only=True):
    """An agency's attestation for a day; `hash` is the entry's leaf hash in hex.

    `contact` and `note` are null if they were erased; `records` counts the agency's published
    records.
    """

    agency: str
    day: dt.date
    systems_total: int
    uses_none: bool
    contact: dict[str, str] | None
    note: LangText | None
    filed_at: dt.datetime
    entry: int
    hash: str
    records: int
    redacted: list[Redacted]


class SourceEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that a foreign record is gone from its source since a day, or there again.

    `version` is the one that was in force.
    """

    version: int
    entry: int
    state: SourceState
    day: dt.date
    at: dt.datetime


class RiskMove(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a record's risk level by a version: codes of the list `risk_level`."""

    change: RiskChange
    before: str
    after: str


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """An entry in a list of changes; `subject` is a record's or an agency's id.

    Of foreign records, where the entry says so: `run` is the import, `state` whether the record is
    `gone` from its source or `present` again, `moved_from` its agency before, and `undated` that
    the source changed it without moving its date.
    """

    index: int
    at: dt.datetime
    kind: str
    subject: str | None
    risk: RiskMove | None = None
    run: int | None = None
    state: str | None = None
    moved_from: str | None = None
    undated: bool = False


def risk_change(before: str | None, after: str) -> RiskChange | None:
    """Return which way a risk level moved, None where it did not, or where one is no level."""
    if before == after or before not in LEVELS or after not in LEVELS:
        return None
    return "raised" if LEVELS.index(after) > LEVELS.index(before) else "lowered"


class ReplayedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version as the log has it: its document without erased members, and its verdict.

    `entry` is the index of its entry, which `said` is.
    """

    said: VersionEntry
    agency: str
    entry: int
    at: dt.datetime
    document: bytes
    erased: Sequence[tuple[str, int]]
    missing: Sequence[str]
    findings: Sequence[Finding]

    @property
    def record(self) -> str:
        """The record's id."""
        return self.said.id

    @property
    def version(self) -> int:
        """The number of the version."""
        return self.said.version

    @property
    def origin(self) -> str | None:
        """The register that it was copied from."""
        return self.said.origin

    @property
    def completeness(self) -> int:
        """Its completeness in per cent."""
        return self.said.verdict.completeness

    @property
    def accountability(self) -> int | None:
        """Its accountability in per cent, None of what has none."""
        return self.said.verdict.accountability

    def stated(self, member: str) -> Any:
        """Return what the document states of its publication, such as its `change_note`."""
        return dig(msgspec.json.decode(self.document), "publication", member)


class RegisterReplay(LogReplay):
    """The register as a log says, of its first entries `until` a size, else of all.

    It is complete once `finish` was called.
    """

    def __init__(self, *, until: int | None = None) -> None:
        """Begin with an empty register."""
        super().__init__()
        self.versions: dict[str, list[ReplayedVersion]] = {}
        self.source_events: dict[str, list[SourceEvent]] = {}
        self.agencies: dict[str, Agency] = {}
        self.codes: dict[str, str] = {}
        self.log: list[LogLine] = []
        self._until = until
        self._withdrawals: dict[str, list[Withdrawal]] = {}
        self._attestations: dict[str, list[Attestation]] = {}
        self._authorities: dict[int, str | None] = {}
        self._replaced: dict[int, list[Any] | None] = {}
        self._erased: dict[int, list[tuple[str, int]]] = {}
        self._endings: dict[str, list[tuple[int, str, dt.datetime]]] = {}
        self._leaves: Sequence[bytes] = ()

    @property
    def size(self) -> int:
        """The number of entries taken."""
        return len(self.log)

    @property
    def attesting(self) -> list[str]:
        """The agencies that ever attested, by id."""
        return sorted(self._attestations)

    def take(self, index: int, entry: LogEntry, content: Content) -> None:
        """Take the next entry, which was checked, with its content."""
        if self._until is not None and index >= self._until:
            return
        at, sections = dt.datetime.fromisoformat(entry.at), content.sections
        self.log.append(self._line(index, entry, at))
        if content.erased:
            self._erased[index] = sorted((one.pointer, one.redaction) for one in content.erased)
        if isinstance(entry, VersionEntry | WithdrawalEntry):
            self._endings.setdefault(entry.id, []).append((index, entry.kind, at))
        match entry:
            case VersionEntry():
                self._take_version(index, entry, content, at)
            case WithdrawalEntry():
                withdrawal = Withdrawal(
                    version=entry.version,
                    reason=entry.reason,
                    note=_value(sections, "note") or None,
                    successor=_value(sections, "successor"),
                    withdrawn_at=at,
                    entry=index,
                    hash="",
                    redacted=[],
                    approved_by=entry.approved_by,
                )
                self._withdrawals.setdefault(entry.id, []).append(withdrawal)
            case AttestationEntry():
                attestation = Attestation(
                    agency=entry.agency,
                    day=entry.day,
                    systems_total=entry.systems_total,
                    uses_none=entry.systems_total == 0,
                    contact=_value(sections, "contact") or None,
                    note=_value(sections, "note") or None,
                    filed_at=at,
                    entry=index,
                    hash="",
                    records=0,
                    redacted=[],
                )
                self._attestations.setdefault(entry.agency, []).append(attestation)
            case AgencyEntry():
                self.agencies[entry.agency] = entry.facts
            case RedactionEntry():
                self._authorities[index] = _value(sections, "authority")
                self._replaced[index] = replaced_items(sections.get(REPLACED))
            case SourceEntry():
                event = SourceEvent(
                    version=entry.version, entry=index, state=entry.state, day=entry.day, at=at
                )
                self.source_events.setdefault(entry.id, []).append(event)

    def finish(self, leaves: Sequence[bytes]) -> None:
        """Take the leaf hashes of all entries; raises as `LogReplay.finish` does."""
        super().finish(leaves)
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

    def time_of(self, index: int) -> dt.datetime:
        """Return the time of an entry."""
        return self.log[index].at

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
                more = {name: getattr(one.said.imported, name, None) for name in _OF_LINES}
                more["changed_on"] = more["changed_on"] or one.stated("changed_on")
                more["approved_by"] = one.said.approved_by
                note: LangText | None = one.stated("change_note")
                lines.append(
                    VersionLine(
                        version=one.version,
                        published_at=one.at,
                        hash=self.leaf(one.entry),
                        entry=one.entry,
                        change_note=note,
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
                source=self._source_facts(version, as_of) or msgspec.UNSET,
            ),
            versions=self.lines(version.record, as_of=as_of),
        )

    def source_state(self, version: ReplayedVersion, *, as_of: int = END) -> SourceState | None:
        """Return whether a foreign record is still at its source; None for one filed here."""
        facts = self._source_facts(version, as_of)
        return None if facts is None else facts.state

    def _source_facts(self, version: ReplayedVersion, as_of: int) -> SourceFacts | None:
        """Return where a foreign version stands at its source, by what happened to it there.

        What no entry says is not in it, or as the document says.
        """
        facts: Imported | None = version.said.imported
        if facts is None:
            return None
        events = [
            one
            for one in self.source_events.get(version.record, ())
            if one.version == version.version and one.entry <= as_of
        ]
        known: dict[str, Any] = {}
        if facts.source is not None:
            known = {
                "index": facts.source.index,
                "leaf": facts.source.leaf,
                "version": facts.source.version,
                "published_at": dt.datetime.fromisoformat(facts.source.at),
                "seen_at": version.at,
            }
        return SourceFacts(
            id=msgspec.json.decode(version.document).get("source_id") or "",
            state=events[-1].state if events else "present",
            state_since=events[-1].day if events else None,
            changed_on=facts.changed_on,
            undated=facts.undated,
            moved_from=facts.moved_from,
            run=facts.run,
            register=None,
            **known,
        )

    def _line(self, index: int, entry: LogEntry, at: dt.datetime) -> LogLine:
        """Return an entry as lists of changes have it; of a first version, without a lowering."""
        move, subject = None, entry.subject
        before = self.versions.get(entry.id) if isinstance(entry, VersionEntry) else None
        if before and isinstance(entry, VersionEntry):
            move = risk_move(before[-1].said.risk or NOT_STATED, entry.risk or NOT_STATED)
        elif isinstance(entry, AgencyEntry):
            subject = entry.agency
        moved = getattr(entry, "moved", None)
        return LogLine(
            index=index,
            at=at,
            kind=entry.kind,
            subject=subject,
            risk=move,
            run=None if entry.record is None else getattr(entry, "run", None),
            state=getattr(entry, "state", None),
            moved_from=None if moved is None else moved.before,
            undated=getattr(entry, "undated", False),
        )

    def _take_version(
        self, index: int, entry: VersionEntry, content: Content, at: dt.datetime
    ) -> None:
        if entry.code is not None:
            self.codes[entry.id] = entry.code
        before = self.versions.setdefault(entry.id, [])
        whole = {one.key: msgspec.json.decode(one.value) for one in content.sections.values()}
        kept = content.verdict or {}
        before.append(
            ReplayedVersion(
                said=entry,
                agency=entry.agency(before[-1].agency if before else None),
                entry=index,
                at=at,
                document=canonical(whole),
                erased=self._erased.get(index, ()),
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
                basis=self.redactions[redaction].basis,
                authority=self._authorities.get(redaction),
                entry=redaction,
                redacted_at=dt.datetime.fromisoformat(self.redactions[redaction].at),
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
