"""What takes the place of members that a redaction erases, where only words of them are to go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

import msgspec

from registry.log.disclosure_tree import members
from registry.log.erasure import REPLACED, covers, named_members, remaining_members
from registry.record.canonical import canonical
from registry.record.model import Document
from registry.store import redactions
from registry.store.database import Connection
from registry.store.redactions import HeldSection, Redaction


async def with_replacements(
    connection: Connection,
    asked: Redaction,
    shown: Mapping[int, Document],
    replaced: Mapping[int, Mapping[str, Any]] | None,
    sections: Sequence[HeldSection],
) -> Redaction:
    """Return a redaction of a record with what takes the place of the members that it erases.

    `replaced` are texts with a mark in them, by version and pointer, where it is of words. What an
    earlier redaction put in the place of these members is erased from that one's entry; whatever
    else its list has at the same place goes on in the list of this one.
    """
    instead: dict[tuple[int, str], Any] = {}
    if replaced is not None:
        pointers = sorted({pointer for members_of in replaced.values() for pointer in members_of})
        asked = msgspec.structs.replace(asked, versions=sorted(replaced), pointers=pointers)
        for version, members_of in replaced.items():
            there = dict(named_members(shown[version], pointers))
            instead |= {(version, at): value for at, value in {**there, **members_of}.items()}
    items = await redactions.read_replaced(
        connection, {by for section in sections for by in section.gone_by}
    )
    listed = [
        (redaction, at, item)
        for redaction, replacing in items.items()
        for at, item in enumerate(replacing or ())
        if not isinstance(item, int)
    ]
    named = {
        (redaction, at)
        for redaction, at, item in listed
        if covers(asked.pointers, item["pointer"]) and {*item["versions"]} & {*asked.versions}
    }
    numbers = {at for _, at in named}
    entries = sorted({redaction for redaction, _ in named})
    for redaction, at, item in listed:
        if redaction not in entries or at not in numbers:
            continue
        for version in item["versions"]:
            is_erased = (redaction, at) in named and version in asked.versions
            if not is_erased:
                instead.setdefault((version, item["pointer"]), item["value"])
    grouped: dict[tuple[str, bytes], list[int]] = {}
    for (version, pointer), value in sorted(instead.items(), key=itemgetter(0)):
        grouped.setdefault((pointer, canonical(value)), []).append(version)
    return msgspec.structs.replace(
        asked,
        entries=entries,
        pointers=sorted({*asked.pointers, *(f"/{REPLACED}/{at}" for at in numbers)}),
        replaced=[
            {"pointer": pointer, "versions": versions, "value": msgspec.json.decode(value)}
            for (pointer, value), versions in grouped.items()
        ]
        or None,
    )


def held_members(sections: Sequence[HeldSection]) -> dict[int, list[str]]:
    """Return which members can be named, by version, or by entry where that is none."""
    held: dict[int, list[str]] = {}
    for section in sections:
        value = msgspec.json.decode(section.value)
        left = remaining_members(section.key, value, section.gone)
        instead = [one for one in members(section.key, value) if one[0] in section.gone]
        named = held.setdefault(section.version or section.entry, [])
        named += [pointer for pointer, _ in left]
        named += [pointer for pointer, part in instead if part is not None]
    return held


def shown_versions(sections: Sequence[HeldSection], versions: Sequence[int]) -> dict[int, Document]:
    """Return versions as they are stored, with what stands in the place of erased members."""
    found: dict[int, Document] = {version: {} for version in versions}
    for section in sections:
        if section.version in found:
            found[section.version][section.key] = msgspec.json.decode(section.value)
    return found
