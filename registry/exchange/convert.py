"""Conversion of the file of another register to documents of the record format, row by row.

It needs no database and files nothing: its outcomes are what a dry run reports.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from registry.errors import ImportRefused
from registry.exchange.agencies import find_agencies, named_agency
from registry.exchange.cells import RowRefused, fold_value
from registry.exchange.columns import CellReader, find_columns
from registry.exchange.crosswalk import refuse_if, shared_prefixes
from registry.exchange.crosswalk_model import (
    Crosswalk,
    Reading,
    RowCondition,
    columns_read,
    unknown_columns,
)
from registry.exchange.dates import date_by_pattern, fuzzy_date
from registry.exchange.draft import ForeignDraft, MappingPlan, fill, make_plan
from registry.exchange.foreign_documents import foreign_document
from registry.exchange.identity import Identity, assign_slugs, first_slug, identity_of
from registry.exchange.outcome import ForeignRecord, Refusal
from registry.exchange.readers.bounds import Progress
from registry.exchange.readers.missing import missing_columns
from registry.exchange.readers.source import SourceFile, SourceRow, columns, refused_place
from registry.exchange.rehearsal import rehearse
from registry.exchange.report import EXAMPLES, ImportReport, count
from registry.exchange.rows import read_source
from registry.exchange.texts import shorten
from registry.exchange.transforms import FULL_DATE
from registry.record.fast_validator import FastValidator
from registry.record.model import Document
from registry.record.pack import Agency, Pack
from registry.record.pointers import dig
from registry.record.schema import SCHEMA_VERSION
from registry.record.validate import Verdict, validate

LONGEST_SOURCE_ID = 100
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
    plan = make_plan(crosswalk, _reader(crosswalk, source, path))
    check = functools.partial(validate, profile="foreign", pack=pack, today=today, fast=fast)
    refuse_if(f"the crosswalk {crosswalk.origin}", rehearse(plan, check))
    counts = ImportReport(origin=crosswalk.origin) if report is None else report
    counts.sha256 = source.sha256
    counts.notes = [*source.notes, *shared_prefixes(crosswalk)]
    counts.unknown_columns = unknown_columns(crosswalk, columns(source))
    asked = [row for row in source.rows if row.cells is None or _is_asked(plan, row.cells)]
    if crosswalk.only is not None and source.rows and not asked:
        counts.notes.append(_nothing_asked(plan.reader, source, crosswalk.only))
    counts.rows = counts.skipped = len(source.rows) - len(asked)
    counts.as_of = _as_of(plan, asked)
    agencies = find_agencies(crosswalk, [row.cells or {} for row in asked], plan.reader)
    drafted = [
        _drafted(plan, source, row, agency) for row, agency in zip(asked, agencies, strict=True)
    ]
    slugs = iter(assign_slugs([one.identity for one in drafted if isinstance(one, _Drafted)]))
    return _outcomes(drafted, slugs, check, counts)


def _reader(crosswalk: Crosswalk, source: SourceFile, path: Path) -> CellReader:
    found, missing = find_columns(columns_read(crosswalk), source)
    if missing:
        newest = [names[0] for names in missing]
        raise ImportRefused(f"{path}: {missing_columns(source, newest, crosswalk.origin)}")
    nothing = frozenset(fold_value(text) for text in crosswalk.nothing)
    return CellReader(names=found, nothing=nothing)


def _is_asked(plan: MappingPlan, cells: dict[str, Any]) -> bool:
    try:
        return plan.reader.holds(cells, plan.crosswalk.only)
    except RowRefused:  # it is refused for the same reason when its turn comes
        return True


def _nothing_asked(reader: CellReader, source: SourceFile, only: RowCondition) -> str:
    """Return that `only` holds for no row, with what the rows say."""
    said = Counter(value for row in source.rows for value in reader.said(row.cells or {}, only))
    named = ", ".join(repr(shorten(value, 40)) for value, _ in said.most_common(EXAMPLES))
    return f'"only" holds for no row: {reader.name(only.column)} says {named}'


class _Drafted(msgspec.Struct, frozen=True, kw_only=True):
    """A row's document, without the id, which depends on all rows."""

    line: int
    place: str
    cells: dict[str, Any]
    agency: Agency
    draft: ForeignDraft
    source_id: str
    changed_on: str | None
    identity: Identity


def _drafted(
    plan: MappingPlan, source: SourceFile, row: SourceRow, agency: Agency | None
) -> _Drafted | Refusal:
    crosswalk, reader = plan.crosswalk, plan.reader
    try:
        cells = _usable(row)
        reader.holds(cells, crosswalk.only)
        found = _stated(agency, cells, plan)
        draft, own = _filled(plan, cells)
        changed_on = _date(plan, cells, crosswalk.changed_on)
    except RowRefused as refused:
        return Refusal(
            line=row.line,
            place=refused_place(source, row, str(refused)),
            reason=str(refused),
            source_id=_own_id(plan, row),
        )
    within_agency = own if crosswalk.document is None else own.rpartition("/")[2]
    return _Drafted(
        line=row.line,
        place=row.place,
        cells=cells,
        agency=found,
        draft=draft,
        source_id=own,
        changed_on=changed_on,
        identity=identity_of(crosswalk, draft.document, found.id, within_agency),
    )


def _own_id(plan: MappingPlan, row: SourceRow) -> str:
    """Return the source's own id of a row that is refused, as far as it can be read."""
    cells = row.cells or {}
    with suppress(RowRefused):
        if plan.crosswalk.document is not None:
            return foreign_document(cells, plan.reader.name(plan.crosswalk.document), "")[1]
        return plan.reader.line(cells, plan.crosswalk.id.own)
    return ""


def _stated(agency: Agency | None, cells: dict[str, Any], plan: MappingPlan) -> Agency:
    if agency is None:
        if plan.crosswalk.document is not None:
            foreign_document(cells, plan.reader.name(plan.crosswalk.document), "")
        named_agency(plan.crosswalk, cells, plan.reader)
        reading = plan.crosswalk.agency.name
        column = plan.reader.name(reading.column) if reading else "/id"
        raise RowRefused(f"{column}: the row names no agency")
    return agency


def _filled(plan: MappingPlan, cells: dict[str, Any]) -> tuple[ForeignDraft, str]:
    """Return the draft of a row and the source's own id, or an empty text."""
    crosswalk, reader = plan.crosswalk, plan.reader
    if crosswalk.document is not None:
        column = reader.name(crosswalk.document)
        document, own = foreign_document(cells, column, crosswalk.agency.prefix)
        draft = ForeignDraft(document)
        fill(draft, cells, plan)
    else:
        own = reader.line(cells, crosswalk.id.own)
        draft = ForeignDraft({"id": "", "schema_version": ""})
        fill(draft, cells, plan)
        draft.document["schema_version"] = SCHEMA_VERSION
        if own and len(own) <= LONGEST_SOURCE_ID:
            draft.document.setdefault("source_id", own)
    if "name" not in draft.document and not _is_restricted(draft.document):
        named = [step.mapping.column for step in plan.steps if step.mapping.to == "/name"]
        column = reader.name(named[0]) if named and named[0] else "/name"
        raise RowRefused(f"{column}: the row has no name")
    return draft, own


def _is_restricted(document: Document) -> bool:
    visibility: object = dig(document, "publication", "visibility")
    return visibility == "restricted"


def _outcomes(
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
                outcome = _record(one, next(slugs), check)
            except RowRefused as refused:
                outcome = Refusal(
                    line=one.line,
                    place=one.place,
                    reason=str(refused),
                    source_id=one.source_id,
                )
        count(report, outcome)
        yield outcome


def _record(one: _Drafted, slug: str, check: Callable[[Document], Verdict]) -> ForeignRecord:
    draft, identity = one.draft, one.identity
    draft.document["id"] = f"{one.agency.id}/{slug}"
    return ForeignRecord(
        document=draft.document,
        agency=one.agency,
        source_row=one.cells,
        line=one.line,
        place=one.place,
        verdict=_accepted(check(draft.document)),
        source_id=one.source_id,
        of=identity.of,
        telling_apart=identity.telling_apart,
        whole=draft.whole,
        changed_on=one.changed_on,
        unclear=draft.not_understood(),
        otherwise=tuple(draft.otherwise),
        own_id_missing=not one.source_id,
        told_apart=slug != first_slug(identity),
    )


def _as_of(plan: MappingPlan, rows: Iterable[SourceRow]) -> str | None:
    """Return the latest day of the column that has the source's own date of the file."""
    days: set[str] = set()
    for row in rows if plan.crosswalk.as_of is not None else ():
        with suppress(RowRefused):
            days.add(_date(plan, row.cells or {}, plan.crosswalk.as_of) or "")
    return max((day for day in days if len(day) == FULL_DATE), default=None)


def _date(plan: MappingPlan, cells: dict[str, Any], reading: Reading | None) -> str | None:
    dates = plan.crosswalk.dates
    text = plan.reader.line(cells, reading)
    if reading is None or not text:
        return None
    by_pattern = (
        date_by_pattern(
            text, pattern, language=plan.crosswalk.language, century_from=dates.century_from
        )
        for pattern in reading.pattern
    )
    return next((found for found in by_pattern if found), None) or fuzzy_date(
        text, order=dates.order, century_from=dates.century_from
    )


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
