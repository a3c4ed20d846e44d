"""Conversion of the file of another register to documents of the record format, row by row.

It needs no database and files nothing: its outcomes are what a dry run reports.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from registry.errors import ImportRefused
from registry.exchange.agencies import find_agencies
from registry.exchange.cells import as_line
from registry.exchange.crosswalk import Crosswalk, columns_read, unknown_columns
from registry.exchange.dates import fuzzy_date
from registry.exchange.draft import ForeignDraft, MappingPlan, RowRefused, fill, make_plan
from registry.exchange.identity import Identity, assign_slugs, first_slug, identity_of
from registry.exchange.outcome import ForeignRecord, Refusal
from registry.exchange.readers.bounds import Progress
from registry.exchange.readers.missing import missing_columns
from registry.exchange.readers.source import SourceRow, columns, has_column
from registry.exchange.report import ImportReport, count
from registry.exchange.rows import read_source
from registry.record.fast_validator import FastValidator
from registry.record.model import Document
from registry.record.pack import Agency, Pack
from registry.record.schema import SCHEMA_VERSION
from registry.record.validate import Verdict, validate

NAMED_FINDINGS = 5
_ZERO = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def convert_file(
    crosswalk: Crosswalk,
    path: Path,
    *,
    pack: Pack,
    today: dt.date,
    report: ImportReport | None = None,
    fast: FastValidator | None = None,
    progress: Progress | None = None,
) -> Iterator[ForeignRecord | Refusal]:
    """Yield the outcome of every row, in the order of the file.

    Raises `ImportRefused` at the call, before the first row, for faults of the whole file. The same
    rows give the same documents and ids on every run, in any order. `report` counts each outcome.
    """
    source = read_source(crosswalk.read, path, progress)
    rows = source.rows
    missing = [column for column in columns_read(crosswalk) if not has_column(source, column)]
    if missing:
        raise ImportRefused(f"{path}: {missing_columns(source, missing, crosswalk.origin)}")
    counts = ImportReport(origin=crosswalk.origin) if report is None else report
    counts.notes = list(source.notes)
    counts.unknown_columns = unknown_columns(crosswalk, columns(source))
    plan = make_plan(crosswalk)
    agencies = find_agencies(crosswalk, [row.cells or {} for row in rows], plan.nothing)
    drafted = [_drafted(plan, row, agency) for row, agency in zip(rows, agencies, strict=True)]
    slugs = iter(assign_slugs([one.identity for one in drafted if isinstance(one, _Drafted)]))
    check = functools.partial(validate, profile="foreign", pack=pack, today=today, fast=fast)
    return _outcomes(plan, drafted, slugs, check, counts)


class _Drafted(msgspec.Struct, frozen=True, kw_only=True):
    """A row's document, without the id, which depends on all rows."""

    line: int
    cells: dict[str, Any]
    agency: Agency
    draft: ForeignDraft
    identity: Identity


def _drafted(plan: MappingPlan, row: SourceRow, agency: Agency | None) -> _Drafted | Refusal:
    try:
        cells = _usable(row)
        found = _stated(agency, plan)
        draft = _filled(plan, cells)
    except RowRefused as refused:
        return Refusal(line=row.line, reason=str(refused))
    own = plan.crosswalk.id.own
    own_id = as_line(cells.get(own), plan.nothing) if own else ""
    if own_id and "source_id" not in draft.document:
        draft.document["source_id"] = own_id
    return _Drafted(
        line=row.line,
        cells=cells,
        agency=found,
        draft=draft,
        identity=identity_of(plan.crosswalk, draft.document, found.id, own_id),
    )


def _stated(agency: Agency | None, plan: MappingPlan) -> Agency:
    if agency is None:
        raise RowRefused(f"{plan.crosswalk.agency.name}: the row names no agency")
    return agency


def _filled(plan: MappingPlan, cells: dict[str, Any]) -> ForeignDraft:
    draft = ForeignDraft({"id": "", "schema_version": SCHEMA_VERSION})
    fill(draft, cells, plan)
    if "name" not in draft.document:
        named = [step.mapping.column for step in plan.steps if step.mapping.to == "/name"]
        raise RowRefused(f"{named[0] or '/name'}: the row has no name")
    return draft


def _outcomes(
    plan: MappingPlan,
    drafted: Iterable[_Drafted | Refusal],
    slugs: Iterator[str],
    check: Callable[[Document], Verdict],
    report: ImportReport,
) -> Iterator[ForeignRecord | Refusal]:
    for one in drafted:
        outcome: ForeignRecord | Refusal
        if isinstance(one, Refusal):
            outcome = one
        else:
            try:
                outcome = _record(plan, one, next(slugs), check)
            except RowRefused as refused:
                outcome = Refusal(line=one.line, reason=str(refused))
        count(report, outcome)
        yield outcome


def _record(
    plan: MappingPlan, one: _Drafted, slug: str, check: Callable[[Document], Verdict]
) -> ForeignRecord:
    draft, identity = one.draft, one.identity
    draft.document["id"] = f"{one.agency.id}/{slug}"
    return ForeignRecord(
        document=draft.document,
        agency=one.agency,
        source_row=one.cells,
        line=one.line,
        verdict=_accepted(check(draft.document)),
        source_id=identity.own,
        of=identity.of,
        telling_apart=identity.telling_apart,
        whole=draft.whole,
        changed_on=_changed_on(plan, one.cells),
        unclear=draft.not_understood(),
        otherwise=tuple(draft.otherwise),
        own_id_missing=not identity.own,
        told_apart=slug != first_slug(identity),
    )


def _changed_on(plan: MappingPlan, cells: dict[str, Any]) -> str | None:
    column, dates = plan.crosswalk.changed_on, plan.crosswalk.dates
    if column is None:
        return None
    text = as_line(cells.get(column), plan.nothing)
    return fuzzy_date(text, order=dates.order, century_from=dates.century_from)


def _usable(row: SourceRow) -> dict[str, Any]:
    """Return the row's cells if they can be stored unchanged beside the record."""
    if row.cells is None:
        raise RowRefused(row.fault)
    try:
        kept = json.dumps(row.cells, ensure_ascii=False, allow_nan=False)
        kept.encode()
    except ValueError as error:
        raise RowRefused("the row holds half a character, or a number beyond JSON") from error
    if _ZERO.search(kept):
        raise RowRefused("the row holds a zero character, which no database keeps")
    return row.cells


def _accepted(verdict: Verdict) -> Verdict:
    errors = [finding for finding in verdict.findings if finding.severity == "error"]
    if errors:
        named = "; ".join(f"{error.pointer}: {error.message}" for error in errors[:NAMED_FINDINGS])
        more = len(errors) - NAMED_FINDINGS
        raise RowRefused(named + (f"; and {more} more" if more > 0 else ""))
    return verdict
