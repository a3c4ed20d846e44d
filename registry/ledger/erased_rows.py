"""Checking what stands in the place of what was erased, and the rows of redactions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from registry.ledger.row_difference import differs, unlike
from registry.record.content_file import KeptSection
from registry.record.erasure import replaced_members
from registry.record.sections import members
from registry.store.log import Entry


def check_replaced(
    entry: Entry,
    said: Mapping[str, Any],
    sections: Sequence[KeptSection],
    replaced: Mapping[int, Sequence[Any] | None],
) -> None:
    """Check that what stands in the place of erased members is what redactions committed to.

    `replaced` are the items of their sections `replaced`. Raises `LogInconsistent`.
    """
    version = said.get("version", 0) if said["kind"] == "version" else 0
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
                raise differs(table, entry, said.get("id") or said["agency"], why)


def redaction_row(
    entry: Entry, said: Mapping[str, Any], sections: Sequence[KeptSection]
) -> dict[str, Any]:
    """Return the row of a redaction as it follows from its entry."""
    kept = {each.key: msgspec.json.decode(each.value) for each in sections}
    return {
        "entry": entry.index,
        "record": said.get("id"),
        "agency": said.get("agency"),
        "versions": said.get("versions", []),
        "entries": said.get("entries", []),
        "pointers": said["pointers"],
        "basis": said["basis"],
        "authority": kept.get("authority") or "",
        "reference": kept.get("reference"),
        "replaced": None,
        "requested_by": said["actor"],
        "confirmed_by": said["confirmed_by"],
    }
