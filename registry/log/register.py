"""What is answered of a register: versions, withdrawals, attestations, changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated

import msgspec

from registry.errors import Finding
from registry.log.entry import (
    ApprovedBy,
)
from registry.record.model import LangText, RiskChange, SourceState
from registry.record.origin import Origin
from registry.record.risk_floor import LEVELS

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

    `hash` is the entry's leaf hash in hex. `completeness` is null where the version does not state
    its level of risk, on which it depends what is asked. `missing` are the units that count in it
    and are not stated, whether they are asked for or may be stated besides. `findings` is JSON as
    stored, since most answers pass it on. `code` is the short code of what was filed here; `source`
    is there for foreign records.
    """

    version: int
    state: str
    published_at: dt.datetime
    superseded_at: dt.datetime | None
    hash: str
    entry: int
    origin: str | None
    fictitious: bool
    completeness: int | None
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
