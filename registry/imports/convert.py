"""Conversion of the file of another register to documents of the record format, row by row."""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from registry.errors import Finding, ImportRefused
from registry.imports.cells import RowRefused, fold_value
from registry.imports.columns import CellReader, cell_at, find_columns, missing_columns
from registry.imports.crosswalk import refuse_if, shared_prefixes
from registry.imports.crosswalk_model import (
    AgencySource,
    Crosswalk,
    OtherAgency,
    Reading,
    RowCondition,
    columns_read,
    unknown_columns,
)
from registry.imports.dates import date_by_pattern, fuzzy_date
from registry.imports.draft import (
    FULL_DATE,
    ForeignDraft,
    MappingPlan,
    MappingStep,
    fill,
    make_plan,
    put,
)
from registry.imports.identity import (
    DIGITS,
    Identity,
    SlugAssignment,
    digest,
    foreign_document,
    identity_of,
    words,
)
from registry.imports.report import EXAMPLES, ForeignRecord, ImportReport, Refusal, Unclear, count
from registry.imports.rows import read_source
from registry.imports.source import Progress, SourceFile, SourceRow, columns, refused_place
from registry.imports.texts import shorten
from registry.record.fast_validator import FastValidator
from registry.record.ids import agency_of
from registry.record.model import Document
from registry.record.pack import Agency, Pack
from registry.record.pointers import dig, parts, pointer
from registry.record.schema import SCHEMA_VERSION
from registry.record.validate import Verdict, validate

KIND = "foreign"
LONGEST = 60
"""The longest id of an agency, so that a source's own id of 40 characters stays whole after it."""

NamedAgency: TypeAlias = tuple[str, dict[str, str]]
"""The id, and the name by language."""


def find_agencies(
    crosswalk: Crosswalk, rows: Sequence[dict[str, Any]], reader: CellReader
) -> list[Agency | None]:
    """Return the agency of every row, in the order of the rows; None where the row names none.

    An agency that the source names in several ways gets the name that occurs most often.
    """
    ids: list[str | None] = []
    spellings: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for row in rows:
        named = None
        with suppress(RowRefused):  # the row is refused for the same reason when its turn comes
            named = named_agency(crosswalk, row, reader)
        ids.append(named and named[0])
        for language, name in named[1].items() if named else ():
            spellings[f"{ids[-1]}"][language][name] += 1
    agencies = {
        agency: Agency(
            id=agency,
            name={
                language: min(names, key=lambda name: (-names[name], name))
                for language, names in by_language.items()
            },
            kind=KIND,
            parent=None,
            region=None,
            website=None,
            fictitious=False,
            origin=crosswalk.origin,
        )
        for agency, by_language in spellings.items()
    }
    return [None if found is None else agencies[found] for found in ids]


def named_agency(
    crosswalk: Crosswalk, row: dict[str, Any], reader: CellReader
) -> NamedAgency | None:
    """Return the agency that a row names. Raises `RowRefused` for a cell that is no text."""
    source = crosswalk.agency
    if crosswalk.document is not None:
        return _of_document(crosswalk, cell_at(row, reader.name(crosswalk.document)))
    if source.constant is not None:
        return _of_stated(
            source, OtherAgency(stated=source.constant), crosswalk.language, row, reader
        )
    names = {
        language: name
        for language, reading in ({crosswalk.language: source.name} | source.names).items()
        if (name := reader.line(row, reading))
    }
    code = reader.line(row, source.code) if source.code else next(iter(names.values()), "")
    if names and code:
        return _id(source, code), names
    others = (
        _of_stated(source, other, crosswalk.language, row, reader) for other in source.otherwise
    )
    return next((named for named in others if named is not None), None)


def _of_stated(
    source: AgencySource,
    other: OtherAgency,
    language: str,
    row: dict[str, Any],
    reader: CellReader,
) -> NamedAgency | None:
    if other.stated is None:
        name = reader.line(row, other.reading)
        return (_id(source, name), {language: name}) if name else None
    names = other.stated.name
    code = other.stated.code or names.get(language) or next(iter(names.values()))
    return _id(source, code), names


def _id(source: AgencySource, name: str) -> str:
    return agency_id(source.prefix, source.renamed.get(fold_value(name), name))


def _of_document(crosswalk: Crosswalk, document: Any) -> NamedAgency | None:
    """Return the agency that a document of another register of this software is of."""
    own = document.get("id") if isinstance(document, dict) else None
    if not isinstance(own, str) or own.count("/") != 1:
        return None
    code = agency_of(own)
    names = crosswalk.agency.known.get(code, {crosswalk.language: code})
    return f"{crosswalk.agency.prefix}.{code}", names


def agency_id(prefix: str, name: str) -> str:
    """Return the agency's id: the prefix, a dot, and the words of the name.

    Names that differ only in case, accents and punctuation are of one agency. If letters had to be
    left out, a digest of the name keeps different agencies apart.
    """
    room = LONGEST - len(prefix) - 1
    kept, whole = words(name, room)
    if not whole:
        kept, _ = words(name, room - DIGITS - 1)
        kept = f"{kept}-{digest([name.casefold()])}".lstrip("-")
    return f"{prefix}.{kept}"


_SAMPLES: dict[str, Any] = {
    "text": "x",
    "html": "x",
    "line": "x",
    "boolean": True,
    "date": "2020-01-01",
    "url": "https://example.org/",
    "email": "office@example.org",
}
_TEXTS = frozenset({"LangText", "Text", "Line"})


def rehearse(plan: MappingPlan, check: Callable[[Document], Verdict]) -> Iterator[str]:
    """Yield the faults that the format finds in what the mappings of a crosswalk may write."""
    filled = {step.mapping.to for step in plan.steps}
    for number, step in enumerate(plan.steps):
        said: set[tuple[str, str]] = set()
        for place, value in _trials(step):
            for finding in _findings(plan, step, value, check):
                if finding.rule == "required" and finding.pointer in filled:
                    continue  # another mapping may say it
                if place == "transform" and _is_own(step, finding) and _has_form(step):
                    continue  # the cells may have the form that the sample has not
                at = f"/mappings/{number}/{_within(step, finding) or place}"
                if (at, finding.message) not in said:
                    said.add((at, finding.message))
                    yield f"at {at}: {_sentence(step, finding)}"


def _trials(step: MappingStep) -> Iterator[tuple[str, Any]]:
    """Yield (member of the mapping, value) for each value that it may write."""
    mapping = step.mapping
    if mapping.column is None:
        yield "value", mapping.value
    for said, meant in mapping.values.items():
        for value in meant if isinstance(meant, tuple) else (meant,):
            if value is not None:
                yield f"values{pointer([said])}", value
    if mapping.transform in _SAMPLES:
        yield "transform", _SAMPLES[mapping.transform]


def _findings(
    plan: MappingPlan, step: MappingStep, value: Any, check: Callable[[Document], Verdict]
) -> list[Finding]:
    language = plan.crosswalk.language
    document = {
        "id": f"{plan.crosswalk.agency.prefix}.x/x",
        "schema_version": SCHEMA_VERSION,
        "name": {language: "x"},
    }
    draft = ForeignDraft(document)
    try:
        put(draft, step, [value])
    except RowRefused as refused:
        place = pointer(step.place)
        return [Finding(pointer=place, rule="maxLength", severity="error", message=str(refused))]
    return [one for one in check(draft.document).findings if one.severity == "error"]


def _is_own(step: MappingStep, finding: Finding) -> bool:
    """Return whether a finding is about the value itself, not about what stands beside it."""
    place = tuple("-" if part.isdecimal() else part for part in parts(finding.pointer))
    return place[: len(step.place)] == step.place


def _has_form(step: MappingStep) -> bool:
    return "pattern" in step.field.schema and step.field.kind not in _TEXTS


def _within(step: MappingStep, finding: Finding) -> str | None:
    """Return the member of the mapping that a finding is about, if it is not the value."""
    if _is_own(step, finding):
        return None
    last = next(
        (part for part in reversed(parts(finding.pointer)) if part in step.mapping.beside), None
    )
    return f"beside/{last}" if last else "beside"


def _sentence(step: MappingStep, finding: Finding) -> str:
    if finding.rule != "required" or _is_own(step, finding):
        return f"{finding.pointer}: {finding.message}"
    last = parts(finding.pointer)[-1]
    return f'{step.mapping.to} needs {last!r} as well; put it into "beside". {finding.message}'


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
    own_id_missing: bool
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
        # As the record is recognised in the next file: what follows from its document.
        source_id=filled.document.get("source_id", "") if crosswalk.document is None else own,
        own_id_missing=not own,
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
    is_restricted = dig(draft.document, "publication", "visibility") == "restricted"
    if "name" not in draft.document and not is_restricted:
        named = [step.mapping.column for step in plan.steps if step.mapping.to == "/name"]
        column = reader.name(named[0]) if named and named[0] else "/name"
        raise RowRefused(f"{column}: the row has no name")
    return draft, own


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
        own_id_missing=draft.own_id_missing,
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
