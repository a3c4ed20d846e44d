"""The members that entries of each kind have, on which readers of a verified log rely.

Others may stand beside them. What a member says of other entries is checked by `replay`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from registry.record.agency_entry import agency_facts
from registry.record.entry import ApprovedBy, PeerEntry, SourceState, parse_timestamp

_Index = Annotated[int, msgspec.Meta(ge=0)]
_Number = Annotated[int, msgspec.Meta(ge=1)]
_Pointer = Annotated[str, msgspec.Meta(pattern="^/")]


class _Entry(msgspec.Struct, kw_only=True):
    v: Literal[1]
    at: str


class _Genesis(_Entry):
    demonstration: str | UnsetType = UNSET


class _Key(_Entry):
    actor: str


class _Policy(_Entry):
    actor: str
    policy: str


class _Link(msgspec.Struct):
    index: _Index
    leaf: str


class _Chained(_Entry):
    actor: str
    prev: _Link | None
    sections: dict[str, str]


class _Verdict(msgspec.Struct):
    rules: str
    completeness: int
    accountability: int | None
    digest: str


class _Move(msgspec.Struct):
    to: str
    before: str = msgspec.field(name="from")


class _Version(_Chained):
    id: str
    version: _Number
    schema: str
    risk: str | None
    sector: str | None
    status: str | None
    verdict: _Verdict
    origin: str | UnsetType = UNSET
    run: int | UnsetType = UNSET
    moved: _Move | UnsetType = UNSET
    changed_on: str | UnsetType = UNSET
    undated: bool | UnsetType = UNSET
    source: PeerEntry | UnsetType = UNSET
    approved_by: ApprovedBy | UnsetType = UNSET


class _Withdrawal(_Chained):
    id: str
    version: _Number
    reason: str
    source: PeerEntry | UnsetType = UNSET
    approved_by: ApprovedBy | UnsetType = UNSET


class _Source(_Chained):
    id: str
    origin: str
    version: _Number
    state: SourceState
    day: dt.date
    run: int


class _Attestation(_Chained):
    agency: str
    day: dt.date
    systems_total: _Index
    approved_by: ApprovedBy | UnsetType = UNSET


class _Agency(_Chained):
    agency: str
    fictitious: bool


class _Redaction(_Chained):
    confirmed_by: str
    pointers: list[_Pointer]
    basis: str
    id: str | UnsetType = UNSET
    agency: str | UnsetType = UNSET
    versions: list[_Number] = []
    entries: list[_Index] = []
    source: PeerEntry | UnsetType = UNSET


_SHAPES: Mapping[str, type[_Entry]] = {
    "genesis": _Genesis,
    "version": _Version,
    "withdrawal": _Withdrawal,
    "redaction": _Redaction,
    "attestation": _Attestation,
    "key": _Key,
    "source": _Source,
    "policy": _Policy,
    "agency": _Agency,
}


def shape_fault(entry: Mapping[str, Any]) -> str | None:
    """Return why an object is no entry of a kind that this program knows; None where it is."""
    kind = entry.get("kind")
    shape = _SHAPES.get(kind) if isinstance(kind, str) else None
    if shape is None:
        return "it is of no kind that this program knows"
    try:
        msgspec.convert(entry, shape)
        parse_timestamp(entry["at"])
        if shape is _Agency:
            agency_facts(entry)
    except (ValueError, KeyError) as error:
        return f"it is not as entries of its kind are: {error}"
    return None
