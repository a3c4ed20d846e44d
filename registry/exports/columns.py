"""The columns of exported tables.

Their names are those of the format in every language, so that a program for one export reads the
next; labels of codes are in the language of the request.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any, Literal, TypeAlias

import msgspec

from registry.log.register import Register, SourceFacts
from registry.record.facets import FACETS, SINGLE
from registry.record.facts import SILENT, AnswerKind, silence
from registry.record.model import NOT_STATED, Document
from registry.record.observations import observe, observed
from registry.record.origin import Origin
from registry.record.pack import Agency, Pack
from registry.record.pointers import dig, parts
from registry.record.schema import Field, fields, required_field
from registry.text.catalogues import SOURCE
from registry.text.locales import pick

ColumnSet: TypeAlias = Literal["summary", "full"]
ColumnKind: TypeAlias = Literal["text", "others", "line", "value", "date", "list", "json"]
Cell: TypeAlias = str | int | float | bool | dt.date | dt.datetime | None

COLUMN_SETS: tuple[ColumnSet, ...] = ("summary", "full")
BETWEEN = "; "
"""The separator of codes or texts in one cell."""

NOTHING_LISTED = "[]"
"""The cell of a list that is stated to have no entry; that of one that is not stated is empty."""


class ExportRow(msgspec.Struct, frozen=True, kw_only=True):
    """A record to export: its document and its state in the register."""

    id: str
    agency: str
    document: Document
    register: Register

    @property
    def origin(self) -> Origin | None:
        """The other register that it was copied from, if that is known."""
        source = self.register.source
        return source.register if isinstance(source, SourceFacts) else None


class ExportColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column: its name, and a function that returns its cell for a record."""

    name: str
    cell: Callable[[ExportRow], Cell]


class TableColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column that holds a part of a document: how it is written, and read again."""

    name: str
    path: tuple[str, ...]
    kind: ColumnKind
    field: Field


class LabelSource(msgspec.Struct, frozen=True, kw_only=True):
    """The language of labels, and where they come from.

    `site` is the address of the register, without a slash at its end.
    """

    lang: str
    pack: Pack
    agencies: Mapping[str, Agency]
    site: str

    def pick(self, texts: Mapping[str, str]) -> tuple[str, str]:
        """Return (language, text) of a text by language; empty texts if there is none."""
        return pick(texts, self.lang, (*self.pack.fallback, SOURCE)) or ("", "")

    def labels(self, names: Sequence[str]) -> dict[str, str]:
        """Return the labels of the codes of some lists."""
        return {code: self.pick(one.label)[1] for code, one in self.pack.codes(names).items()}


def columns(wanted: ColumnSet, wording: LabelSource, day: dt.date) -> list[ExportColumn]:
    """Return the columns of a set: the summary, or also every field and what is shown on a day."""
    if wanted == "summary":
        return [*_summary(wording)]
    shown = ExportColumn(name="observations", cell=partial(_observed, day))
    return [*_summary(wording), shown, *field_columns(wording)]


@cache
def table_columns(languages: tuple[str, ...]) -> dict[str, TableColumn]:
    """Return the columns of every field, by name, with a column a language for texts."""
    found = [
        column
        for field in fields()
        if "*" not in field.path
        for column in columns_of(field, languages)
    ]
    return {column.name: column for column in found}


def columns_of(field: Field, languages: Sequence[str], depth: int = 0) -> Iterator[TableColumn]:
    """Yield the columns of a field, named below a depth; the members of a group have their own."""
    path = field.path[depth:]
    name = ".".join(path)
    if field.is_text:
        if field.kind == "LangLine":
            yield TableColumn(name=name, path=path, kind="line", field=field)
        for tag in languages:
            yield TableColumn(name=f"{name}.{tag}", path=(*path, tag), kind="text", field=field)
        yield TableColumn(name=f"{name}.other", path=path, kind="others", field=field)
    elif field.holds in {"codes", "words"}:
        yield TableColumn(name=name, path=path, kind="list", field=field)
    elif field.holds in {"list", "codes_by_language"}:
        yield TableColumn(name=name, path=path, kind="json", field=field)
    elif field.kind == "Date":
        yield TableColumn(name=name, path=path, kind="date", field=field)
    elif field.holds != "group":
        yield TableColumn(name=name, path=path, kind="value", field=field)


def field_columns(wording: LabelSource) -> list[ExportColumn]:
    """Return a column for each field of the format but the identifiers, which the summary has."""
    found = []
    for column in table_columns(wording.pack.languages).values():
        if column.path not in {("id",), ("source_id",)}:
            written = partial(_written, column, wording.pack.languages)
            found.append(ExportColumn(name=column.name, cell=written))
            found += _labels(column.name, column.field, wording)
    return found


def _summary(wording: LabelSource) -> Iterator[ExportColumn]:
    agencies = {agency: wording.pick(one.name)[1] for agency, one in wording.agencies.items()}
    yield ExportColumn(name="id", cell=lambda row: row.id)
    yield ExportColumn(name="agency", cell=lambda row: row.agency)
    yield ExportColumn(name="agency_label", cell=lambda row: agencies.get(row.agency))
    for name in ("name", "summary"):
        yield ExportColumn(name=name, cell=_picked(name, wording, 1))
        yield ExportColumn(name=f"{name}_lang", cell=_picked(name, wording, 0))
    for name in SINGLE:
        if (place := FACETS[name].pointer) is not None:
            path = parts(place)
            yield ExportColumn(name=name, cell=partial(_stated, path))
            yield from _labels(name, required_field(path), wording)
    yield ExportColumn(name="next_review_on", cell=_cell_of("lifecycle.next_review_on"))
    yield ExportColumn(name="origin", cell=lambda row: row.register.origin)
    yield ExportColumn(name="fictitious", cell=lambda row: row.register.fictitious)
    yield ExportColumn(name="version", cell=lambda row: row.register.version)
    yield ExportColumn(name="published_at", cell=lambda row: row.register.published_at)
    yield ExportColumn(name="completeness", cell=lambda row: row.register.completeness)
    yield ExportColumn(name="accountability", cell=lambda row: row.register.accountability)
    for kind in SILENT:
        yield ExportColumn(name=kind, cell=partial(_silent, kind))
    yield ExportColumn(name="withheld", cell=partial(_silent, "withheld"))
    yield ExportColumn(name="findings", cell=_rules)
    yield ExportColumn(
        name="url", cell=lambda row: f"{wording.site}/{wording.lang}/records/{row.id}"
    )
    yield ExportColumn(name="entry", cell=lambda row: row.register.entry)
    yield ExportColumn(name="hash", cell=lambda row: row.register.hash)
    for name in ("country", "publisher"):
        yield ExportColumn(name=name, cell=partial(_of_origin, name))
    yield ExportColumn(name="licence", cell=partial(_licence, wording.pack.licence))
    yield ExportColumn(name="source_id", cell=_cell_of("source_id"))
    yield ExportColumn(name="source_state", cell=partial(_at_source, "state"))
    yield ExportColumn(name="changed_on", cell=partial(_at_source, "changed_on"))
    yield ExportColumn(name="code", cell=lambda row: row.register.code)


def _silent(kind: AnswerKind, row: ExportRow) -> Cell:
    """Return the facts that a record does not state, in one of the kinds."""
    erased = [one.pointer for one in row.register.redacted]
    return BETWEEN.join(silence(row.document, erased).get(kind, ()))


def _observed(day: dt.date, row: ExportRow) -> Cell:
    """Return the codes of what a record shows on a day."""
    erased = [one.pointer for one in row.register.redacted]
    return BETWEEN.join(observed(observe(row.document, erased), day))


def _of_origin(name: str, row: ExportRow) -> Cell:
    """Return what is known of the register that a record was copied from; None of one from here."""
    origin = row.origin
    return (getattr(origin, name) or None) if origin else None


def _licence(own: str | None, row: ExportRow) -> Cell:
    """Return the terms of a record: those of its source, or of what was filed here."""
    return own if row.register.origin is None else _of_origin("licence", row)


def _at_source(name: str, row: ExportRow) -> Cell:
    source = row.register.source
    found: Cell = getattr(source, name) if isinstance(source, SourceFacts) else None
    return found


def _stated(path: Sequence[str], row: ExportRow) -> Cell:
    code: str | None = dig(row.document, *path)
    return NOT_STATED if code is None else code


def _labels(name: str, field: Field, wording: LabelSource) -> Iterator[ExportColumn]:
    """Yield the column of the labels of a field's codes, if it holds any."""
    if field.holds in {"code", "codes"}:
        labels = wording.labels(field.entry.lists)
        yield ExportColumn(name=f"{name}_label", cell=partial(_labelled, field.path, labels))


def _picked(member: str, wording: LabelSource, part: int) -> Callable[[ExportRow], Cell]:
    return lambda row: wording.pick(row.document.get(member) or {})[part]


def _cell_of(name: str) -> Callable[[ExportRow], Cell]:
    """Return the function of a column that holds one value of a document."""
    return partial(_written, table_columns(())[name], ())


def _labelled(path: Sequence[str], labels: Mapping[str, str], row: ExportRow) -> Cell:
    value = dig(row.document, *path)
    if value is None:
        return None
    codes = [value] if isinstance(value, str) else value
    return BETWEEN.join(labels.get(code, code) for code in codes)


def _written(column: TableColumn, languages: Collection[str], row: ExportRow) -> Cell:
    return write_cell(column, languages, row.document, dig(row.document, "languages", "source"))


def write_cell(
    column: TableColumn, languages: Collection[str], holder: Any, source: str | None
) -> Cell:
    """Return what a column holds of a document, or of an item in it; None if it is not stated.

    `source` is the language that the record was written in.
    """
    value = dig(holder, *column.path) if column.path else holder
    if value is None:
        return None
    if column.kind == "line":
        return _line(value, source)
    if column.kind == "others":
        return _others(value, languages)
    return _WRITERS.get(column.kind, _as_it_is)(value)


def _line(value: str | Mapping[str, str], source: str | None) -> Cell:
    """Return a line that stands alone; of one by language the wording of the record's source."""
    if isinstance(value, str):
        return value
    return value.get(source or "") or next(iter(value.values()), None)


def _as_it_is(value: Cell) -> Cell:
    return value


def _joined(values: Sequence[str]) -> Cell:
    return BETWEEN.join(values) or NOTHING_LISTED


def _json(value: Any) -> Cell:
    return msgspec.json.encode(value).decode()


def _others(texts: Mapping[str, str] | str, known: Collection[str]) -> Cell:
    """Return the texts in languages without a column, as JSON by tag."""
    if isinstance(texts, str):
        return None
    others = {tag: text for tag, text in texts.items() if tag not in known}
    return _json(others) if others else None


def _rules(row: ExportRow) -> Cell:
    return BETWEEN.join(sorted({finding.rule for finding in row.register.noticed()}))


_WRITERS: Mapping[ColumnKind, Callable[[Any], Cell]] = {
    "date": dt.date.fromisoformat,
    "list": _joined,
    "json": _json,
}
