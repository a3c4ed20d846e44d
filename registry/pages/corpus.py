"""What a build is made from: one state of the register, with nothing else to ask for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from registry.pages.known import Known
from registry.record.model import LangText
from registry.record.pack import Agency, Pack
from registry.store.attestations import Attestation
from registry.store.log import LogLine
from registry.store.records import StoredRecord
from registry.store.statistics import Statistics, StatisticsGroup
from registry.store.withdrawals import Withdrawal


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Another register whose records were copied here: what it is called and where it is."""

    code: str
    name: LangText
    url: str | None = None


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """The register counted by risk, sector, status, personal data; its own records by agency."""

    by_code: Statistics
    by_agency: Sequence[StatisticsGroup]


class Corpus(msgspec.Struct, frozen=True, kw_only=True):
    """The whole register as of one entry of its log.

    `records` are in order of id, withdrawn ones included; `earlier` holds, by record and oldest
    first, the versions before the last. `withdrawals` are, by record and oldest first, all there
    ever were, of records that have come back too. Of records that are as an earlier build found
    them, `kept` has what that one knew instead. `attestations` hold the last word of each agency;
    `agencies` holds the pack's and the foreign ones; `log` is every entry in order; `root` is the
    log's root hash, 64 hexadecimal digits. `erasures` counts the redactions that were carried out;
    nothing is `counted` where nothing was filed yet. `fingerprint` is that of the agencies.
    """

    pack: Pack
    agencies: Mapping[str, Agency]
    records: Sequence[StoredRecord]
    log_size: int
    root: str
    as_of: dt.datetime
    erasures: int = 0
    fingerprint: str = ""
    counted: Counted | None = None
    log: Sequence[LogLine] = ()
    earlier: Mapping[str, Sequence[StoredRecord]] = {}
    origins: Mapping[str, Origin] = {}
    withdrawals: Mapping[str, Sequence[Withdrawal]] = {}
    kept: dict[str, Known] = {}
    attestations: Mapping[str, Attestation] = {}
