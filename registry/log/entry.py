"""Entries of the log: a tagged struct for each kind, by which it is both written and read.

The bytes of an entry are canonical JSON (RFC 8785). Exactly those bytes are stored, hashed and
served; an entry is never encoded again from its parsed form. Further members may stand beside those
that a struct names. What an entry says of others is checked by `replay`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias, get_args

import msgspec

from registry.record.canonical import canonical
from registry.record.ids import agency_of
from registry.record.model import Document, LangText, SourceState
from registry.record.origin import CodeLabels, Origin
from registry.record.pack import Agency
from registry.tlog import base64_text
from registry.tlog.checkpoint import Checkpoint, parse_checkpoint

FORMAT: Literal[1] = 1
"""The entry format's version, `v` in every entry."""

ApprovedBy: TypeAlias = Literal["authority", "agency"]
"""For whom the second actor acted, of an entry that took two."""

EntryTime: TypeAlias = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
"""A UTC time in whole seconds, RFC 3339, as `timestamp` writes it."""

_RecordId: TypeAlias = Annotated[
    str, msgspec.Meta(extra_json_schema={"$ref": "#/components/schemas/RecordId"})
]
_Index: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
_Number: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]
_Pointer: TypeAlias = Annotated[str, msgspec.Meta(pattern="^/")]
_IndexText: TypeAlias = Annotated[str, msgspec.Meta(pattern="^(0|[1-9][0-9]*)$")]


class Previous(msgspec.Struct, frozen=True, kw_only=True):
    """The previous entry of the same record, or agency: its index and leaf hash in hex."""

    index: _Index
    leaf: str


class PeerEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The entry of another register's log that an entry here follows from.

    `index` and `leaf`, the leaf hash in hex, say where it is in that log, and `at` its time there.
    `version` is the number that the version has there, None of what is no version.
    """

    index: int
    leaf: str
    at: str
    version: int | None = None


class AgencyMove(msgspec.Struct, frozen=True, kw_only=True):
    """The agency that a foreign record was another's before, and the one that it is now."""

    before: str = msgspec.field(name="from")
    to: str


class StatedVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on a version by a rule set; `digest` commits to the lists in its blob."""

    rules: str
    completeness: int
    accountability: int | None
    digest: str


class ContinuedLog(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The last checkpoint of the log that another continues; `root` in base64."""

    origin: str
    size: int
    root: str


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """The facts that the entry of a foreign version states of its source.

    `run` is the import, if it was of a run. `moved_from` is the agency before, if it is another
    one. `changed_on` is the day of the last change that the source states; `undated` says that the
    source changed the record without moving it. `source` is the entry of the source's own log, if
    it was harvested from that.
    """

    origin: str
    run: int | None = None
    moved_from: str | None = None
    changed_on: str | None = None
    undated: bool = False
    source: PeerEntry | None = None


class _Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """What every entry states; `at` is empty until it is appended."""

    v: Literal[1] = msgspec.field(default_factory=lambda: FORMAT)
    at: EntryTime = ""

    @property
    def kind(self) -> str:
        """The kind, as the entry states it."""
        return str(self.__struct_config__.tag)

    @property
    def subject(self) -> str | None:
        """The subject of its chain: a record, an agency's attestations, or an agency."""
        return None

    @property
    def record(self) -> str | None:
        """The id of the record that it is about, if it is about one."""
        found: str | None = getattr(self, "id", None)
        return found

    @property
    def commitments(self) -> Mapping[str, str]:
        """The commitments to the sections of its blob, by key."""
        found: Mapping[str, str] = getattr(self, "sections", {})
        return found

    @property
    def digest(self) -> str | None:
        """The digest of the verdict in its blob, None of what is no version."""
        return None

    @property
    def left(self) -> Mapping[str, str]:
        """The digests of the verdicts that it leaves of versions, by the index of their entry."""
        found: Mapping[str, str] = getattr(self, "verdicts", {})
        return found


class GenesisEntry(_Entry, frozen=True, kw_only=True, tag="genesis"):
    """The first entry: the log's name, its first verifier key, the SHA-256 of the record schema.

    `sections` are commitments to the configuration that the register began with, by key.
    `continues` is the last checkpoint of the log that it continues under another name.
    `demonstration` is when the log of a demonstration truly began: entries with a time before that
    have an invented one.
    """

    origin: str
    key: str
    schema: str
    sections: dict[str, str] = {}
    continues: ContinuedLog | None = None
    demonstration: EntryTime | None = None

    def continued(self) -> Checkpoint | None:
        """Return the last checkpoint of the log that it continues; raises `ValueError`."""
        before = self.continues
        if before is None:
            return None
        found = parse_checkpoint(f"{before.origin}\n{before.size}\n{before.root}\n")
        if found.origin == self.origin or found.size == 0:
            raise ValueError("it continues itself, or an empty log")
        return found


class _ActorEntry(_Entry, frozen=True, kw_only=True):
    actor: str


class KeyEntry(_ActorEntry, frozen=True, kw_only=True, tag="key"):
    """The log's next key, and the one that it follows, as verifier keys."""

    key: str
    follows: str


class PolicyEntry(_ActorEntry, frozen=True, kw_only=True, tag="policy"):
    """The text of the policy of witnesses that is in force from here on."""

    policy: str


class ConfigurationEntry(_ActorEntry, frozen=True, kw_only=True, tag="configuration"):
    """What answers follow from beside entries, from here on: the country pack and the release.

    `sections` are commitments to it, by key; the content is as `configuration_document` says.
    """

    sections: dict[str, str]


class _ChainedEntry(_ActorEntry, frozen=True, kw_only=True):
    """An entry of a chain, with the commitments to the sections of what may be erased, by key."""

    prev: Previous | None
    sections: dict[str, str]


class _RecordEntry(_ChainedEntry, frozen=True, kw_only=True):
    id: _RecordId
    version: _Number

    @property
    def subject(self) -> str:
        """The record."""
        return self.id


class VersionEntry(_RecordEntry, frozen=True, kw_only=True, tag="version"):
    """A published version; what follows `verdict` is stated where it applies.

    `code` is the short code that a record filed here gets with its first version. `approved_by`
    says for whom another actor than the one who submitted it approved it, and never who.
    `lowered_from` is, of a first version, the level at which what seems the same system was
    published under another id. The rest is of foreign records, as `Imported` describes it.
    """

    schema: str
    risk: str | None
    sector: str | None
    status: str | None
    verdict: StatedVerdict
    approved_by: ApprovedBy | None = None
    code: str | None = None
    lowered_from: str | None = None
    origin: str | None = None
    run: _Number | None = None
    moved: AgencyMove | None = None
    changed_on: str | None = None
    undated: bool = False
    source: PeerEntry | None = None

    @property
    def imported(self) -> Imported | None:
        """What it states of its source; None if it was filed here."""
        if self.origin is None:
            return None
        return Imported(
            origin=self.origin,
            run=self.run,
            moved_from=None if self.moved is None else self.moved.before,
            changed_on=self.changed_on,
            undated=self.undated,
            source=self.source,
        )

    @property
    def digest(self) -> str:
        """The digest of the verdict in its blob."""
        return self.verdict.digest

    def agency(self, before: str | None) -> str:
        """Return the agency whose version it is, from that of the version before, if any."""
        return self.moved.to if self.moved is not None else before or agency_of(self.id)


class WithdrawalEntry(_RecordEntry, frozen=True, kw_only=True, tag="withdrawal"):
    """A withdrawal; `version` is the one in force until then.

    `source` is the withdrawal in the log of another register that it follows.
    """

    reason: str
    approved_by: ApprovedBy | None = None
    source: PeerEntry | None = None


class SourceEntry(_RecordEntry, frozen=True, kw_only=True, tag="source"):
    """A foreign record that is gone from its source, or there again.

    `version` is the one in force, and `day` the source's own date, or that of the import.
    """

    origin: str
    state: SourceState
    day: dt.date
    run: int


class RedactionEntry(_ChainedEntry, frozen=True, kw_only=True, tag="redaction"):
    """A redaction: pointers, the versions of which they are erased, the basis.

    Of other entries than versions their indexes are stated; that of an `agency`'s attestations has
    no record, and no previous entry. The authority that decided it is a text, and so only committed
    to. `verdicts` has, for each version of which it drops findings, by the index of its entry, the
    digest of the verdict that is left. `source` is the redaction in the log of another register
    that it follows.
    """

    confirmed_by: str
    pointers: list[_Pointer]
    basis: str
    id: _RecordId | None = None
    agency: str | None = None
    versions: list[_Number] = []
    entries: list[_Index] = []
    verdicts: dict[_IndexText, str] = {}
    source: PeerEntry | None = None

    @property
    def subject(self) -> str | None:
        """The record, None of an agency's attestations."""
        return self.id

    def names(self, index: int, entry: LogEntry) -> bool:
        """Return whether it erases something of an entry, which has an index."""
        if isinstance(entry, VersionEntry):
            return self.id == entry.id and entry.version in self.versions
        owner = (getattr(entry, "id", None), getattr(entry, "agency", None))
        return (self.id, self.agency) == owner and index in self.entries


class AttestationEntry(_ChainedEntry, frozen=True, kw_only=True, tag="attestation"):
    """An attestation of how many systems an agency runs; `prev` is its attestation before."""

    agency: str
    day: dt.date
    systems_total: _Index
    approved_by: ApprovedBy | None = None

    @property
    def subject(self) -> str:
        """The agency's id, which is the subject of its attestations."""
        return self.agency


class AgencyEntry(_ChainedEntry, frozen=True, kw_only=True, omit_defaults=False, tag="agency"):
    """The public facts of an agency, which stand in no record; `type` is its kind."""

    agency: str
    type: str
    name: LangText
    fictitious: bool
    parent: str | None = None
    region: str | None = None
    website: str | None = None
    origin: str | None = None

    @property
    def subject(self) -> str:
        """The agency, told apart from its attestations."""
        return f"agency:{self.agency}"

    @property
    def facts(self) -> Agency:
        """The agency that it states."""
        return Agency(
            id=self.agency,
            name=self.name,
            kind=self.type,
            parent=self.parent,
            region=self.region,
            website=self.website,
            fictitious=self.fictitious,
            origin=self.origin,
        )


class OriginEntry(_ActorEntry, frozen=True, kw_only=True, omit_defaults=False, tag="origin"):
    """What is known of another register that records are copied from, from here on."""

    origin: str
    title: str
    publisher: str
    licence: str
    homepage: str
    country: str
    language: str
    names: LangText | msgspec.UnsetType = msgspec.UNSET
    labels: CodeLabels | msgspec.UnsetType = msgspec.UNSET

    @property
    def facts(self) -> Origin:
        """The register that it states."""
        return Origin(
            code=self.origin,
            title=self.title,
            publisher=self.publisher,
            licence=self.licence,
            homepage=self.homepage,
            country=self.country,
            language=self.language,
            names=self.names,
            labels=self.labels,
        )


class ImportEntry(_ActorEntry, frozen=True, kw_only=True, tag="import"):
    """An import that has ended, as `/api/v1/imports` answers it; `report` is its SHA-256 in hex."""

    run: _Number
    origin: str
    begun_at: EntryTime
    file_name: str
    file_sha256: str
    crosswalk_sha256: str
    complete: bool
    counts: dict[str, Any]
    report: str
    as_of: dt.date | None = None


LogEntry: TypeAlias = (
    GenesisEntry
    | VersionEntry
    | WithdrawalEntry
    | RedactionEntry
    | AttestationEntry
    | KeyEntry
    | SourceEntry
    | PolicyEntry
    | AgencyEntry
    | ConfigurationEntry
    | OriginEntry
    | ImportEntry
)

ENTRY_KINDS: tuple[str, ...] = tuple(str(kind.__struct_config__.tag) for kind in get_args(LogEntry))
"""The kinds of entries."""

_decode = msgspec.json.Decoder(LogEntry).decode


def entry_bytes(entry: LogEntry) -> bytes:
    """Return the bytes of an entry."""
    return canonical(msgspec.to_builtins(entry))


def decode_entry(content: bytes) -> LogEntry:
    """Return an entry of our own log from its bytes; raises `ValueError`."""
    entry: LogEntry = _decode(content)
    parse_timestamp(entry.at)
    return entry


def read_entry(content: bytes) -> LogEntry:
    """Return the entry of any log from its bytes; raises `ValueError` where it is none."""
    try:
        value: Any = msgspec.json.decode(content)
        is_canonical = canonical(value) == content
    except (ValueError, RecursionError) as error:
        raise ValueError("it is not JSON") from error
    if not isinstance(value, dict) or not is_canonical:
        raise ValueError("it is not a canonical JSON object")
    if value.get("kind") not in ENTRY_KINDS:
        raise ValueError("it is of no kind that this program knows")
    if "v" not in value:
        raise ValueError("it is not as entries of its kind are: it does not state its version")
    try:
        return decode_entry(content)
    except ValueError as error:
        raise ValueError(f"it is not as entries of its kind are: {error}") from error


def entry_schema() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the JSON Schema of an entry of any kind, and those that it refers to, by name."""
    [schema], parts = msgspec.json.schema_components(
        [LogEntry], ref_template="#/components/schemas/{name}"
    )
    return schema, parts


def previous_entry(index: int, leaf: bytes) -> Previous:
    """Return the link to an entry by its index and its 32-byte leaf hash."""
    return Previous(index=index, leaf=leaf.hex())


def continued_log(checkpoint: Checkpoint | None) -> ContinuedLog | None:
    """Return what a first entry states of the log that it continues."""
    if checkpoint is None:
        return None
    root = base64_text.encode(checkpoint.root)
    return ContinuedLog(origin=checkpoint.origin, size=checkpoint.size, root=root)


def named_agency(actor: str, agency: Agency, prev: Previous | None) -> AgencyEntry:
    """Return the entry of the public facts of an agency; `prev` is its entry before."""
    facts = msgspec.structs.asdict(agency)
    stated = {"agency": facts.pop("id"), "type": facts.pop("kind")}
    return AgencyEntry(actor=actor, prev=prev, sections={}, **stated, **facts)


def stated_origin(actor: str, origin: Origin) -> OriginEntry:
    """Return the entry of what is known of another register."""
    facts = msgspec.structs.asdict(origin)
    return OriginEntry(actor=actor, origin=facts.pop("code"), **facts)


class EntrySummary(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of a record that an entry states in clear; null where the record states none."""

    risk: str | None
    sector: str | None
    status: str | None


def entry_summary(document: Document) -> EntrySummary:
    """Return risk level, primary sector and status of a document."""

    def code(section: str, member: str) -> str | None:
        value = document.get(section)
        found = value.get(member) if isinstance(value, dict) else None
        return found if isinstance(found, str) else None

    return EntrySummary(
        risk=code("risk", "level"),
        sector=code("sector", "primary"),
        status=code("lifecycle", "status"),
    )


def timestamp(at: dt.datetime) -> str:
    """Return a UTC time in whole seconds, RFC 3339."""
    return at.astimezone(dt.UTC).isoformat(timespec="seconds")[:-6] + "Z"


def parse_timestamp(text: str) -> dt.datetime:
    """Return a time as entries state it; raises `ValueError` for any other form."""
    at = dt.datetime.fromisoformat(text)
    if timestamp(at) != text:
        raise ValueError(f"{text} is not a time as entries state it")
    return at
