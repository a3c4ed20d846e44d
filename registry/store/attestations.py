"""Attestations, as they are kept and as they are read."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from registry.record.model import LangText
from registry.store.as_of import END
from registry.store.database import Connection
from registry.store.sql import statement


class Attestation(msgspec.Struct, frozen=True, kw_only=True):
    """What an agency said of a day; `hash` is the entry's leaf hash in hex.

    `contact` and `note` are null where they were erased; `records` counts what the agency has
    published.
    """

    agency: str
    day: dt.date
    systems_total: int
    uses_none: bool
    contact: dict[str, str] | None
    note: LangText | None
    filed_at: dt.datetime
    entry: int
    hash: str
    records: int


async def read_latest(connection: Connection, *, as_of: int = END) -> list[Attestation]:
    """Read what each agency said of its latest day, in the order of codes.

    It is told as it was known when the entry `as_of` was the log's last.
    """
    return _attestations(await connection.fetch(statement("attestations", "read"), None, as_of))


async def read_history(
    connection: Connection, agency: str, *, as_of: int = END
) -> list[Attestation]:
    """Read everything an agency has said, the newest day first, and of a day the last word."""
    return _attestations(await connection.fetch(statement("attestations", "read"), agency, as_of))


def _attestations(rows: list[Any]) -> list[Attestation]:
    return [
        Attestation(
            agency=row["agency"],
            day=row["day"],
            systems_total=row["systems_total"],
            uses_none=row["systems_total"] == 0,
            contact=_decoded(row["contact"]),
            note=_decoded(row["note"]),
            filed_at=row["filed_at"],
            entry=row["entry"],
            hash=row["leaf"].hex(),
            records=row["records"],
        )
        for row in rows
    ]


def _decoded(value: str | None) -> Any:
    return None if value is None else msgspec.json.decode(value)
