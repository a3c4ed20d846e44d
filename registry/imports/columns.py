"""Columns of a source: by name, by JSON Pointer, by earlier names; and those that a file lacks."""

from __future__ import annotations

import difflib
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from registry.imports.cells import RowRefused, as_line, fold_value
from registry.imports.crosswalk_model import ColumnNames, Reading, RowCondition
from registry.imports.source import SourceFile, cell, columns, has_column
from registry.imports.table import other_delimiter
from registry.imports.texts import part_of
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


_NAMED_COLUMNS = 100
_NAMED_EQUAL = 5
_LOOKED_FOR = 20


def missing_columns(source: SourceFile, missing: Sequence[str], origin: str) -> str:
    """Return the sentence on columns that the file does not have, with what mends it."""
    names = columns(source)
    also = f" (nor {', '.join(missing[1:])})" if missing[1:] else ""
    advice = _advice(source, missing, names)
    more = len(names) - _NAMED_COLUMNS
    return (
        f"the crosswalk {origin} reads the column {missing[0]!r}, which the file does not have"
        f"{also}; {advice + '; ' if advice else ''}its columns are "
        + (", ".join(names[:_NAMED_COLUMNS]) or "none")
        + (f" and {more} more" if more > 0 else "")
    )


def _advice(source: SourceFile, missing: Sequence[str], names: Sequence[str]) -> str:
    column = missing[0]
    equal = source.equal.get(column)
    if equal:
        named = " or ".join(map(repr, equal[:_NAMED_EQUAL]))
        return (
            f"{len(equal)} columns are headed {column!r}: write {named}, or name the columns by "
            'place in "read": {"columns": […]}'
        )
    if separated := _other_delimiter(source, column):
        return separated
    rows = max((_header_rows(source, one) for one in missing[:_LOOKED_FOR]), key=len)
    if rows:
        have = f"row {rows[0]} has" if len(rows) == 1 else f"rows {rows[0]} and {rows[1]} have"
        said = rows[0] if len(rows) == 1 else list(rows)
        return (
            f"{have} it: if the names of the columns stand there, "
            f'say "read": {{"header_row": {said}}}'
        )
    near = difflib.get_close_matches(column, names, n=3, cutoff=0.7)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else ""


def _other_delimiter(source: SourceFile, column: str) -> str:
    """Return what to say of a header, or of a row below a preamble, that is one cell of several."""
    below = [(number, cells) for number, cells in source.head if len(cells) == 1]
    for number, cells in [(0, source.names), *below]:
        delimiter = other_delimiter(cells)
        if delimiter is not None and column in cells[0].split(delimiter):
            said = {"delimiter": delimiter} | ({"header_row": number} if number else {})
            return f'{delimiter!r} separates the cells: say "read": {json.dumps(said)}'
    return ""


def _header_rows(source: SourceFile, column: str) -> tuple[int, ...]:
    """Return the number of the row that has a name, or of the two that have its parts, if any."""
    wanted = _folded(column)
    if wanted in map(_folded, source.names):
        return ()
    upper, _, lower = wanted.rpartition(" / ")
    rows = [(number, set(map(_folded, cells))) for number, cells in source.head]
    for (number, names), (next_number, next_names) in itertools.pairwise([*rows, (0, set())]):
        if wanted in names:
            return (number,)
        if upper and upper in names and lower in next_names:
            return (number, next_number)
    return ()


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()
