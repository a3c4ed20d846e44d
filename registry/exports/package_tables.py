"""The tables of the package: one a list of the format, derived from the schema, and the register's.

Each is told once, as `PackageTable`; the files, their types and every description are made of that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Literal, TypeAlias

import msgspec

from registry.exports.columns import Cell, TableColumn, columns_of, write_cell
from registry.record.codelists import codelists
from registry.record.facts import KINDS, SILENT
from registry.record.model import Document
from registry.record.pointers import dig
from registry.record.schema import Field, fields, required_field
from registry.text.catalogues import SOURCE

ColumnType: TypeAlias = Literal["string", "integer", "number", "boolean", "date", "datetime"]
Row: TypeAlias = Sequence[Cell]

RECORDS, VERSIONS = "records", "versions"

_GROUPS: Mapping[tuple[str, ...], str] = {("procurement", "contract"): "contracts"}
"""Groups that are a table of their own, as if they were lists of at most one."""

_NAMES: Mapping[tuple[str, ...], str] = {
    ("territory",): "territories",
    ("data", "categories"): "data_categories",
    ("data", "sensitive"): "sensitive_categories",
    ("data", "sources"): "data_sources",
    ("data", "legal_basis"): "legal_bases",
    ("data", "transfers_abroad", "countries"): "transfer_countries",
    ("languages", "translation_status"): "translations",
    ("publication", "withheld_fields"): "withheld",
    ("sector", "secondary"): "secondary_sectors",
}
"""The names of tables that the last part of their path does not tell."""

_KEY = ("record_id", "record_version")


class PackageColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a table: `title` and `description` are English, `codes` all that it may hold."""

    name: str
    type: ColumnType
    title: str
    description: str = ""
    codes: tuple[str, ...] = ()


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """Columns of which the values are a key of another table."""

    columns: tuple[str, ...]
    table: str
    keys: tuple[str, ...]


class PackageTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table: its key, and the rows of which other tables its own are of."""

    name: str
    title: str
    columns: tuple[PackageColumn, ...]
    key: tuple[str, ...]
    references: tuple[Reference, ...] = ()


class ListTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table of a list of the format: where its items are, and how their cells are read."""

    table: PackageTable
    field: Field
    parts: tuple[TableColumn, ...]

    def rows(
        self, record: str, version: int, document: Document, languages: Sequence[str]
    ) -> Iterator[Row]:
        """Yield a row for each item of the list in a document."""
        source = dig(document, "languages", "source")
        for numbers, item in self.items(document):
            cells = (write_cell(part, languages, item, source) for part in self.parts)
            yield (record, version, *numbers, *cells)

    def items(self, document: Document) -> Iterator[tuple[Row, Any]]:
        """Yield the items of the list in a document, each after what numbers it."""
        for numbers, item in _items(document, self.field.path):
            if self.field.holds == "codes_by_language":
                yield from (((tag,), code) for tag, code in sorted(item.items()))
            else:
                yield numbers, item


def _items(value: Any, path: Sequence[str]) -> Iterator[tuple[tuple[Cell, ...], Any]]:
    """Yield the items of every list at a path, with the number of each, and of those it is in."""
    if not path:
        if isinstance(value, list):
            yield from (((number,), item) for number, item in enumerate(value, 1))
        else:
            yield (), value
        return
    name, *rest = path
    if name == "*":
        for number, one in enumerate(value, 1):
            yield from (((number, *inner), item) for inner, item in _items(one, rest))
    elif isinstance(value, dict) and value.get(name) is not None:
        yield from _items(value[name], rest)


@cache
def list_tables(languages: tuple[str, ...]) -> tuple[ListTable, ...]:
    """Return the tables of the lists of the format, in document order."""
    return tuple(
        _list_table(field, languages)
        for field in fields()
        if field.is_list or field.holds == "codes_by_language" or field.path in _GROUPS
    )


def _list_table(field: Field, languages: tuple[str, ...]) -> ListTable:
    parts = tuple(_parts(field, languages))
    numbers = _numbers(field)
    references = [Reference(columns=("record_id",), table=RECORDS, keys=("id",))]
    if (parent := _list_above(field)) is not None:
        keys = (*_KEY, *_numbers(parent))
        references.append(
            Reference(columns=(*_KEY, *numbers[:-1]), table=table_name(parent), keys=keys)
        )
    columns = (
        *_record_columns(),
        *(_number_column(number, is_own=number == numbers[-1]) for number in numbers),
        *(_column(part, field) for part in parts),
    )
    return ListTable(
        table=PackageTable(
            name=table_name(field),
            title=field.title,
            columns=columns,
            key=(*_KEY, *numbers),
            references=tuple(references),
        ),
        field=field,
        parts=parts,
    )


def _list_above(field: Field) -> Field | None:
    """Return the list in whose items a list is, if it is in any."""
    if "*" not in field.path:
        return None
    depth = len(field.path) - 1 - field.path[::-1].index("*")
    return required_field(field.path[:depth])


def table_name(field: Field) -> str:
    """Return the name of the table of a list, such as `suppliers` or `data_sources_uses`."""
    if field.path in _GROUPS:
        return _GROUPS[field.path]
    if (parent := _list_above(field)) is not None:
        return "_".join((table_name(parent), *field.path[len(parent.path) + 1 :]))
    above = next((path for path in _GROUPS if field.path[: len(path)] == path), None)
    if above is not None:
        return f"{_GROUPS[above]}_{field.path[-1]}"
    return _NAMES.get(field.path, field.path[-1])


def _numbers(field: Field) -> tuple[str, ...]:
    """Return the columns that number the item of a list, and those that it is in."""
    above = tuple(
        f"{table_name(required_field(field.path[:depth]))}_item"
        for depth, part in enumerate(field.path)
        if part == "*"
    )
    if field.holds == "codes_by_language":
        return ("language",)
    return above if field.path in _GROUPS else (*above, "item")


def _parts(field: Field, languages: tuple[str, ...]) -> Iterator[TableColumn]:
    """Yield the columns of an item that are neither lists nor groups themselves."""
    if field.holds != "list" and field.path not in _GROUPS:
        yield TableColumn(name="value", path=(), kind="value", field=field.entry)
        return
    if field.entry.is_text:
        for column in columns_of(field.entry, languages, depth=len(field.path) + 1):
            yield msgspec.structs.replace(column, name=f"text{column.name}")
        return
    start = field.path if field.path in _GROUPS else (*field.path, "*")
    for one in fields():
        inner = one.path[len(start) :]
        if one.path[: len(start)] == start and inner and "*" not in inner:
            yield from (
                column
                for column in columns_of(one, languages, depth=len(start))
                if column.kind not in {"list", "json"}
            )


def record_columns(languages: tuple[str, ...]) -> tuple[TableColumn, ...]:
    """Return the columns of what a record states once, named as in the full export."""
    return tuple(
        column
        for field in fields()
        if "*" not in field.path and field.path != ("id",)
        for column in columns_of(field, languages)
        if column.kind not in {"list", "json"}
    )


def _record_columns() -> tuple[PackageColumn, PackageColumn]:
    return (
        _said("record_id", "Identifier of the record"),
        _said("record_version", "Version of the record", "integer"),
    )


def _number_column(name: str, *, is_own: bool) -> PackageColumn:
    if name == "language":
        return PackageColumn(name=name, type="string", title="Language")
    title = "Place in the list" if is_own else "Place in the list above"
    return PackageColumn(name=name, type="integer", title=title)


def _column(part: TableColumn, of_list: Field | None = None) -> PackageColumn:
    """Return a column; what a list holds is called as the list where it has no name of its own."""
    field = part.field
    # A text of a list has the title of its shape alone.
    is_shape = of_list is not None and field.is_text and field is of_list.entry
    return PackageColumn(
        name=part.name,
        type=_type(part),
        title=(not is_shape and field.schema.get("title")) or (of_list.title if of_list else ""),
        description=field.schema.get("description", ""),
        codes=_codes(field),
    )


def _codes(field: Field) -> tuple[str, ...]:
    """Return the codes that a column may hold; none where some are of a country."""
    if field.holds != "code" or field.is_national:
        return ()
    lists = codelists()
    return tuple(code for name in field.lists for code in lists[name])


def _type(part: TableColumn) -> ColumnType:
    if part.kind == "date":
        return "date"
    if part.field.holds == "boolean":
        return "boolean"
    if part.field.holds == "number" and part.kind == "value":
        return "integer" if part.field.schema.get("type") == "integer" else "number"
    return "string"


def _said(name: str, title: str, kind: ColumnType = "string", *codes: str) -> PackageColumn:
    return PackageColumn(name=name, type=kind, title=title, codes=codes)


_REGISTER = (
    _said("agency", "Agency"),
    _said("origin", "Register of origin, empty for what was filed here"),
    _said("fictitious", "Whether it is of a demonstration", "boolean"),
    _said("published_at", "Time of publication", "datetime"),
    _said("entry", "Entry of the log", "integer"),
    _said("hash", "Leaf hash of the entry"),
    _said("completeness", "Share of what is asked that is stated, in percent", "integer"),
    _said("accountability", "The same of what accounts for high risk", "integer"),
    _said("code", "Short code"),
    _said("country", "Country of the register of origin"),
    _said("publisher", "Publisher of the register of origin"),
    _said("licence", "Licence of the record"),
    _said("source_state", "State at the register of origin"),
    _said("changed_on", "Day of the last change there"),
)
"""The columns of what the register says of a version."""


@cache
def tables(languages: tuple[str, ...]) -> Mapping[str, PackageTable]:
    """Return every table of the package by name, for a country's languages."""
    stated = tuple(_column(part) for part in record_columns(languages))
    of_agency = Reference(columns=("agency",), table="agencies", keys=("id",))
    found = [
        PackageTable(
            name=RECORDS,
            title="Records in force",
            columns=(
                _said("id", "Identifier"),
                _said("version", "Version", "integer"),
                *_REGISTER,
                *stated,
            ),
            key=("id",),
            references=(of_agency,),
        ),
        PackageTable(
            name=VERSIONS,
            title="Every version of every record",
            columns=(
                *_record_columns(),
                *_REGISTER,
                _said("until_entry", "Entry that ended it, empty while in force", "integer"),
                *stated,
            ),
            key=_KEY,
            references=(of_agency,),
        ),
        *(one.table for one in list_tables(languages)),
        _of_records(
            "findings",
            "Findings of rules on records in force",
            _said("item", "Place in the list", "integer"),
            _said("rule", "Rule"),
            _said("severity", "Severity"),
            _said("pointer", "Place in the record"),
            _said("message", "Sentence"),
            key=(*_KEY, "item"),
        ),
        _of_records(
            "kinds",
            "How records in force answer on each fact; a fact without a row is not asked",
            _said("fact", "Fact"),
            _said("kind", "Kind of answer", "string", *(one for one in KINDS if one != SILENT[1])),
            key=(*_KEY, "fact"),
        ),
        PackageTable(
            name="agencies",
            title="Agencies",
            columns=(
                _said("id", "Identifier"),
                *(_said(f"name.{tag}", "Name") for tag in (*languages, "other")),
                _said("kind", "Kind"),
                _said("parent", "Agency that it belongs to"),
                _said("region", "Region"),
                _said("website", "Website"),
                _said("fictitious", "Whether it is of a demonstration", "boolean"),
                _said("origin", "Register of origin, empty for those of this country"),
            ),
            key=("id",),
        ),
        PackageTable(
            name="attestations",
            title="What agencies attest of the number of their systems",
            columns=(
                _said("entry", "Entry of the log", "integer"),
                _said("agency", "Agency"),
                _said("as_of", "Day that it is of", "date"),
                _said("systems_total", "Systems in use", "integer"),
                _said("at", "Time", "datetime"),
            ),
            key=("entry",),
            references=(of_agency,),
        ),
        PackageTable(
            name="changes",
            title="Entries of the log",
            columns=(
                _said("entry", "Entry of the log", "integer"),
                _said("kind", "Kind"),
                _said("at", "Time", "datetime"),
                _said("record", "Record, empty where it is about none"),
                _said("version", "Version", "integer"),
                _said("actor", "Agency or authority that acted"),
                _said("risk_change", "Change of the risk level", "string", "raised", "lowered"),
                _said("risk_before", "Risk level before"),
                _said("risk_after", "Risk level after"),
                _said("hash", "Leaf hash"),
            ),
            key=("entry",),
        ),
        PackageTable(
            name="codes",
            title="Codes of the lists of the format and of the country",
            columns=(
                _said("list", "List"),
                _said("code", "Code"),
                *(_said(f"label.{tag}", "Label") for tag in dict.fromkeys((*languages, SOURCE))),
            ),
            key=("list", "code"),
        ),
    ]
    return {one.name: one for one in found}


def _of_records(
    name: str, title: str, *columns: PackageColumn, key: tuple[str, ...]
) -> PackageTable:
    return PackageTable(
        name=name,
        title=title,
        columns=(*_record_columns(), *columns),
        key=key,
        references=(Reference(columns=("record_id",), table=RECORDS, keys=("id",)),),
    )
