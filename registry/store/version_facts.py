"""Figures: what is counted of every version, codes and numbers only, and when it was in force."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from registry.record.model import RiskChange
from registry.store.database import Connection
from registry.store.sql import statement


class VersionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is counted of a version, beside what the version says itself.

    `risk_before` is of the version before it, None for a first one. `rules` has one for each
    finding, `withheld` the ground of each field; `restricted` is the ground on which little more
    than the existence is published.
    """

    risk: str
    risk_before: str | None
    risk_change: RiskChange | None
    sector: str
    status: str
    personal_data: str
    next_review_on: dt.date | None
    rules: Sequence[str]
    withheld: Sequence[str]
    restricted: str | None


async def end(connection: Connection, record: str, *, entry: int, at: dt.datetime) -> None:
    """Count a record's last version no longer from an entry on: its withdrawal."""
    await connection.execute(statement("figures", "end"), record, entry, at)
