"""The columns of exported tables.

Their names are those of the format in every language, so that a program for one export reads the
next; labels of codes are in the language of the request.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal, TypeAlias, cast

import msgspec

from registry.record.codelists import CodeList, codelists
from registry.record.entry import NOT_STATED
from registry.record.facets import FACETS, SINGLE
from registry.record.model import Document
from registry.record.origin import Origin
from registry.record.pack import Agency, Pack
from registry.record.pointers import dig, parts
from registry.record.schema import Field, fields
from registry.store.records import Register, SourceFacts
from registry.text.catalogues import SOURCE
from registry.text.locales import pick

ColumnSet: TypeAlias = Literal["summary", "full"]
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
        lists = codelists()
        labels: dict[str, str] = {}
        for name in names:
            own = name.startswith("pack/")
            known: CodeList = self.pack.lists[name.removeprefix("pack/")] if own else lists[name]
            labels |= {code: self.pick(one.label)[1] for code, one in known.items()}
        return labels


def columns(wanted: ColumnSet, wording: LabelSource) -> list[ExportColumn]:
    """Return the columns of a set: the summary, or the summary and every field of the format."""
    return [*_summary(wording), *(field_columns(wording) if wanted == "full" else [])]


def field_columns(wording: LabelSource) -> list[ExportColumn]:
    """Return a column for each field of the format but the identifiers, which the summary has."""
    return [
        column
        for field in fields()
        if "*" not in field.path and field.path not in {("id",), ("source_id",)}
        for column in _of_field(field, wording)
    ]


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
            yield from _codes(name, parts(place), wording, absent=NOT_STATED)
    yield ExportColumn(
        name="next_review_on",
        cell=_stated_cell(("lifecycle", "next_review_on"), dt.date.fromisoformat),
    )
    yield ExportColumn(name="origin", cell=lambda row: row.register.origin)
    yield ExportColumn(name="fictitious", cell=lambda row: row.register.fictitious)
    yield ExportColumn(name="version", cell=lambda row: row.register.version)
    yield ExportColumn(name="published_at", cell=lambda row: row.register.published_at)
    yield ExportColumn(name="completeness", cell=lambda row: row.register.completeness)
    yield ExportColumn(name="accountability", cell=lambda row: row.register.accountability)
    yield ExportColumn(name="missing", cell=lambda row: BETWEEN.join(row.register.missing))
    yield ExportColumn(name="findings", cell=_rules)
    yield ExportColumn(
        name="url", cell=lambda row: f"{wording.site}/{wording.lang}/records/{row.id}"
    )
    yield ExportColumn(name="entry", cell=lambda row: row.register.entry)
    yield ExportColumn(name="hash", cell=lambda row: row.register.hash)
    for name in ("country", "publisher", "licence"):
        yield ExportColumn(name=name, cell=partial(_of_origin, name))
    yield ExportColumn(name="source_id", cell=_stated_cell(("source_id",), _as_it_is))
    yield ExportColumn(name="source_state", cell=partial(_at_source, "state"))
    yield ExportColumn(name="changed_on", cell=partial(_at_source, "changed_on"))
    yield ExportColumn(name="code", cell=lambda row: row.register.code)


def _of_origin(name: str, row: ExportRow) -> Cell:
    """Return what is known of the register that a record was copied from; None of one from here."""
    origin = row.origin
    return (getattr(origin, name) or None) if origin else None


def _at_source(name: str, row: ExportRow) -> Cell:
    source = row.register.source
    found: Cell = getattr(source, name) if isinstance(source, SourceFacts) else None
    return found


def _of_field(field: Field, wording: LabelSource) -> Iterator[ExportColumn]:
    path, schema = field.path, field.schema
    name = ".".join(path)
    if field.is_text:
        languages = wording.pack.languages
        if field.kind == "LangLine":
            yield ExportColumn(name=name, cell=partial(_line_cell, path))
        for lang in languages:
            yield ExportColumn(name=f"{name}.{lang}", cell=_stated_cell((*path, lang), _as_it_is))
        yield ExportColumn(
            name=f"{name}.other", cell=_stated_cell(path, partial(_others, known=languages))
        )
    elif "properties" in schema:
        # Its members have their own columns.
        return
    elif field.lists:
        yield from _codes(name, path, wording)
    elif field.kind == "Date":
        yield ExportColumn(name=name, cell=_stated_cell(path, dt.date.fromisoformat))
    elif schema.get("type") == "array" and schema["items"].get("type") == "string":
        listed = Field(path=path, schema=schema["items"]).lists
        if listed:
            yield from _codes(name, path, wording, listed=listed)
        else:
            yield ExportColumn(name=name, cell=_joined(path, {}))
    elif schema.get("type") in {"array", "object"}:
        yield ExportColumn(name=name, cell=_stated_cell(path, _json))
    else:
        yield ExportColumn(name=name, cell=_stated_cell(path, _as_it_is))


def _codes(
    name: str,
    path: Sequence[str],
    wording: LabelSource,
    *,
    listed: Sequence[str] | None = None,
    absent: str | None = None,
) -> Iterator[ExportColumn]:
    """Yield the column of one code or several, and the one with their labels."""
    if listed is None:
        [field] = [field for field in fields() if field.path == tuple(path)]
        listed = field.lists
    yield ExportColumn(name=name, cell=_joined(path, {}, absent))
    yield ExportColumn(name=f"{name}_label", cell=_joined(path, wording.labels(listed)))


def _picked(member: str, wording: LabelSource, part: int) -> Callable[[ExportRow], Cell]:
    return lambda row: wording.pick(row.document.get(member) or {})[part]


def _stated_cell(path: Sequence[str], write: Callable[[Any], Cell]) -> Callable[[ExportRow], Cell]:
    """Return the value at a place as a cell; None if it is not stated."""

    def cell(row: ExportRow) -> Cell:
        value = dig(row.document, *path)
        return None if value is None else write(value)

    return cell


def _line_cell(path: Sequence[str], row: ExportRow) -> Cell:
    """Return a line that stands alone; of one by language the wording of the record's source."""
    value = dig(row.document, *path)
    if not isinstance(value, dict):
        return cast("str | None", value)
    source = dig(row.document, "languages", "source")
    return value.get(source) or next(iter(value.values()), None)


def _joined(
    path: Sequence[str], labels: Mapping[str, str], absent: str | None = None
) -> Callable[[ExportRow], Cell]:
    def cell(row: ExportRow) -> Cell:
        value = dig(row.document, *path)
        if value is None:
            return absent
        if value == [] and not labels:
            return NOTHING_LISTED
        values = value if isinstance(value, list) else [value]
        return BETWEEN.join(labels.get(one, one) for one in values)

    return cell


def _as_it_is(value: Cell) -> Cell:
    return value


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
