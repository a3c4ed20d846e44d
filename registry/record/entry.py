"""Entries of the log: one for everything that is published.

The bytes of an entry are canonical JSON (RFC 8785). Exactly those bytes are stored, hashed and
served; an entry is never encoded again from its parsed form.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from registry.record.canonical import canonical
from registry.record.model import Document
from registry.record.sections import Section

FORMAT = 1
"""The entry format's version, `v` in every entry."""

NOT_STATED = "not_stated"
"""The code in search and facets for a record that states none."""

ApprovedBy: TypeAlias = Literal["authority", "agency"]
"""For whom the second actor acted, of an entry that took two."""

EntryKind: TypeAlias = Literal[
    "genesis",
    "version",
    "withdrawal",
    "redaction",
    "attestation",
    "key",
    "source",
    "policy",
    "agency",
]

SourceState: TypeAlias = Literal["present", "gone"]
"""Whether a foreign record is still in the register that it comes from."""

SOURCE_STATES: tuple[SourceState, ...] = ("present", "gone")


class Previous(msgspec.Struct, frozen=True, kw_only=True):
    """The previous entry of the same record, or agency: its index and 32-byte leaf hash."""

    index: int
    leaf: bytes


class PeerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """The entry of another register's log that an entry here follows from.

    `index` and `leaf`, the leaf hash in hex, say where it is in that log, and `at` its time there.
    `version` is the number that the version has there, None of what is no version.
    """

    index: int
    leaf: str
    at: str
    version: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the members of the entry's `source`."""
        said = {"index": self.index, "leaf": self.leaf, "at": self.at}
        return said if self.version is None else said | {"version": self.version}


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """The facts that the entry of a foreign version states of its source.

    `run` is the import, if it was of a run. `moved_from` is the agency
    before, if it is another one. `changed_on` is the day of the last change that the source states;
    `undated` says that the source changed the record without moving it. `source` is the entry of
    the source's own log, if it was harvested from that.
    """

    origin: str
    run: int | None = None
    moved_from: str | None = None
    changed_on: str | None = None
    undated: bool = False
    source: PeerEntry | None = None


def imported_of(entry: Mapping[str, Any]) -> Imported | None:
    """Return what the entry of a version states of its source; None if it was filed here."""
    if "origin" not in entry:
        return None
    return Imported(
        origin=entry["origin"],
        run=entry.get("run"),
        moved_from=entry.get("moved", {}).get("from"),
        changed_on=entry.get("changed_on"),
        undated=entry.get("undated", False),
        source=msgspec.convert(entry["source"], PeerEntry) if "source" in entry else None,
    )


class Outline(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of a record that an entry states in clear; null where the record states none."""

    risk: str | None
    sector: str | None
    status: str | None


def outline(document: Document) -> Outline:
    """Return risk level, primary sector and status of a document."""

    def code(section: str, member: str) -> str | None:
        value = document.get(section)
        found = value.get(member) if isinstance(value, dict) else None
        return found if isinstance(found, str) else None

    return Outline(
        risk=code("risk", "level"),
        sector=code("sector", "primary"),
        status=code("lifecycle", "status"),
    )


def version_entry(
    *,
    actor: str,
    at: dt.datetime,
    record: str,
    version: int,
    schema: str,
    stated: Outline,
    agency: str,
    imported: Imported | None,
    previous: Previous | None,
    sections: Sequence[Section],
    verdict: Mapping[str, Any],
    approved_by: ApprovedBy | None = None,
    code: str | None = None,
) -> bytes:
    """Return the entry of a published version; `imported` only for a foreign record.

    Its `agency` is stated where it moved there from another one. One that another actor
    than the one who submitted it approved says for whom that was, and never who. `verdict` is as
    `kept_verdict` describes it. `code` is the short code that a record filed here gets with its
    first version.
    """
    entry: dict[str, Any] = {
        **header("version", actor, at),
        "id": record,
        "version": version,
        "schema": schema,
        "risk": stated.risk,
        "sector": stated.sector,
        "status": stated.status,
        "verdict": verdict,
        **chained(previous, sections),
        **_approved(approved_by),
    }
    if code is not None:
        entry["code"] = code
    if imported is not None:
        entry["origin"] = imported.origin
        if imported.run is not None:
            entry["run"] = imported.run
        if imported.moved_from is not None:
            entry["moved"] = {"from": imported.moved_from, "to": agency}
        if imported.changed_on is not None:
            entry["changed_on"] = imported.changed_on
        if imported.undated:
            entry["undated"] = True
        if imported.source is not None:
            entry["source"] = imported.source.to_json()
    return canonical(entry)


def source_entry(
    *,
    actor: str,
    at: dt.datetime,
    record: str,
    origin: str,
    version: int,
    state: SourceState,
    day: dt.date,
    run: int,
    previous: Previous,
) -> bytes:
    """Return the entry that a foreign record is gone from its source, or there again.

    `version` is the one in force, and `day` the source's own date, or that of the import.
    """
    return canonical(
        {
            **header("source", actor, at),
            "id": record,
            "origin": origin,
            "version": version,
            "state": state,
            "day": day.isoformat(),
            "run": run,
            **chained(previous, ()),
        }
    )


def withdrawal_entry(
    *,
    actor: str,
    at: dt.datetime,
    record: str,
    version: int,
    reason: str,
    previous: Previous,
    sections: Sequence[Section],
    approved_by: ApprovedBy | None = None,
    source: PeerEntry | None = None,
) -> bytes:
    """Return the entry of a withdrawal; `version` is the one in force until then.

    `approved_by` says for whom it was approved, as that of a version does. `source` is the
    withdrawal in the log of another register that it follows.
    """
    return canonical(
        {
            **header("withdrawal", actor, at),
            "id": record,
            "version": version,
            "reason": reason,
            **chained(previous, sections),
            **_approved(approved_by),
            **_followed(source),
        }
    )


def redaction_entry(
    *,
    actor: str,
    confirmed_by: str,
    at: dt.datetime,
    record: str | None,
    agency: str | None,
    versions: Sequence[int],
    entries: Sequence[int],
    pointers: Sequence[str],
    basis: str,
    previous: Previous | None,
    sections: Sequence[Section],
    source: PeerEntry | None = None,
) -> bytes:
    """Return the entry of a redaction: pointers, the versions of which they are erased, the basis.

    Of other entries than versions their indexes are stated; that of an `agency`'s attestations has
    no record, and no previous entry. The authority that decided it is a text, and so only committed
    to. `source` is the redaction in the log of another register that it follows.
    """
    named = {"id": record} if record is not None else {"agency": agency}
    return canonical(
        {
            **header("redaction", actor, at),
            "confirmed_by": confirmed_by,
            **named,
            **({"versions": list(versions)} if versions else {}),
            **({"entries": list(entries)} if entries else {}),
            "pointers": sorted(pointers),
            "basis": basis,
            **chained(previous, sections),
            **_followed(source),
        }
    )


def attestation_entry(
    *,
    actor: str,
    at: dt.datetime,
    agency: str,
    day: dt.date,
    systems_total: int,
    previous: Previous | None,
    sections: Sequence[Section],
    approved_by: ApprovedBy | None = None,
) -> bytes:
    """Return the entry of an attestation; `previous` is the agency's attestation before.

    `approved_by` says for whom it was approved, as that of a version does.
    """
    return canonical(
        {
            **header("attestation", actor, at),
            "agency": agency,
            "day": day.isoformat(),
            "systems_total": systems_total,
            **chained(previous, sections),
            **_approved(approved_by),
        }
    )


def header(kind: EntryKind, actor: str, at: dt.datetime) -> dict[str, Any]:
    """Return the members with which every entry begins but the first, which has no actor."""
    return {"v": FORMAT, "kind": kind, "actor": actor, "at": timestamp(at)}


def timestamp(at: dt.datetime) -> str:
    """Return a UTC time in whole seconds, RFC 3339."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_timestamp(text: str) -> dt.datetime:
    """Return a time as entries state it; raises `ValueError` for any other form."""
    at = dt.datetime.fromisoformat(text)
    if timestamp(at) != text:
        raise ValueError(f"{text} is not a time as entries state it")
    return at


def chained(previous: Previous | None, sections: Sequence[Section]) -> dict[str, Any]:
    """Return the link to the previous entry, and the commitments to what may be erased."""
    return {
        "prev": None
        if previous is None
        else {"index": previous.index, "leaf": previous.leaf.hex()},
        "sections": {section.key: section.commitment for section in sections},
    }


def _followed(source: PeerEntry | None) -> dict[str, Any]:
    return {} if source is None else {"source": source.to_json()}


def _approved(by: ApprovedBy | None) -> dict[str, str]:
    return {} if by is None else {"approved_by": by}
