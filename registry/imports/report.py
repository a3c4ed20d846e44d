"""The report of an import: every row is accounted for, and all that was left out or cut."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from registry.imports.dates import date_advice
from registry.imports.texts import shorten
from registry.services.importing.importing import RunReport
from registry.services.importing.matching import ForeignFiling, RefusedRow


class Unclear(msgspec.Struct, frozen=True, kw_only=True):
    """A value of the source that no mapping of its column understood; the field stays absent."""

    column: str
    transform: str
    value: str


class ForeignRecord(ForeignFiling, frozen=True, kw_only=True):
    """A row as a document that satisfies the foreign profile, ready to be filed.

    `source_row` is the unchanged row, `line` its number and `place` the same in words (`sheet
    'Data', row 4`); `otherwise` holds the columns that replaced an empty one.
    """

    line: int
    place: str
    unclear: tuple[Unclear, ...] = ()
    otherwise: tuple[str, ...] = ()
    own_id_missing: bool = False
    told_apart: bool = False


class Refusal(RefusedRow, frozen=True, kw_only=True):
    """A row that becomes no record; `line` is its number."""

    line: int


EXAMPLES = 10
NOT_STATED = "not_stated"
_INDEX = re.compile(r"/\d+(?=/|$)")


class ImportReport(msgspec.Struct, kw_only=True):
    """Counts that grow while rows are converted.

    `rows` is always records plus refusals plus `skipped`, for which the crosswalk does not ask.
    `not_understood` is by column, then by value, with `date_advice` on columns of dates;
    `truncated` by JSON Pointer, in which `-` is any item of a list; `missing_ids` counts rows
    without an id of their own, `told_apart` rows whose id another row has too; `otherwise` is by
    the column that replaced an empty one. `notes` tell how the file was read: sheets, rows and
    cells left out; `sha256` is the digest of its bytes, in hex.
    """

    origin: str
    sha256: str = ""
    rows: int = 0
    records: int = 0
    refusals: list[Refusal] = []
    skipped: int = 0
    risk: Counter[str] = msgspec.field(default_factory=Counter)
    agencies: Counter[str] = msgspec.field(default_factory=Counter)
    truncated: Counter[str] = msgspec.field(default_factory=Counter)
    truncated_records: int = 0
    not_understood: dict[str, Counter[str]] = {}
    dates_not_understood: int = 0
    date_advice: dict[str, str] = {}
    missing_ids: int = 0
    told_apart: int = 0
    otherwise: Counter[str] = msgspec.field(default_factory=Counter)
    unknown_columns: list[str] = []
    as_of: str | None = None
    notes: list[str] = []


def count(report: ImportReport, outcome: ForeignRecord | Refusal) -> None:
    """Add the outcome of a row to the report."""
    report.rows += 1
    if isinstance(outcome, Refusal):
        report.refusals.append(outcome)
        return
    report.records += 1
    level = outcome.document.get("risk", {}).get("level", NOT_STATED)
    report.risk[level] += 1
    report.agencies[outcome.agency.id] += 1
    report.missing_ids += outcome.own_id_missing
    report.told_apart += outcome.told_apart
    report.otherwise.update(outcome.otherwise)
    report.truncated.update(_INDEX.sub("/-", pointer) for pointer in outcome.whole)
    report.truncated_records += bool(outcome.whole)
    for unclear in outcome.unclear:
        values = report.not_understood.setdefault(unclear.column, Counter())
        values[shorten(unclear.value.strip(), 120)] += 1
        if unclear.transform == "date":
            report.dates_not_understood += 1
            if advice := date_advice(unclear.value):
                report.date_advice.setdefault(unclear.column, advice)


def as_json(report: ImportReport) -> dict[str, Any]:
    """Return the report as JSON values, with the most frequent values as examples."""
    return {
        "origin": report.origin,
        "rows": report.rows,
        "records": report.records,
        "refused": len(report.refusals),
        "skipped": report.skipped,
        "refused_by_reason": dict(Counter(item.reason for item in report.refusals).most_common()),
        "refused_rows": [
            {"line": item.line, "place": item.place, "reason": item.reason}
            for item in report.refusals
        ],
        "risk": dict(report.risk.most_common()),
        "agencies": dict(report.agencies.most_common()),
        "missing_ids": report.missing_ids,
        "told_apart": report.told_apart,
        "otherwise": dict(report.otherwise),
        "truncated_records": report.truncated_records,
        "truncated": dict(report.truncated.most_common()),
        "dates_not_understood": report.dates_not_understood,
        "not_understood": {
            column: {
                "count": values.total(),
                "distinct": len(values),
                "examples": dict(values.most_common(EXAMPLES)),
            }
            for column, values in sorted(report.not_understood.items())
        },
        "unknown_columns": report.unknown_columns,
        "as_of": report.as_of,
        "notes": report.notes,
    }


def as_lines(report: ImportReport) -> Iterator[str]:
    """Yield the report in a few lines, for a terminal."""
    yield f"{report.rows:,} rows: {report.records:,} records, {len(report.refusals):,} refused"
    yield from report.notes
    if report.skipped:
        yield f"{report.skipped:,} rows skipped, for which the crosswalk does not ask"
    if report.missing_ids:
        yield f"{report.missing_ids:,} rows without an id: named and numbered by their content"
    if report.told_apart:
        yield f"{report.told_apart:,} rows share their id or name: told apart by their content"
    for column, number in report.otherwise.items():
        yield f"for want of a better one, text taken from the column {column}: {number:,}"
    if report.truncated_records:
        places = ", ".join(f"{at} {number:,}" for at, number in report.truncated.most_common())
        yield f"{report.truncated_records:,} records with a text cut at the limit: {places}"
    for column, values in sorted(report.not_understood.items()):
        examples = "; ".join(repr(shorten(value, 40)) for value, _ in values.most_common(3))
        advice = f"; {report.date_advice[column]}" if column in report.date_advice else ""
        yield f"{column}: {values.total():,} values not understood, left out: {examples}{advice}"
    if report.unknown_columns:
        yield f"columns that the crosswalk does not know: {', '.join(report.unknown_columns)}"


def run_lines(report: RunReport, *, complete: bool) -> Iterator[str]:
    """Yield what became of the rows and records of an import, for a terminal."""
    counts = report.counts
    for reason, places in report.refused.items():
        named = ", ".join(places[:EXAMPLES])
        more = f" and {len(places) - EXAMPLES:,} more" if len(places) > EXAMPLES else ""
        yield f"  {named}{more}: {reason}"
    compared = sum([counts.added, counts.changed, counts.moved, counts.unchanged, counts.withdrawn])
    if counts.records and not compared:
        yield from report.notes
        return
    both = compared - counts.records
    moved = f", {counts.moved:,} moved to another agency" if counts.moved else ""
    if moved and both > 0:
        moved += f" ({both:,} of them changed too)"
    yield (
        f"{counts.added:,} created, {counts.changed:,} changed, {counts.unchanged:,} unchanged"
        f"{moved}"
    )
    if counts.fields:
        fields = ", ".join(f"{field} {number:,}" for field, number in counts.fields.items())
        yield f"what changed: {fields}"
    if counts.undated:
        yield f"{counts.undated:,} changed at the source without moving the date that it states"
    if counts.reread:
        yield f"{counts.reread:,} changed although their rows did not: they are read otherwise now"
    if complete:
        yield f"{counts.gone:,} no longer in the source"
    if counts.returned:
        yield f"{counts.returned:,} are back in the source"
    if counts.withdrawn:
        yield f"{counts.withdrawn:,} were withdrawn from this register and stay so"
    yield from report.notes
