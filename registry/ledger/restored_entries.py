"""Entries made again from their bytes: to bring them back, or to derive their rows once more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from registry.ledger.agency_entries import AgencyEntry
from registry.ledger.entries import (
    AttestationEntry,
    KeyEntry,
    NewEntry,
    PolicyEntry,
    SourceEntry,
    WithdrawalEntry,
)
from registry.ledger.files import LogRefused
from registry.record.agency_entry import agency_facts
from registry.record.sections import Section
from registry.store.records import CurrentVersion


def restored(
    said: Mapping[str, Any],
    stored: bytes,
    current: CurrentVersion | None,
    sections: Sequence[Section] = (),
) -> NewEntry:
    """Return an entry again from what its bytes say; it is no version and no redaction.

    `current` is where the record of a withdrawal or source entry stood before it. Raises
    `LogRefused` for any other kind of entry.
    """
    kind, given = said["kind"], {"actor": said["actor"], "stored": stored}
    approved_by = said.get("approved_by")
    entry: NewEntry
    if kind == "policy":
        entry = PolicyEntry(policy=said["policy"], **given)
    elif kind == "key":
        entry = KeyEntry(key=said["key"], follows=said["follows"], **given)
    elif kind == "agency":
        entry = AgencyEntry(agency=agency_facts(said), previous=None, **given)
    elif kind == "attestation":
        entry = AttestationEntry(
            agency=said["agency"],
            day=dt.date.fromisoformat(said["day"]),
            systems_total=said["systems_total"],
            previous=None,
            sections=sections,
            approved_by=approved_by,
            **given,
        )
    elif kind == "withdrawal" and current is not None:
        entry = WithdrawalEntry(
            id=said["id"],
            current=current,
            reason=said["reason"],
            sections=sections,
            approved_by=approved_by,
            **given,
        )
    elif kind == "source" and current is not None:
        entry = SourceEntry(
            id=said["id"],
            origin=said["origin"],
            current=current,
            state=said["state"],
            day=dt.date.fromisoformat(said["day"]),
            run=said["run"],
            **given,
        )
    else:
        raise LogRefused(f"an entry of the kind {kind} cannot be made again from its bytes")
    return entry
