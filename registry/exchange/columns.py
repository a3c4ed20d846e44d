"""Columns of a source: by name, by JSON Pointer into nested JSON, and by earlier names.

In a pointer `*` stands for each item of a list (`/vendors/*/name`), which RFC 6901 does not have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from registry.exchange.cells import RowRefused, as_line, fold_value
from registry.exchange.crosswalk_model import ColumnNames, Reading, RowCondition
from registry.exchange.patterns import part_of
from registry.exchange.readers.source import SourceFile, cell, has_column
from registry.record.pointers import parts, pointer, values_at

_SHOWN = 6


class CellReader(msgspec.Struct, frozen=True, kw_only=True):
    """Reads the cells of one file: `names` has which of its names a column has there."""

    names: Mapping[ColumnNames, str]
    nothing: frozenset[str]

    def name(self, columns: ColumnNames) -> str:
        """Return the name or pointer of a column in this file."""
        return self.names.get(columns, columns[0])

    def cell(self, cells: dict[str, Any], columns: ColumnNames) -> Any:
        """Return the cell; a list if the column's pointer has a `*`.

        Raises `RowRefused` for an object, which is never taken for its JSON text.
        """
        name = self.name(columns)
        found = cell_at(cells, name)
        if isinstance(found, dict) or (
            isinstance(found, list) and any(isinstance(item, dict | list) for item in found)
        ):
            raise RowRefused(_nested(name, found))
        return found

    def line(self, cells: dict[str, Any], reading: Reading | None) -> str:
        """Return what is read from the cell as one line; empty if that says nothing."""
        if reading is None:
            return ""
        found = as_line(self.cell(cells, reading.column), self.nothing)
        if found and reading.part is not None:
            found = as_line(part_of(reading.part, found), self.nothing)
        return found

    def said(self, cells: dict[str, Any], when: RowCondition) -> list[str]:
        """Return the values of the column that a condition is about, "" for nothing."""
        found = self.cell(cells, when.column)
        items = found if isinstance(found, list) else [found]
        return [as_line(item, self.nothing) for item in items]

    def holds(self, cells: dict[str, Any], when: RowCondition | None) -> bool:
        """Return whether a row meets a condition; no condition is always met."""
        if when is None:
            return True
        said = {fold_value(value) for value in self.said(cells, when)}
        if when.one_of is not None:
            return not said.isdisjoint(map(fold_value, when.one_of))
        return said.isdisjoint(map(fold_value, when.none_of or ()))


def find_columns(
    asked: Iterable[ColumnNames], source: SourceFile
) -> tuple[dict[ColumnNames, str], list[ColumnNames]]:
    """Return the name that each column has in the file, and those that it does not have."""
    found: dict[ColumnNames, str] = {}
    missing: list[ColumnNames] = []
    for names in asked:
        name = next((one for one in names if _is_there(source, one)), None)
        if name is None:
            missing.append(names)
        else:
            found[names] = name
    return found, missing


def cell_at(cells: dict[str, Any], column: str) -> Any:
    """Return the cell of a column, or None; a list if its pointer has a `*`."""
    if "/*" not in column or column in cells:
        return cell(cells, column)
    return [value for _, value in values_at(cells, parts(column)) if value is not None]


def _is_there(source: SourceFile, column: str) -> bool:
    """Return whether a file has a column; for `*` the list will do, since it may be empty."""
    return has_column(source, column) or (
        "/*" in column and has_column(source, column.partition("/*")[0])
    )


def _nested(column: str, found: Any) -> str:
    base = column if column.startswith("/") else pointer([column])
    kind = "an object"
    if isinstance(found, list):
        kind, base = "a list of objects", f"{base}/*"
        found = next((item for item in found if isinstance(item, dict)), {})
    members = list(found)[:_SHOWN]
    such = f"{base}{pointer([members[0]])}" if members else base
    having = f" with {', '.join(members)}" if members else ""
    return (
        f"{column}: {kind}{having} where a text is expected; "
        f'name in the crosswalk the member that is meant, such as "column": "{such}"'
    )
