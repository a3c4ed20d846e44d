"""Conversion of the file of another register to documents of the record format, row by row.

It needs no database and files nothing: its outcomes are what a dry run reports.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
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
from registry.exchange.identity import Identity, SlugAssignment, identity_of
from registry.exchange.outcome import ForeignRecord, Refusal, Unclear
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
    rows = list(zip(asked, agencies, strict=True))
    return _outcomes(plan, source, rows, check, counts)


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


class _Draft(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A row's document, without the id, which depends on all rows."""

    document: Document
    source_id: str
    changed_on: str | None
    of: tuple[str, ...]
    telling_apart: tuple[str, ...]
    whole: dict[str, str]
    unclear: tuple[Unclear, ...]
    otherwise: tuple[str, ...]


_draft = msgspec.json.Decoder(_Draft)


def _drafted(plan: MappingPlan, row: SourceRow, agency: Agency | None) -> tuple[_Draft, Identity]:
    """Return the draft of a row, and what identifies it. Raises `RowRefused`."""
    crosswalk, reader = plan.crosswalk, plan.reader
    cells = _usable(row)
    reader.holds(cells, crosswalk.only)
    found = _stated(agency, cells, plan)
    filled, own = _filled(plan, cells)
    within_agency = own if crosswalk.document is None else own.rpartition("/")[2]
    identity = identity_of(crosswalk, filled.document, found.id, within_agency)
    draft = _Draft(
        document=filled.document,
        source_id=own,
        changed_on=_date(plan, cells, crosswalk.changed_on),
        of=identity.of,
        telling_apart=identity.telling_apart,
        whole=filled.whole,
        unclear=filled.not_understood(),
        otherwise=tuple(filled.otherwise),
    )
    return draft, identity


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
    plan: MappingPlan,
    source: SourceFile,
    rows: Sequence[tuple[SourceRow, Agency | None]],
    check: Callable[[Document], Verdict],
    report: ImportReport,
) -> Iterator[ForeignRecord | Refusal]:
    """Draft every row into a temporary file, since an id depends on all; then yield each."""
    slugs = SlugAssignment()
    refused: dict[int, Refusal] = {}
    with tempfile.TemporaryFile() as drafts:
        for place, (row, agency) in enumerate(rows):
            try:
                draft, identity = _drafted(plan, row, agency)
            except RowRefused as error:
                refused[place] = Refusal(
                    line=row.line,
                    place=refused_place(source, row, str(error)),
                    reason=str(error),
                    source_id=_own_id(plan, row),
                )
            else:
                slugs.add(identity)
                drafts.write(msgspec.json.encode(draft) + b"\n")
        slugs.decide()
        drafts.seek(0)
        for place, (row, agency) in enumerate(rows):
            outcome: ForeignRecord | Refusal
            if place in refused or agency is None:
                outcome = refused[place]
            else:
                draft = _draft.decode(drafts.readline())
                outcome = _record(row, agency, draft, slugs.take(draft.document), check)
            count(report, outcome)
            yield outcome


def _record(
    row: SourceRow,
    agency: Agency,
    draft: _Draft,
    slug: tuple[str, bool],
    check: Callable[[Document], Verdict],
) -> ForeignRecord | Refusal:
    document = draft.document
    document["id"] = f"{agency.id}/{slug[0]}"
    try:
        verdict = _accepted(check(document))
    except RowRefused as refused:
        return Refusal(
            line=row.line, place=row.place, reason=str(refused), source_id=draft.source_id
        )
    return ForeignRecord(
        document=document,
        agency=agency,
        source_row=row.cells or {},
        line=row.line,
        place=row.place,
        verdict=verdict,
        source_id=draft.source_id,
        of=draft.of,
        telling_apart=draft.telling_apart,
        whole=draft.whole,
        changed_on=draft.changed_on,
        unclear=draft.unclear,
        otherwise=draft.otherwise,
        own_id_missing=not draft.source_id,
        told_apart=slug[1],
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
