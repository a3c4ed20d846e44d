"""Figures: what is counted of every version, codes and numbers only, and when it was in force."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import msgspec

from registry.store.sql import statement

if TYPE_CHECKING:
    from registry.store.database import Connection

RiskChange: TypeAlias = Literal["raised", "lowered"]

RISK_CHANGES: tuple[RiskChange, ...] = get_args(RiskChange)

_JSON = msgspec.json.Encoder()


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """What is counted of a version.

    `rules` has one for each finding, `withheld` the ground of each field; `restricted` is the
    ground on which little more than the existence is published.
    """

    entry: int
    record: str
    agency: str
    origin: str | None
    at: dt.datetime
    risk: str
    sector: str
    status: str
    personal_data: str
    completeness: int
    accountability: int
    next_review_on: dt.date | None
    rules: Sequence[str]
    withheld: Sequence[str]
    restricted: str | None


async def insert(
    connection: Connection, figures: Sequence[Figure], *, levels: Sequence[str]
) -> None:
    """Write what is counted of new versions, at most one of a record; those before end by them.

    `levels` are the risk levels from the lowest.
    """
    columns = [
        [getattr(figure, name) for figure in figures] for name in Figure.__struct_fields__[:-3]
    ]
    await connection.execute(
        statement("figures", "insert"),
        *columns,
        [_JSON.encode(figure.rules).decode() for figure in figures],
        [_JSON.encode(figure.withheld).decode() for figure in figures],
        [figure.restricted for figure in figures],
        list(levels),
    )


async def end(connection: Connection, record: str, *, entry: int, at: dt.datetime) -> None:
    """Count a record's last version no longer from an entry on: its withdrawal."""
    await connection.execute(statement("figures", "end"), record, entry, at)


async def changed(
    connection: Connection,
    *,
    as_of: int,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    risk_change: Sequence[RiskChange] | None = None,
) -> list[int]:
    """Find records that had a version published in a time, or one that moved their risk level so.

    Gives the entries of the versions that were in force when the entry `as_of` was the last, also
    where the change was in an earlier version; both ends of the time belong to it.
    """
    moved = None if risk_change is None else list(risk_change)
    rows = await connection.fetch(statement("figures", "changed"), as_of, since, until, moved)
    return [row["entry"] for row in rows]
