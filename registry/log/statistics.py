"""The statistics of a register, counted in the same way from a database and from a log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from registry.record.facts import FactCounts


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """The distribution of scores from 0 to 100: mean to one decimal, minimum, quartiles, maximum.

    A quartile is the lowest score that a quarter, half, three quarters of the records do not
    exceed. It is that of `records`, which are those that have a score.
    """

    records: int
    mean: float
    lowest: int
    lower_quartile: int
    median: int
    upper_quartile: int
    highest: int


class StatisticsGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Records with the same codes of the grouping; `not_stated` where they state none.

    A record with several rules with findings or grounds of withholding is in the group of each, one
    without in none. A `completeness_range` is such as `70-79`, or `cannot_be_said` of records that
    do not state the level of risk on which it depends what is asked of them. `overdue` counts
    records, `longest_days` is the longest delay; `findings` and `withheld` count findings and
    withheld fields, in groups by rule or ground only those of it.
    """

    risk: str | msgspec.UnsetType = msgspec.UNSET
    sector: str | msgspec.UnsetType = msgspec.UNSET
    agency: str | msgspec.UnsetType = msgspec.UNSET
    status: str | msgspec.UnsetType = msgspec.UNSET
    personal_data: str | msgspec.UnsetType = msgspec.UNSET
    finding: str | msgspec.UnsetType = msgspec.UNSET
    ground: str | msgspec.UnsetType = msgspec.UNSET
    completeness_range: str | msgspec.UnsetType = msgspec.UNSET
    records: int
    completeness: Spread | None
    accountability: Spread | None
    overdue: int
    longest_days: int
    findings: int
    withheld: int


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """The number of records that have a code, and of the places in them that have it."""

    code: str
    records: int
    places: int


class ObservationCount(msgspec.Struct, frozen=True, kw_only=True):
    """An observation, and the number of records that show it."""

    observation: str
    records: int


class Overdue(msgspec.Struct, frozen=True, kw_only=True):
    """Records not retired whose review was due before the day, and the longest delay."""

    records: int
    longest_days: int


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """A month, `YYYY-MM`: versions published, records withdrawn, records in force at its end."""

    month: str
    published: int
    withdrawn: int
    records: int


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """The records that were filed here, or those of other registers.

    The scores are null if no record has one. `findings` are by rule, `withheld` fields and
    `restricted` records by ground, `completeness_ranges` by ten points. `facts` has of each fact of
    the format how many records answer on it in which way.
    `approvals` are the versions and withdrawals up to then that took two actors, as places, by whom
    the second one acted for: the `authority`, or the `agency` itself. Months begin with the first
    publication.
    """

    records: int
    completeness: Spread | None
    accountability: Spread | None
    completeness_ranges: list[Tally]
    overdue: Overdue
    personal_data: list[Tally]
    findings: list[Tally]
    facts: list[FactCounts]
    observations: list[ObservationCount]
    withheld: list[Tally]
    restricted: list[Tally]
    approvals: list[Tally]
    months: list[Month]
    groups: list[StatisticsGroup]


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """An agency of this country, with or without records.

    `systems_total` is the number that it attested last, for the day `attested_on`; null without an
    attestation.
    """

    agency: str
    fictitious: bool
    records: int
    systems_total: int | None
    attested_on: dt.date | None


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of the register when `entry`, of `entry_at`, was the last of the log.

    Reviews are overdue by `day`. If `fictitious` is false, a real agency has filed, and the records
    of fictitious ones are left out everywhere.
    """

    entry: int
    entry_at: dt.datetime
    day: dt.date
    fictitious: bool
    by: list[str]
    local: Part
    foreign: Part
    agencies: list[Coverage]


def count_part(
    wholes: Sequence[Any],
    groups: Iterable[Any],
    tallies: Sequence[Any],
    months: Sequence[Any],
    *,
    by: Sequence[str],
    day: dt.date,
) -> Part:
    """Return the counts of what was filed here, or copied, from its rows of each statement.

    They are without those of `facts` and `observations`, which rows do not have.
    """
    whole = wholes[0] if wholes else None

    def tally(kind: str) -> list[Tally]:
        return [
            Tally(code=row["code"], records=row["records"], places=row["places"])
            for row in sorted(tallies, key=lambda row: row["code"])
            if row["kind"] == kind
        ]

    return Part(
        records=whole["records"] if whole else 0,
        completeness=_spread(whole, "completeness") if whole else None,
        accountability=_spread(whole, "accountability") if whole else None,
        completeness_ranges=tally("completeness_ranges"),
        overdue=Overdue(
            records=whole["overdue"] if whole else 0,
            longest_days=whole["longest_days"] if whole else 0,
        ),
        personal_data=tally("personal_data"),
        findings=tally("findings"),
        facts=[],
        observations=[],
        withheld=tally("withheld"),
        restricted=tally("restricted"),
        approvals=tally("approvals"),
        months=list(_months(months, day)),
        groups=[count_group(row, by) for row in groups],
    )


def count_group(row: Any, by: Sequence[str]) -> StatisticsGroup:
    """Return the counts of a group from its row, which has the codes `by` which it is one."""
    return StatisticsGroup(
        **{name: row[name] for name in by},
        records=row["records"],
        completeness=_spread(row, "completeness"),
        accountability=_spread(row, "accountability"),
        overdue=row["overdue"],
        longest_days=row["longest_days"],
        findings=row["findings"],
        withheld=row["withheld"],
    )


def _spread(row: Any, score: str) -> Spread | None:
    count = row[f"{score}_count"]
    if not count:
        return None
    lowest, lower, median, upper, highest = row[score]
    return Spread(
        records=count,
        mean=(20 * row[f"{score}_sum"] + count) // (2 * count) / 10,
        lowest=lowest,
        lower_quartile=lower,
        median=median,
        upper_quartile=upper,
        highest=highest,
    )


def _months(rows: Iterable[Any], day: dt.date) -> Iterator[Month]:
    """Yield the months up to that of a day, those without a change too."""
    counts = {(row["month"], row["what"]): row["versions"] for row in rows}
    if not counts:
        return
    month, last = min(counts)[0], max(f"{day:%Y-%m}", max(counts)[0])
    standing = 0
    while month <= last:
        published, withdrawn = (
            counts.get((month, "published"), 0),
            counts.get((month, "withdrawal"), 0),
        )
        standing += published - withdrawn - counts.get((month, "version"), 0)
        yield Month(month=month, published=published, withdrawn=withdrawn, records=standing)
        first = dt.date.fromisoformat(f"{month}-01")
        month = f"{first + dt.timedelta(days=31):%Y-%m}"
