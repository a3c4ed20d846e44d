"""Checking what stands in the place of what was erased, and the rows of redactions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from registry.ledger.row_difference import differs, unlike
from registry.log.blob import KeptSection
from registry.log.disclosure_tree import members
from registry.log.entry import LogEntry, RedactionEntry, VersionEntry
from registry.log.erasure import replaced_members
from registry.store.log import Entry


def check_replaced(
    entry: Entry,
    said: LogEntry,
    sections: Sequence[KeptSection],
    replaced: Mapping[int, Sequence[Any] | None],
) -> None:
    """Check that what stands in the place of erased members is what redactions committed to.

    `replaced` are the items of their sections `replaced`. Raises `LogInconsistent`.
    """
    version = said.version if isinstance(said, VersionEntry) else 0
    for section in sections:
        if not section.erased:
            continue
        value = msgspec.json.decode(section.value)
        left = dict(members(section.key, value)) if value else {}
        for member in section.erased:
            instead = replaced_members(member.redaction, replaced.get, version=version)
            stored, expected = left.get(member.pointer), instead.get(member.pointer)
            if stored != expected:
                table = "section" if version else "entry_section"
                why = unlike(member.pointer, stored, expected)
                raise differs(table, entry, said.record or said.subject or "", why)


def redaction_row(
    entry: Entry, said: RedactionEntry, sections: Sequence[KeptSection]
) -> dict[str, Any]:
    """Return the row of a redaction as it follows from its entry."""
    kept = {each.key: msgspec.json.decode(each.value) for each in sections}
    return {
        "entry": entry.index,
        "record": said.id,
        "agency": said.agency,
        "versions": said.versions,
        "entries": said.entries,
        "pointers": said.pointers,
        "basis": said.basis,
        "authority": kept.get("authority") or "",
        "reference": kept.get("reference"),
        "replaced": None,
        "requested_by": said.actor,
        "confirmed_by": said.confirmed_by,
    }
