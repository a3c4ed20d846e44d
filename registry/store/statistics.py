"""Statistics: exact counts of the register at a moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from registry.log.statistics import (
    Coverage,
    Part,
    Statistics,
    StatisticsGroup,
    count_group,
    count_part,
)
from registry.store.as_of import AsOf
from registry.store.database import Connection, read_rows, statement

FILTERS = ("risk", "sector", "agency", "status", "origin")
"""The filters, in the order of the parameters of the statements."""

SEVERAL = ("finding", "ground")
"""Groupings in which a record may be in no group or several; at most one, with one other."""

GROUPS = ("risk", "sector", "agency", "status", "personal_data", "completeness_range", *SEVERAL)
"""The groupings."""

_COUNTING_SECONDS = 60.0
"""The time limit of a count; one of a million records takes some 20 seconds."""


async def read(
    connection: Connection,
    moment: AsOf,
    *,
    by: Sequence[str],
    filters: Mapping[str, Sequence[str]],
) -> Statistics:
    """Return the counts of what was in force at a moment; needs a `snapshot`.

    `by` is some of `GROUPS`, `filters` are codes by some of `FILTERS`. The agencies, and which are
    fictitious, are those of the current country pack.
    """
    real = await connection.fetchval(statement("statistics", "real_agency_has_filed"), moment.entry)
    wanted = [list(filters[name]) if name in filters else None for name in FILTERS]
    asked = [moment.entry, moment.day, not real, *wanted]
    groups = await _groups(connection, asked, by)
    whole = await _groups(connection, asked, ())
    tallies = await _fetch(connection, statement("statistics", "tallies"), *asked)
    months = await _fetch(connection, statement("statistics", "months"), *asked)
    agencies = await read_rows(
        connection,
        Coverage,
        "statistics",
        "coverage",
        moment.entry,
        not real,
        wanted[FILTERS.index("agency")],
    )

    def part(*, local: bool) -> Part:
        mine = [
            [row for row in rows if row["local"] is local]
            for rows in (whole, groups, tallies, months)
        ]
        return count_part(*mine, by=by, day=moment.day)

    return Statistics(
        entry=moment.entry,
        entry_at=moment.at,
        day=moment.day,
        fictitious=not real,
        by=list(by),
        local=part(local=True),
        foreign=part(local=False),
        agencies=agencies,
    )


async def read_groups(
    connection: Connection, moment: AsOf, *, by: Sequence[str], fictitious: bool
) -> list[StatisticsGroup]:
    """Return the groups of what was filed here by some of `GROUPS`.

    `fictitious` includes the records of fictitious agencies.
    """
    asked = [moment.entry, moment.day, fictitious, *(None for _ in FILTERS)]
    return [count_group(row, by) for row in await _groups(connection, asked, by) if row["local"]]


async def _groups(connection: Connection, asked: Sequence[Any], by: Sequence[str]) -> list[Any]:
    return await _fetch(connection, statement("statistics", "groups"), *asked, list(by))


async def _fetch(connection: Connection, query: str, *asked: Any) -> list[Any]:
    rows: list[Any] = await connection.fetch(query, *asked, timeout=_COUNTING_SECONDS)
    return rows
