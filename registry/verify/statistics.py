"""Counting a register from its log alone, by the same arithmetic as its statistics."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil
from typing import Any

import msgspec

from registry.log.entry import entry_summary
from registry.log.register import RegisterReplay, ReplayedVersion
from registry.log.statistics import Coverage, Statistics, count_part
from registry.record.model import NOT_STATED
from registry.record.pack import Agency
from registry.record.pointers import dig

_QUARTILES = (0, 0.25, 0.5, 0.75, 1)
_LAST_RANGE = 90


class _Counted(msgspec.Struct, frozen=True, kw_only=True):
    """What is counted of a version; `days_late` is None where its review is not overdue."""

    version: ReplayedVersion
    is_local: bool
    codes: Mapping[str, str]
    rules: Sequence[str]
    withheld: Sequence[str]
    restricted: str | None
    days_late: int | None


class CountedRegister:
    """The statistics of a register as of an entry, from the replay of its log."""

    def __init__(
        self, replay: RegisterReplay, agencies: Mapping[str, Agency], *, as_of: int
    ) -> None:
        """Take a replay, and the agencies, of which it counts which are fictitious."""
        self._replay = replay
        self._agencies = agencies
        self._as_of = as_of
        self._day = replay.time_of(as_of).date()
        self._fictitious = {code for code, agency in agencies.items() if agency.fictitious}
        published = [one for of in replay.versions.values() for one in of if one.entry <= as_of]
        self.has_real = any(
            one.origin is None and one.agency not in self._fictitious for one in published
        )
        self._published = [one for one in published if self._counts(one.agency)]
        self._standing = [
            self._count(one)
            for one, is_in_force in replay.standing(as_of=as_of)
            if is_in_force and self._counts(one.agency)
        ]

    def statistics(self, by: Sequence[str], agencies: Sequence[str]) -> Statistics:
        """Return the statistics, with the coverage of some agencies of this country."""
        return Statistics(
            entry=self._as_of,
            entry_at=self._replay.time_of(self._as_of),
            day=self._day,
            fictitious=not self.has_real,
            by=list(by),
            local=self._part(by, is_local=True),
            foreign=self._part(by, is_local=False),
            agencies=[self._coverage(code) for code in self._covered(agencies)],
        )

    def _counts(self, agency: str) -> bool:
        return not (self.has_real and agency in self._fictitious)

    def _count(self, version: ReplayedVersion) -> _Counted:
        document = msgspec.json.decode(version.document)
        stated = msgspec.structs.asdict(entry_summary(document))
        due = dig(document, "lifecycle", "next_review_on")
        late = None
        if due is not None and stated["status"] != "retired" and due < self._day.isoformat():
            late = (self._day - dt.date.fromisoformat(due)).days
        withheld = dig(document, "publication", "withheld_fields") or ()
        return _Counted(
            version=version,
            is_local=version.origin is None,
            codes={name: code or NOT_STATED for name, code in stated.items()}
            | {
                "agency": version.agency,
                "personal_data": dig(document, "data", "personal_data") or NOT_STATED,
                "completeness_range": _range(version.completeness),
            },
            rules=[one.rule for one in version.findings],
            withheld=[field["ground"] for field in withheld if "ground" in field],
            restricted=dig(document, "publication", "restriction", "ground"),
            days_late=late,
        )

    def _part(self, by: Sequence[str], *, is_local: bool) -> Any:
        mine = [one for one in self._standing if one.is_local is is_local]
        groups: dict[tuple[str, ...], list[_Counted]] = {}
        for one in mine:
            groups.setdefault(tuple(one.codes[name] for name in by), []).append(one)
        rows = [
            {**dict(zip(by, key, strict=True)), **_row(group)}
            for key, group in sorted(groups.items())
        ]
        return count_part(
            [_row(mine)] if mine else [],
            rows,
            [*_tallies(mine), *self._approvals(is_local=is_local)],
            self._months(is_local=is_local),
            by=by,
            day=self._day,
        )

    def _approvals(self, *, is_local: bool) -> Iterable[dict[str, Any]]:
        """Yield the rows of who approved the versions and withdrawals up to then."""
        records: dict[str, list[str]] = {}
        published = [one for one in self._published if (one.origin is None) is is_local]
        for version in published:
            records.setdefault(version.said.approved_by or "", []).append(version.record)
        for record in {one.record for one in published}:
            for withdrawal in self._replay.withdrawals(record, as_of=self._as_of):
                records.setdefault(withdrawal.approved_by or "", []).append(record)
        records.pop("", None)
        for code, named in records.items():
            count, places = len(set(named)), len(named)
            yield {"kind": "approvals", "code": code, "records": count, "places": places}

    def _months(self, *, is_local: bool) -> list[dict[str, Any]]:
        counts: Counter[tuple[str, str]] = Counter()
        for one in self._published:
            if (one.origin is None) is is_local:
                counts[f"{one.at:%Y-%m}", "published"] += 1
                following = self._replay.following(one, as_of=self._as_of)
                if following is not None:
                    kind, at = following
                    counts[f"{at:%Y-%m}", kind] += 1
        return [
            {"month": month, "what": what, "versions": count}
            for (month, what), count in counts.items()
        ]

    def _covered(self, agencies: Sequence[str]) -> list[str]:
        """Return the agencies that are to be listed: those given, and those of the log."""
        local = {one.version.agency for one in self._standing if one.is_local}
        of_log = local | {one for one in self._replay.attesting if self._counts(one)}
        return sorted(of_log | {one for one in agencies if self._counts(one)})

    def _coverage(self, agency: str) -> Coverage:
        records = sum(one.codes["agency"] == agency for one in self._standing)
        said = self._replay.attestations(agency, records=records, as_of=self._as_of)
        return Coverage(
            agency=agency,
            fictitious=agency in self._fictitious,
            records=records,
            systems_total=said[0].systems_total if said else None,
            attested_on=said[0].day if said else None,
        )


def _row(group: Sequence[_Counted]) -> dict[str, Any]:
    """Return the row of a group as the statements of statistics count it."""
    late = [one.days_late for one in group if one.days_late is not None]
    row: dict[str, Any] = {
        "records": len(group),
        "overdue": len(late),
        "longest_days": max(late, default=0),
        "findings": sum(len(one.rules) for one in group),
        "withheld": sum(len(one.withheld) for one in group),
    }
    completeness = [one.version.completeness for one in group]
    accountability = [
        one.version.accountability for one in group if one.version.accountability is not None
    ]
    for name, scores in (("completeness", completeness), ("accountability", accountability)):
        ordered = sorted(scores)
        count = len(ordered)
        row[f"{name}_count"] = count
        row[f"{name}_sum"] = sum(ordered)
        row[name] = [ordered[max(0, ceil(part * count) - 1)] for part in _QUARTILES if count]
    return row


def _tallies(group: Sequence[_Counted]) -> Iterable[dict[str, Any]]:
    """Yield the rows of codes, with the records that have one and the places in them."""
    reads: dict[str, Callable[[_Counted], Sequence[str]]] = {
        "personal_data": lambda one: [one.codes["personal_data"]],
        "completeness_ranges": lambda one: [one.codes["completeness_range"]],
        "restricted": lambda one: [one.restricted] if one.restricted is not None else [],
        "missing": lambda one: one.version.missing,
        "findings": lambda one: one.rules,
        "withheld": lambda one: one.withheld,
    }
    for kind, read in reads.items():
        records: Counter[str] = Counter()
        places: Counter[str] = Counter()
        for one in group:
            codes = Counter(read(one))
            records.update(codes.keys())
            places.update(codes)
        for code, count in records.items():
            yield {"kind": kind, "code": code, "records": count, "places": places[code]}


def _range(completeness: int) -> str:
    if completeness >= _LAST_RANGE:
        return "90-100"
    low = completeness // 10 * 10
    return f"{low}-{low + 9}"
