"""Entries of the kind `agency`: the public facts of an agency, which stand in no record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from registry.record.canonical import canonical
from registry.record.entry import Previous, chained, header
from registry.record.pack import Agency


def agency_entry(
    *, actor: str, at: dt.datetime, agency: Agency, previous: Previous | None
) -> bytes:
    """Return the entry of the public facts of an agency; `previous` is its entry before."""
    facts = msgspec.to_builtins(agency)
    named = {"agency": facts.pop("id"), "type": facts.pop("kind")}
    return canonical(header("agency", actor, at) | named | facts | chained(previous, ()))


def agency_facts(entry: Mapping[str, Any]) -> Agency:
    """Return the agency that an entry of one states."""
    known = {name: entry[name] for name in Agency.__struct_fields__ if name in entry}
    return msgspec.convert({**known, "id": entry["agency"], "kind": entry["type"]}, Agency)


def agency_subject(agency: str) -> str:
    """Return the subject of the chain of an agency's own entries; its id is its attestations'."""
    return f"agency:{agency}"
