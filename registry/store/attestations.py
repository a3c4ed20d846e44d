"""Attestations of agencies, and their history."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from registry.log.register import END, Attestation
from registry.store.database import Connection, statement
from registry.store.records import read_redacted


async def read_latest(connection: Connection, *, as_of: int = END) -> list[Attestation]:
    """Return each agency's attestation for its latest day, sorted by code.

    The state is that when the entry `as_of` was the last of the log.
    """
    return _attestations(await connection.fetch(statement("attestations", "read"), None, as_of))


async def read_history(
    connection: Connection, agency: str, *, as_of: int = END
) -> list[Attestation]:
    """Return all attestations of an agency, the newest day first, the last one of each day."""
    return _attestations(await connection.fetch(statement("attestations", "read"), agency, as_of))


async def count_in_use(connection: Connection, agency: str, day: dt.date) -> int:
    """Return how many published records of an agency's own are in use, and were so by a day."""
    found: int = await connection.fetchval(
        statement("attestations", "in_use"), agency, day.isoformat()
    )
    return found


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
            redacted=read_redacted(row["redacted"]),
        )
        for row in rows
    ]


def _decoded(value: str | None) -> Any:
    # What was erased is null, or an object without members.
    return None if value is None else msgspec.json.decode(value) or None
