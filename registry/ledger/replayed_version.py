"""A version as the replay of a log has it, and what its entry says of its source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from registry.errors import Finding
from registry.record.entry import Imported, imported_of
from registry.record.model import LangText
from registry.record.pointers import dig
from registry.store.imports import SourceEvent
from registry.store.records import SourceFacts


class ReplayedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version as the log has it: its document without erased members, and its verdict."""

    record: str
    agency: str
    version: int
    entry: int
    at: dt.datetime
    said: Mapping[str, Any]
    document: bytes
    erased: Sequence[tuple[str, int]]
    completeness: int
    accountability: int | None
    missing: Sequence[str]
    findings: Sequence[Finding]

    @property
    def origin(self) -> str | None:
        """The register that it was copied from."""
        origin: str | None = self.said.get("origin")
        return origin


def change_note(version: ReplayedVersion) -> LangText | None:
    """Return what the agency says of its change."""
    note: LangText | None = dig(msgspec.json.decode(version.document), "publication", "change_note")
    return note


def stated_day(version: ReplayedVersion) -> str | None:
    """Return the day of its change that the agency states."""
    day: str | None = dig(msgspec.json.decode(version.document), "publication", "changed_on")
    return day


def source_facts(version: ReplayedVersion, events: Sequence[SourceEvent]) -> SourceFacts:
    """Return where a foreign version stands at its source, by what happened to it there.

    What no entry says is not in it, or as the document says.
    """
    facts = imported_of(version.said) or Imported(origin="")
    there = facts.source
    known: dict[str, Any] = {}
    if there is not None:
        known = {
            "index": there.index,
            "leaf": there.leaf,
            "version": there.version,
            "published_at": dt.datetime.fromisoformat(there.at),
            "seen_at": version.at,
        }
    return SourceFacts(
        id=msgspec.json.decode(version.document).get("source_id") or "",
        state=events[-1].state if events else "present",
        state_since=events[-1].day if events else None,
        changed_on=facts.changed_on,
        undated=facts.undated,
        moved_from=facts.moved_from,
        run=facts.run,
        register=None,
        **known,
    )
