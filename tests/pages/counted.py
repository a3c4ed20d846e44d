"""Records counted by hand, for corpora that no database stands behind."""

import datetime as dt
from collections import Counter, defaultdict

import msgspec

from registry.log.statistics import (
    Coverage,
    Month,
    Overdue,
    Part,
    Spread,
    Statistics,
    StatisticsGroup,
    Tally,
)
from registry.pages.snapshot import RegisterCounts

STATED = {
    "risk": ("risk", "level"),
    "sector": ("sector", "primary"),
    "status": ("lifecycle", "status"),
    "personal_data": ("data", "personal_data"),
}


def _code(record, name):
    if name == "agency":
        return record.agency
    section, member = STATED[name]
    return (msgspec.json.decode(record.document).get(section) or {}).get(member, "not_stated")


def _spread(scores):
    mean = round(sum(scores) / len(scores), 1)
    low, high = min(scores), max(scores)
    return Spread(
        records=len(scores),
        mean=mean,
        lowest=low,
        lower_quartile=low,
        median=low,
        upper_quartile=high,
        highest=high,
    )


def _withheld(record):
    stated = msgspec.json.decode(record.document).get("publication") or {}
    return [field["ground"] for field in stated.get("withheld_fields") or ()]


def _part(records, by):
    groups = defaultdict(list)
    for record in records:
        groups[tuple(_code(record, name) for name in by)].append(record)
    grounds = Counter(ground for record in records for ground in _withheld(record))
    with_ground = Counter(ground for record in records for ground in set(_withheld(record)))
    months = Counter(f"{record.register.published_at:%Y-%m}" for record in records)
    known = {
        "records": len(records),
        "completeness": None,
        "accountability": None,
        "overdue": Overdue(records=0, longest_days=0),
        "withheld": [
            Tally(code=code, records=with_ground[code], places=number)
            for code, number in sorted(grounds.items())
        ],
        "months": [
            Month(month=month, published=number, withdrawn=0, records=number)
            for month, number in sorted(months.items())
        ],
        "groups": [
            StatisticsGroup(
                **dict(zip(by, codes, strict=True)),
                records=len(several),
                completeness=_spread([one.register.completeness for one in several]),
                accountability=_spread([one.register.accountability for one in several]),
                overdue=0,
                longest_days=0,
                findings=0,
                withheld=0,
            )
            for codes, several in sorted(groups.items())
        ],
    }
    empty = {name: [] for name in Part.__struct_fields__}
    return Part(**(empty | known))


def _count(records, agencies, attestations, by):
    standing = [record for record in records if record.register.state != "withdrawn"]
    here = [record for record in standing if record.register.origin is None]
    filed = Counter(record.agency for record in here)
    return Statistics(
        entry=39,
        entry_at=dt.datetime(2026, 11, 20, tzinfo=dt.UTC),
        day=dt.date(2026, 11, 24),
        fictitious=all(record.register.fictitious for record in here),
        by=list(by),
        local=_part(here, by),
        foreign=_part([one for one in standing if one.register.origin is not None], by),
        agencies=[
            Coverage(
                agency=agency,
                fictitious=known.fictitious,
                records=filed[agency],
                systems_total=said.systems_total if said else None,
                attested_on=said.day if said else None,
            )
            for agency, known in sorted(agencies.items())
            if known.origin is None
            for said in [attestations.get(agency)]
        ],
    )


def count(records, agencies, attestations):
    return RegisterCounts(
        by_code=_count(records, agencies, attestations, tuple(STATED)),
        by_agency=_count(records, agencies, attestations, ("agency",)).local.groups,
    )
