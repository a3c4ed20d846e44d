"""A source file as rows, with what is told of how it was read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import msgspec

from registry.exchange.workbooks.sheets import column_letters
from registry.record.pointers import parts, pointer

Cells: TypeAlias = dict[str, Any]

# Members of nested objects are named so deep, and so many of them.
_NAMED_DEPTH = 8
_NAMED_COLUMNS = 2_000


class SourceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row; `line` counts from 1, and `place` says it in words (`line 3`, `sheet 'Data', row 3`).

    `cells` is None where the row cannot be used, and `fault` says why.
    """

    line: int
    place: str
    cells: Cells | None
    fault: str = "the row is not an object"


class SourceFile(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a file.

    `names` are the columns of a table by place. `equal` are the headers that occur more than once,
    with the names that their columns got. `head` are the first rows of a table as they stand, by
    number. `notes` tell what a reader of the report must know: sheets and cells left out. `sha256`
    is the digest of the bytes that were read, in hex.
    """

    rows: list[SourceRow]
    names: tuple[str, ...] = ()
    equal: dict[str, tuple[str, ...]] = {}
    head: tuple[tuple[int, tuple[str, ...]], ...] = ()
    sheet: str | None = None
    notes: tuple[str, ...] = ()
    sha256: str = ""


def cell(cells: Cells, column: str) -> Any:
    """Return the value of a column: a member of the row, or, by JSON Pointer, of its members."""
    if column in cells or not column.startswith("/"):
        return cells.get(column)
    return _at(cells, column)[1]


def has_column(source: SourceFile, column: str) -> bool:
    """Return whether any row has the column, which may be a JSON Pointer."""
    if column in source.names:
        return True
    by_pointer = column.startswith("/")
    return any(
        row.cells is not None
        and (column in row.cells or (by_pointer and _at(row.cells, column)[0]))
        for row in source.rows
    )


def columns(source: SourceFile) -> list[str]:
    """Return every column that occurs, in the order in which they first appear.

    A member that is an object is named by the JSON Pointers of its members.
    """
    found: dict[str, None] = {}
    for row in source.rows[:1] if source.names else source.rows:
        for name, value in (row.cells or {}).items():
            if not isinstance(value, dict):
                found.setdefault(name)
            elif len(found) < _NAMED_COLUMNS:
                found |= dict.fromkeys(_leaves(value, (name,)))
    return list(found)


def refused_place(source: SourceFile, row: SourceRow, reason: str) -> str:
    """Return where a refused row stands; in a workbook the cell, if the reason names its column.

    A reason that is about a column begins with it: `Status: …`.
    """
    if source.sheet is None:
        return row.place
    for at, name in enumerate(source.names):
        if reason.startswith(f"{name}: "):
            return f"sheet {source.sheet!r}, cell {column_letters(at)}{row.line}"
    return row.place


def _leaves(value: dict[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    for name, inner in value.items():
        if isinstance(inner, dict) and inner and len(path) < _NAMED_DEPTH:
            yield from _leaves(inner, (*path, name))
        else:
            yield pointer((*path, name))


def _at(cells: Cells, place: str) -> tuple[bool, Any]:
    """Return whether a JSON Pointer leads to a value, and the value."""
    here: Any = cells
    for name in parts(place):
        if isinstance(here, dict) and name in here:
            here = here[name]
        elif isinstance(here, list) and name.isdecimal() and int(name[:9]) < len(here):
            here = here[int(name[:9])]
        else:
            return False, None
    return True, here
