"""Entries of the log: one for everything that is published.

The bytes of an entry are canonical JSON (RFC 8785). Exactly those bytes are stored, hashed and
served; an entry is never encoded again from its parsed form.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from registry.record.canonical import canonical
from registry.record.model import Document
from registry.record.sections import Section

FORMAT = 1
"""The entry format's version, `v` in every entry."""

NOT_STATED = "not_stated"
"""The code in search and facets for a record that states none."""

EntryKind: TypeAlias = Literal[
    "genesis", "version", "withdrawal", "redaction", "attestation", "key"
]


class Previous(msgspec.Struct, frozen=True, kw_only=True):
    """The previous entry of the same record, or agency: its index and 32-byte leaf hash."""

    index: int
    leaf: bytes


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


def genesis_entry(*, at: dt.datetime, origin: str, key: str, schema_sha256: str) -> bytes:
    """Return the first entry: the name of the log, its verifier key and the format in force."""
    return canonical(
        {
            "v": FORMAT,
            "kind": "genesis",
            "at": timestamp(at),
            "origin": origin,
            "key": key,
            "schema": schema_sha256,
        }
    )


def version_entry(
    *,
    actor: str,
    at: dt.datetime,
    record: str,
    version: int,
    schema: str,
    stated: Outline,
    origin: str | None,
    previous: Previous | None,
    sections: Sequence[Section],
) -> bytes:
    """Return the entry of a published version; `origin` only for a foreign record."""
    entry: dict[str, Any] = {
        "v": FORMAT,
        "kind": "version",
        "actor": actor,
        "at": timestamp(at),
        "id": record,
        "version": version,
        "schema": schema,
        "risk": stated.risk,
        "sector": stated.sector,
        "status": stated.status,
        **_chained(previous, sections),
    }
    if origin is not None:
        entry["origin"] = origin
    return canonical(entry)


def withdrawal_entry(
    *,
    actor: str,
    at: dt.datetime,
    record: str,
    version: int,
    reason: str,
    previous: Previous,
    sections: Sequence[Section],
) -> bytes:
    """Return the entry of a withdrawal; `version` is the one in force until then."""
    return canonical(
        {
            "v": FORMAT,
            "kind": "withdrawal",
            "actor": actor,
            "at": timestamp(at),
            "id": record,
            "version": version,
            "reason": reason,
            **_chained(previous, sections),
        }
    )


def redaction_entry(
    *,
    actor: str,
    confirmed_by: str,
    at: dt.datetime,
    record: str,
    versions: Sequence[int],
    pointers: Sequence[str],
    basis: str,
    previous: Previous,
    sections: Sequence[Section],
) -> bytes:
    """Return the entry of a redaction: what is to be erased of which versions, and why.

    The authority that decided it is a text, and so only committed to.
    """
    return canonical(
        {
            "v": FORMAT,
            "kind": "redaction",
            "actor": actor,
            "confirmed_by": confirmed_by,
            "at": timestamp(at),
            "id": record,
            "versions": list(versions),
            "pointers": sorted(pointers),
            "basis": basis,
            **_chained(previous, sections),
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
) -> bytes:
    """Return the entry of an attestation; `previous` is the agency's attestation before."""
    return canonical(
        {
            "v": FORMAT,
            "kind": "attestation",
            "actor": actor,
            "at": timestamp(at),
            "agency": agency,
            "day": day.isoformat(),
            "systems_total": systems_total,
            **_chained(previous, sections),
        }
    )


def timestamp(at: dt.datetime) -> str:
    """Return a UTC time in whole seconds, RFC 3339."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _chained(previous: Previous | None, sections: Sequence[Section]) -> dict[str, Any]:
    """Return the link to the previous entry, and the commitments to what may be erased."""
    return {
        "prev": None
        if previous is None
        else {"index": previous.index, "leaf": previous.leaf.hex()},
        "sections": {section.key: section.commitment for section in sections},
    }
