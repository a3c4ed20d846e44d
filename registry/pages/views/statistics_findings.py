"""What a table of the statistics shows, in a sentence above it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from registry.pages.cards import HIGH
from registry.pages.labels import message
from registry.pages.reader import Reader, Text, in_language
from registry.pages.snapshot import RegisterCounts
from registry.pages.views.statistics_tables import RISKS, StatisticsRow, Table
from registry.record.statuses import RUNNING
from registry.text.catalogues import find
from registry.text.dates import format_date
from registry.text.numbers import format_number
from registry.text.typesetting import typeset

_HIGH = tuple(RISKS.index(level) for level in ("unacceptable", "high"))
_RECORDS = len(RISKS)
_YEAR = 12
_CODES = {"status": {*RUNNING}, "personal-data": {"yes", "pseudonymised"}}
_SUMMED = {"withheld", "restricted"}

_SENTENCES = {
    "sectors": message(
        "The sector with the most records is “%(name)s”: %(n)s of %(total)s. At high or"
        " unacceptable risk, in all sectors: %(high)s, of which in use or on trial: %(running)s."
    ),
    "status": message("In use or on trial: %(n)s of %(total)s systems."),
    "personal-data": message("With personal data: %(n)s of %(total)s records."),
    "growth": message("In force now: %(n)s records. A year ago: %(before)s."),
    "agencies": message("Agencies that have filed: %(n)s. The most records: %(name)s, %(most)s."),
    "overdue": message("Reviews that are late: %(n)s. The oldest was due on %(day)s."),
    "withheld": message("Facts withheld: %(n)s. The ground named most often: %(name)s."),
    "restricted": message("Only the existence is public: %(n)s of %(total)s records."),
    "approvals": message(
        "Versions and withdrawals that a second person approved: %(n)s. Of these, within the"
        " agency itself: %(own)s."
    ),
    "missing": message("Missing most often: “%(name)s”, in %(n)s of %(total)s records."),
    "silent": message(
        "Agencies without a record: %(n)s. Of these, say how many they use: %(said)s."
    ),
}


def finding(reader: Reader, counted: RegisterCounts, table: Table) -> Text | None:
    """Return the sentence of a table; None where it has no rows or nothing to compare."""
    rows = table.rows
    made = _values(counted, table) if rows else None
    if made is None:
        return None
    babel = reader.locale.babel
    shown = {
        name: format_number(value, babel)
        if isinstance(value, int)
        else value.name.text
        if isinstance(value, StatisticsRow) and value.name
        else format_date(str(value), babel)
        for name, value in made.items()
    }
    lang, wording = find(reader.catalogues, reader.order, _SENTENCES[table.id])
    return in_language(reader, typeset(wording, lang) % shown, lang)


def _values(counted: RegisterCounts, table: Table) -> Mapping[str, Any] | None:
    """Return what a table's sentence names: numbers, days, and rows for their names."""
    rows, first = table.rows, table.rows[0]
    made: dict[str, Any] = {"n": len(rows), "total": counted.by_code.local.records}
    if table.id in _CODES:
        made["n"] = _sum(row for row in rows if row.code in _CODES[table.id])
    elif table.id == "sectors":
        most = max(rows, key=lambda row: row.values[_RECORDS] or 0)
        high = sum(_sum(rows, at) for at in _HIGH)
        running = sum(
            group.records
            for group in counted.by_code.local.groups
            if group.risk in HIGH and group.status in RUNNING
        )
        made |= {"name": most, "n": most.values[_RECORDS], "high": high, "running": running}
    elif table.id == "growth":
        if len(rows) <= _YEAR:
            return None
        made |= {"n": rows[-1].values[0], "before": rows[-1 - _YEAR].values[0]}
    elif table.id == "silent":
        made["said"] = sum(row.values[0] is not None for row in rows)
    elif table.id == "approvals":
        own = _sum(row for row in rows if row.code == "agency")
        made |= {"n": _sum(rows), "own": own}
    elif table.id in _SUMMED:
        made |= {"name": first, "n": _sum(rows)}
    elif table.id == "missing":
        made |= {"name": first, "n": first.values[0]}
    else:
        made |= {"name": first, "most": first.values[0], "day": first.values[0]}
    return made


def _sum(rows: Iterable[StatisticsRow], column: int = 0) -> int:
    return sum(int(row.values[column] or 0) for row in rows)
