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
from registry.exchange.cells import as_line, as_text
from registry.exchange.crosswalk import Crosswalk, columns_read, unknown_columns
from registry.exchange.draft import ForeignDraft, MappingPlan, RowRefused, fill, make_plan
from registry.exchange.identity import Identity, assign_slugs, first_slug
from registry.exchange.outcome import ForeignRecord, Refusal
from registry.exchange.report import ImportReport, count
from registry.exchange.rows import SourceRow, columns, read_rows
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
) -> Iterator[ForeignRecord | Refusal]:
    """Yield the outcome of every row, in the order of the file.

    Raises `ImportRefused` at the call, before the first row, for faults of the whole file. The same
    rows give the same documents and ids on every run, in any order. `report` counts each outcome.
    """
    rows = read_rows(crosswalk.read, path)
    names = columns(rows)
    missing = [column for column in columns_read(crosswalk) if column not in names]
    if missing:
        also = f" (nor {', '.join(missing[1:])})" if missing[1:] else ""
        raise ImportRefused(
            f"{path}: the crosswalk {crosswalk.origin} reads the column {missing[0]!r}, which the "
            f"file does not have{also}; its columns are {', '.join(names) or 'none'}"
        )
    counts = ImportReport(origin=crosswalk.origin) if report is None else report
    counts.unknown_columns = unknown_columns(crosswalk, names)
    plan = make_plan(crosswalk)
    agencies = find_agencies(crosswalk, [row.cells or {} for row in rows], plan.nothing)
    identities = [
        _identity(plan, row.cells or {}, agency) for row, agency in zip(rows, agencies, strict=True)
    ]
    found = [
        _Found(row=row, agency=agency, identity=identity, slug=slug)
        for row, agency, identity, slug in zip(
            rows, agencies, identities, assign_slugs(identities), strict=True
        )
    ]
    check = functools.partial(validate, profile="foreign", pack=pack, today=today, fast=fast)
    return _outcomes(plan, found, check, counts)


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """A row with what depends on all rows: its agency and slug."""

    row: SourceRow
    agency: Agency | None
    identity: Identity
    slug: str


def _outcomes(
    plan: MappingPlan,
    found: Iterable[_Found],
    check: Callable[[Document], Verdict],
    report: ImportReport,
) -> Iterator[ForeignRecord | Refusal]:
    for one in found:
        outcome: ForeignRecord | Refusal
        try:
            outcome = _converted(plan, one, check)
        except RowRefused as refused:
            outcome = Refusal(line=one.row.line, reason=str(refused))
        count(report, outcome)
        yield outcome


def _converted(
    plan: MappingPlan, one: _Found, check: Callable[[Document], Verdict]
) -> ForeignRecord:
    cells = _usable(one.row)
    if one.agency is None:
        raise RowRefused(f"{plan.crosswalk.agency.name}: the row names no agency")
    draft = _drafted(plan, cells, f"{one.agency.id}/{one.slug}")
    return ForeignRecord(
        document=draft.document,
        agency=one.agency,
        source_row=cells,
        line=one.row.line,
        verdict=_accepted(check(draft.document)),
        truncated=tuple(draft.truncated),
        unclear=draft.not_understood(),
        otherwise=tuple(draft.otherwise),
        own_id_missing=not one.identity.own,
        told_apart=one.slug != first_slug(one.identity),
    )


def _drafted(plan: MappingPlan, cells: dict[str, Any], record_id: str) -> ForeignDraft:
    draft = ForeignDraft({"id": record_id, "schema_version": SCHEMA_VERSION})
    fill(draft, cells, plan)
    if "name" not in draft.document:
        raise RowRefused(f"{plan.crosswalk.id.name}: the row has no name")
    return draft


def _usable(row: SourceRow) -> dict[str, Any]:
    """Return the row's cells if they can be stored unchanged beside the record."""
    if row.cells is None:
        raise RowRefused("the row is not an object")
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


def _identity(plan: MappingPlan, cells: dict[str, Any], agency: Agency | None) -> Identity:
    asked = plan.crosswalk.id

    def texts(*names: str) -> tuple[str, ...]:
        return tuple(as_line(cells.get(name), plan.nothing) for name in names)

    return Identity(
        agency=agency.id if agency else "",
        own=texts(asked.own)[0] if asked.own else "",
        name=texts(asked.name)[0],
        identifying=texts(*asked.identifying),
        telling_apart=texts(*asked.telling_apart),
        whole=tuple("" if cells[name] is None else as_text(cells[name]) for name in sorted(cells)),
    )
