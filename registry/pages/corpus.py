"""What a build is made from: one state of the register, with nothing else to ask for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from registry.record.model import LangText
from registry.record.pack import Agency, Pack
from registry.store.attestations import Attestation
from registry.store.records import StoredRecord
from registry.store.withdrawals import Withdrawal


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Another register whose records were copied here: what it is called and where it is."""

    code: str
    name: LangText
    url: str | None = None


class Corpus(msgspec.Struct, frozen=True, kw_only=True):
    """The whole register as of one entry of its log.

    `records` are in order of id, withdrawn ones included; `withdrawals` are, by record and oldest
    first, all there ever were, of records that have come back too; `attestations` hold the last
    word of each agency; `agencies` holds the pack's and the foreign ones; `root` is the log's
    root hash, 64 hexadecimal digits.
    """

    pack: Pack
    agencies: Mapping[str, Agency]
    records: Sequence[StoredRecord]
    log_size: int
    root: str
    as_of: dt.datetime
    origins: Mapping[str, Origin] = {}
    withdrawals: Mapping[str, Sequence[Withdrawal]] = {}
    attestations: Mapping[str, Attestation] = {}
