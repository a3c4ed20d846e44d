"""A snapshot: the state of the register that a build is made from, with nothing else to ask for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from registry.hub.standing import PeerStanding
from registry.log.register import Attestation, LogLine, SourceEvent, StoredRecord, Withdrawal
from registry.log.statistics import Statistics, StatisticsGroup
from registry.pages.digests import RecordDigest
from registry.record.origin import Origin
from registry.record.pack import Agency, Pack
from registry.services.log.witness_policy import WitnessStanding
from registry.store.imports import ImportRun, OriginSize


class RegisterCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The register counted by risk, sector, status, personal data; its own records by agency."""

    by_code: Statistics
    by_agency: Sequence[StatisticsGroup]


class RegisterState(msgspec.Struct, frozen=True, kw_only=True):
    """How far a register is: the size, root and last leaf of its log, in hexadecimal digits.

    `last_at` is the time of the last entry. No entry tells of the rest: `erasures` are the
    redactions that were carried out, and how often something was destroyed; `replaced` counts the
    replacements of whole texts; `agencies` is the digest of all agencies; `imports` are the number
    of the last import and how many have ended, `peers` the digest of how peers stand, and
    `witnesses` that of who else has signed the log. `is_blocked` says that a check of the log has
    found a fault, so that nothing is published.
    """

    size: int
    root: str
    leaf: str = ""
    last_at: dt.datetime = dt.datetime.min.replace(tzinfo=dt.UTC)
    erasures: tuple[int, int] = (0, 0)
    replaced: int = 0
    agencies: str = ""
    imports: tuple[int, int] = (0, 0)
    peers: str = ""
    witnesses: str = ""
    is_blocked: bool = False


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The whole register as of one entry of its log.

    `records` are in order of id, withdrawn ones included; `earlier` holds, by record and oldest
    first, the versions before the last. `withdrawals` are, by record and oldest first, all there
    ever were, of records that have come back too; `source_events` likewise. Of records that are as
    an earlier build found them, `digests` has what that one knew instead. `attestations` hold the
    last word of each agency; `agencies` holds the pack's and the foreign ones; `log` is every entry
    in order. Nothing is `counted` where nothing was filed yet. `sizes` and `imports` are of each
    origin that has records or was imported, the last imports of each, the last first; `peers` are
    the registers that are watched, as they stand on the day. `witnesses` are those of the log,
    whose name is `origin`.
    """

    pack: Pack
    register: RegisterState
    agencies: Mapping[str, Agency]
    records: Sequence[StoredRecord]
    as_of: dt.datetime
    counted: RegisterCounts | None = None
    log: Sequence[LogLine] = ()
    earlier: Mapping[str, Sequence[StoredRecord]] = {}
    origins: Mapping[str, Origin] = {}
    sizes: Mapping[str, OriginSize] = {}
    imports: Mapping[str, Sequence[ImportRun]] = {}
    peers: Sequence[PeerStanding] = ()
    witnesses: Sequence[WitnessStanding] = ()
    origin: str = ""
    withdrawals: Mapping[str, Sequence[Withdrawal]] = {}
    source_events: Mapping[str, Sequence[SourceEvent]] = {}
    digests: Mapping[str, RecordDigest] = {}
    attestations: Mapping[str, Attestation] = {}


class LogPosition(msgspec.Struct, frozen=True, kw_only=True):
    """The size and the root of a log, in hexadecimal digits."""

    size: int
    root: str


class BuildFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the register, the moment that the pages speak of, their address and number.

    `erasures` is the number of redactions that were carried out; the rest are members of
    `RegisterState`. What is None was not stated by the release that built the site.
    """

    as_of: dt.datetime
    base_url: str
    log: LogPosition
    erasures: int | None = None
    replaced: int | None = None
    agencies: str | None = None
    imports: tuple[int, int] | None = None
    peers: str | None = None
    witnesses: str | None = None
    blocked: bool = False
    pages: int = 0


def build_facts(
    register: RegisterState, as_of: dt.datetime, base_url: str, *, pages: int = 0
) -> BuildFacts:
    """Return the facts of a build from a state of the register."""
    return BuildFacts(
        as_of=as_of,
        base_url=base_url,
        log=LogPosition(size=register.size, root=register.root),
        erasures=register.erasures[0],
        replaced=register.replaced,
        agencies=register.agencies,
        imports=register.imports,
        peers=register.peers,
        witnesses=register.witnesses,
        blocked=register.is_blocked,
        pages=pages,
    )
