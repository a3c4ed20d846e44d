"""The report of an import: what became of the rows and records, as it is kept and served."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from registry.record.model import Document
from registry.record.pointers import pointer
from registry.services.importing.matching import RefusedRow
from registry.store.imports import ImportCounts


class ImportOutcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one record: `outcome` is a count of `ImportCounts`.

    `source_id` is the record's id at its source, `fields` are the JSON Pointers of what differs,
    and `moved` are the agencies before and now, if it is another one.
    """

    record: str
    outcome: str
    source_id: str = ""
    fields: Sequence[str] = ()
    moved: tuple[str, str] | None = None
    undated: bool = False


class RunReport(msgspec.Struct, kw_only=True):
    """What an import did: counts, refused rows by reason with their places, and each record.

    Records that stay as they were are only counted. `notes` are sentences about the whole, and
    `reading` is what was noticed while the file was read. `run` is the number of the run, None of a
    dry run.
    """

    run: int | None = None
    counts: ImportCounts = msgspec.field(default_factory=ImportCounts)
    notes: list[str] = []
    reading: Mapping[str, Any] = {}
    refused: dict[str, list[str]] = {}
    records: list[ImportOutcome] = []


def by_reason(refused: Sequence[RefusedRow]) -> dict[str, list[str]]:
    """Return the places of refused rows by the reason."""
    found: dict[str, list[str]] = {}
    for one in refused:
        found.setdefault(one.reason, []).append(one.place)
    return found


def changed_members(before: Document, after: Document) -> Iterator[str]:
    """Yield the JSON Pointers of what differs: of members, or of members of members."""
    for name in sorted({*before, *after}):
        earlier, later = before.get(name), after.get(name)
        if earlier == later:
            continue
        if isinstance(earlier, dict) and isinstance(later, dict):
            for member in sorted({*earlier, *later}):
                if earlier.get(member) != later.get(member):
                    yield pointer([name, member])
        else:
            yield pointer([name])
