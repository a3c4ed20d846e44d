"""A source file as rows, within bounds, and how it is read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from registry.errors import ImportRefused
from registry.record.pointers import parts, pointer
from registry.workbooks.sheets import column_letters

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


FileKind: TypeAlias = Literal["csv", "xlsx", "xls", "ods", "json", "jsonl", "html"]


class ReadOptions(msgspec.Struct, frozen=True, kw_only=True, rename={"kind": "as"}):
    """How the file is read; `schemas/crosswalk.schema.json` documents each member.

    Rows of tables count from 1, as people count them. A negative number in `skip_rows` counts from
    the last row; a name in `columns` that is None leaves the file's own. `other_encodings` are
    tried in order where the file is not text of `encoding`.
    """

    kind: FileKind
    encoding: str = "utf-8"
    other_encodings: tuple[str, ...] = ()
    delimiter: str = ","
    header_row: int | tuple[int, ...] = 1
    skip_rows: int | tuple[int, ...] = ()
    columns: tuple[str | None, ...] = ()
    sheet: str | int | None = None
    rows: str | None = None
    caption: str | None = None


MAX_BYTES = 256 * 1024 * 1024
# Parsers of HTML build a tree many times the size of the file.
MAX_HTML_BYTES = 32 * 1024 * 1024
# The parts of a workbook, unpacked.
MAX_INFLATED = 1024 * 1024 * 1024
MAX_SHEETS = 1_000
MAX_ROWS = 1_000_000
MAX_COLUMNS = 2_000
MAX_CELLS = 20_000_000
MAX_LETTERS = 1024 * 1024 * 1024
# One cell may hold a long report; Python's own limit of CSV (128 KiB) would refuse the whole file.
MAX_CELL = 4 * 1024 * 1024
MAX_DEPTH = 64
MAX_SECONDS = 600.0
# Of the process that unpacks and parses a workbook.
MAX_MEMORY = 4 * 1024 * 1024 * 1024

STRIDE = 1_000

Progress: TypeAlias = Callable[[int, int | None], None]


class RowCounter:
    """Counts rows as they are read, reports them, and refuses a file beyond the bounds."""

    def __init__(self, path: Path, progress: Progress | None = None) -> None:
        """Begin to count; `progress` is called with the rows so far and, if known, of all."""
        self._path = path
        self._progress = progress
        self._cells = 0
        self._until = time.monotonic() + MAX_SECONDS
        self.rows = 0
        self.total: int | None = None

    def add(self, place: str, cells: int) -> None:
        """Count a row. Raises `ImportRefused` beyond the bounds."""
        self.rows += 1
        self._cells += cells
        if cells > MAX_COLUMNS:
            raise ImportRefused(
                f"{self._path}: {place}: {cells:,} columns; a source file may have {MAX_COLUMNS:,}"
            )
        if self.rows > MAX_ROWS or self._cells > MAX_CELLS:
            raise ImportRefused(
                f"{self._path}: {place}: a source file may have {MAX_ROWS:,} rows and "
                f"{MAX_CELLS:,} cells; divide it"
            )
        if self.rows % STRIDE == 0:
            if time.monotonic() > self._until:
                raise ImportRefused(
                    f"{self._path}: {place}: not read within {MAX_SECONDS:.0f} seconds; divide it"
                )
            self.report()

    def report(self) -> None:
        """Call `progress` with the number of rows that have been read."""
        if self._progress is not None:
            self._progress(self.rows, self.total)
