"""The rows of a file of another register: as records that can be published here, or refused."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from registry.record.canonical import canonical
from registry.record.model import Document
from registry.record.pack import Agency
from registry.record.validate import Verdict
from registry.store.imports import KeptRow

_LARGEST_ROW = 64 << 20
"""Bytes of a row as JSON: PostgreSQL takes 256 MiB of it and of the texts that were cut."""


class ForeignFiling(msgspec.Struct, frozen=True, kw_only=True):
    """A foreign record that its profile accepts, with the row it was made from.

    `source_id`, `of` and `telling_apart` are those of its `RecordKey`, texts of the
    document. `whole` has, by JSON Pointer, the whole text where the document has it cut.
    `changed_on` is the source's own date of the row's last change: `YYYY`, `YYYY-MM` or
    `YYYY-MM-DD`. `place` says where in the file the row is.
    """

    document: Document
    agency: Agency
    verdict: Verdict
    source_row: Mapping[str, Any]
    source_id: str = ""
    of: tuple[str, ...] = ()
    telling_apart: tuple[str, ...] = ()
    whole: Mapping[str, str] = {}
    changed_on: str | None = None
    place: str = ""

    @property
    def kept_row(self) -> KeptRow:
        """The row as it is stored: canonical JSON, or with integers beyond 2^53 JSON in order."""
        try:
            content = canonical(self.source_row)
        except ValueError:
            content = msgspec.json.encode(self.source_row, order="sorted")
        return KeptRow(content=content.decode(), whole=msgspec.json.encode(self.whole).decode())

    @property
    def row_sha256(self) -> bytes:
        """The SHA-256 of the row as it is stored."""
        return hashlib.sha256(self.kept_row.content.encode()).digest()


class RefusedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the file that becomes no record: where it is, why, and its id at the source."""

    place: str
    reason: str
    source_id: str = ""


def refuse_large_rows(
    filings: Sequence[ForeignFiling],
) -> tuple[list[ForeignFiling], list[RefusedRow]]:
    """Return the filings whose rows can be stored, and the rows of the others."""
    fit: list[ForeignFiling] = []
    large: list[RefusedRow] = []
    why = (
        f"the row has more than {_LARGEST_ROW >> 20} MiB: leave out of the file what the crosswalk "
        "does not read"
    )
    for one in filings:
        if len(msgspec.json.encode(one.source_row)) <= _LARGEST_ROW:
            fit.append(one)
        else:
            large.append(RefusedRow(place=one.place, reason=why, source_id=one.source_id))
    return fit, large
