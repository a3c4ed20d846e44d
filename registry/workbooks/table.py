"""A table with a row a record, in the columns of the full export."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from registry.errors import UnreadableDocument
from registry.exports.columns import NOTHING_LISTED, TableColumn, table_columns
from registry.exports.spreadsheets import LONGEST_CELL, unescape_formula
from registry.record.facets import FACETS, SINGLE
from registry.record.messages import Message, message
from registry.record.model import Document
from registry.record.parse import parse
from registry.record.pointers import dig, parts, put
from registry.record.schema import Field, field_at, required_field
from registry.record.values import ValueFault, with_lines_alone
from registry.workbooks.cells import (
    CellPlace,
    DerivedCell,
    FilledRecord,
    Unread,
    WorkbookWords,
    choices_of,
    formula_fault,
    is_empty,
    merged_fault,
    read_cell,
    read_text,
)
from registry.workbooks.file import CSV_SHEET, FilledSheet
from registry.workbooks.sheets import SheetCell

TAG, HASH, ANSWER = "tag", "hash", "answer"
"""The columns of the state that a row was made of, and of what the register says of it."""

_TAG_DIGITS = 16
_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_FEWEST = 3


def is_table(sheet: FilledSheet) -> bool:
    """Return whether the first row of a sheet names columns of the full export."""
    if not sheet.rows:
        return False
    known = table_columns(())
    named = {str(cell).strip() for cell in sheet.rows[0]}
    return "id" in named and len(named & known.keys()) >= _FEWEST


def is_summary(sheet: FilledSheet) -> bool:
    """Return whether a sheet is an export without the fields."""
    named = {str(cell).strip() for cell in sheet.rows[0]} if sheet.rows else set()
    return {"id", "completeness", HASH} <= named and not is_table(sheet)


def read_table(sheet: FilledSheet, words: WorkbookWords) -> list[FilledRecord]:
    """Return the records of a table; empty rows are none."""
    reader = _TableReader(sheet, words)
    return [
        reader.record(row)
        for row in range(1, len(sheet.rows))
        if any(not is_empty(cell) for cell in sheet.rows[row])
    ]


class _TableReader:
    def __init__(self, sheet: FilledSheet, words: WorkbookWords) -> None:
        self.sheet = sheet
        self.words = words
        self.formulas = frozenset(sheet.formulas)
        self.merged = frozenset(sheet.merged)
        self.is_csv = sheet.name == CSV_SHEET
        self.named: dict[str, int] = {}
        for number, cell in enumerate(sheet.rows[0]):
            self.named.setdefault(str(cell).strip(), number)
        known = table_columns(words.pack.languages)
        self.columns = {name: known[name] for name in self.named if name in known}
        for name in self.named.keys() - known.keys():
            path, _, tag = name.rpartition(".")
            field = field_at(tuple(path.split(".")))
            if field is not None and field.is_text and _TAG.fullmatch(tag):
                self.columns[name] = TableColumn(
                    name=name, path=(*field.path, tag), kind="text", field=field
                )
        self.missing = tuple(
            column.path for name, column in known.items() if name not in self.columns
        )

    def record(self, row: int) -> FilledRecord:
        unread: list[Unread] = []
        document: Document = {}
        places: dict[str, CellPlace] = {}
        lines: list[tuple[TableColumn, CellPlace, str]] = []
        for name, column in self.columns.items():
            place = CellPlace(row, self.named[name])
            places.setdefault("/" + "/".join(column.path), place)
            try:
                value = self._value(column, place)
            except ValueFault as fault:
                said = self.words.render(fault.saying)
                unread.append(Unread(place=place, path=column.path, message=said))
                continue
            if column.kind == "others":
                for tag, text in (value or {}).items():
                    put(document, (*column.path, tag), text)
            elif column.kind == "line" and value is not None:
                lines.append((column, place, value))
            elif value is not None:
                put(document, column.path, value)
        for column, place, line in lines:
            stated = dig(document, *column.path)
            if stated is None:
                put(document, column.path, line)
            elif line not in stated.values():
                saying = message(
                    "This line is written by language. Change it in the columns {names}.",
                    names=tuple(f"{column.name}.{tag}" for tag in stated),
                )
                unread.append(
                    Unread(place=place, path=column.path, message=self.words.render(saying))
                )
        tag = self._text(row, TAG) or self._text(row, HASH)[:_TAG_DIGITS]
        return FilledRecord(
            sheet=self.sheet.name,
            row=row,
            record=str(document.get("id", "")),
            document=with_lines_alone(document, self.words.pack.languages[0]),
            tag=tag or None,
            home=CellPlace(row, self.named["id"]),
            places=places,
            unread=tuple(unread),
            missing=self.missing,
            derived=tuple(self._derived(row)),
        )

    def _cell(self, place: CellPlace) -> SheetCell:
        cells = self.sheet.rows[place.row]
        cell = cells[place.column] if place.column < len(cells) else ""
        return unescape_formula(cell) if self.is_csv and isinstance(cell, str) else cell

    def _text(self, row: int, name: str) -> str:
        if name not in self.named:
            return ""
        return str(self._cell(CellPlace(row, self.named[name]))).strip()

    def _value(self, column: TableColumn, place: CellPlace) -> Any:
        """Return the value of a cell, None if it is empty. Raises `ValueFault`."""
        if place in self.formulas:
            raise ValueFault(formula_fault())
        if place in self.merged:
            raise ValueFault(merged_fault())
        cell = self._cell(place)
        if is_empty(cell):
            return None
        if isinstance(cell, str) and _is_cut(cell):
            raise ValueFault(
                message(
                    "This text was cut when it was exported, since a cell is too small for it. "
                    "Change this record by its form, or take the table as CSV."
                )
            )
        match column.kind:
            case "list":
                return self._list(column.field, read_text(cell))
            case "json" | "others":
                return _json(read_text(cell), column)
            case "text":
                return read_cell(column.field, cell, self.words)
        if self.is_csv and column.field.holds == "number" and isinstance(cell, str):
            cell = _number(cell)
        return read_cell(column.field, cell, self.words)

    def _list(self, field: Field, text: str) -> list[Any]:
        if text == NOTHING_LISTED or self.words.is_none(text):
            return []
        entry = required_field((*field.path, "*"))
        given = [part.strip() for part in re.split(r"[;\n؛]", text)]
        return [read_cell(entry, part, self.words) for part in given if part]

    def _derived(self, row: int) -> Iterator[DerivedCell]:
        """Yield the cells that say in other words what another column says."""
        for name in self.named:
            found = _source_of(name, self.columns)
            text = self._text(row, name)
            if found is not None and text:
                path, column, lists = found
                place = CellPlace(row, self.named[name])
                yield DerivedCell(place=place, path=path, text=text, column=column, lists=lists)


def _source_of(
    name: str, columns: dict[str, TableColumn]
) -> tuple[tuple[str, ...], str, tuple[str, ...]] | None:
    """Return path, column and lists of what a column of the export is derived from."""
    plain = name.removesuffix("_label")
    if name in {"name", "summary"}:
        return (name,), f"{name}.<language>", ()
    if plain in SINGLE and FACETS[plain].pointer is not None:
        path = parts(FACETS[plain].pointer or "")
    elif plain != name and plain in columns:
        path = columns[plain].path
    else:
        return None
    field = required_field(path)
    return path, ".".join(path), choices_of(field.entry)


def _json(text: str, column: TableColumn) -> Any:
    try:
        value = parse(text.encode())
    except UnreadableDocument as error:
        raise ValueFault(
            message(
                "This is not the JSON that this column has: {why}. Change records with such parts "
                "by their form.",
                why=error.detail,
            )
        ) from error
    wanted: Message | None = None
    if column.kind == "others" or column.field.schema.get("type") == "object":
        if not isinstance(value, dict):
            wanted = message("an object: {example}", example="{ … }")
    elif not isinstance(value, list):
        wanted = message("a list: {example}", example="[ … ]")
    if wanted is not None:
        raise ValueFault(
            message("This column has JSON, {wanted}. Change it by the form.", wanted=wanted)
        )
    return value


def _number(text: str) -> SheetCell:
    """Return a number as programs write it, or the text."""
    for kind in (int, float):
        try:
            value: int | float = kind(text)
        except ValueError:
            continue
        if str(value) == text:
            return value
    return text


def _is_cut(text: str) -> bool:
    return text.endswith("…") and len(text.encode("utf-16-le")) // 2 >= LONGEST_CELL - 1
