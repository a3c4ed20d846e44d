"""Workbooks: Excel's (xlsx, xls) and OpenDocument's (ods)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from registry.errors import ImportRefused
from registry.imports.source import (
    MAX_CELL,
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_INFLATED,
    MAX_LETTERS,
    MAX_MEMORY,
    MAX_ROWS,
    MAX_SECONDS,
    MAX_SHEETS,
    ReadOptions,
    RowCounter,
    SourceFile,
)
from registry.imports.table import SourceTable, SourceTableRow, header_numbers, read_table
from registry.record.messages import render
from registry.text.catalogues import SOURCE
from registry.workbooks.sheets import (
    ERRORS,
    SheetBounds,
    SheetCell,
    SheetHead,
    SheetRange,
    SheetRequest,
    WorkbookProblem,
    cell_name,
    check_parts,
    read_answers,
)

BOUNDS = SheetBounds(
    inflated=MAX_INFLATED,
    sheets=MAX_SHEETS,
    rows=MAX_ROWS,
    columns=MAX_COLUMNS,
    cells=MAX_CELLS,
    letters=MAX_LETTERS,
    memory=MAX_MEMORY,
    seconds=int(MAX_SECONDS),
)

_NAMED = 5


def read_workbook(raw: bytes, options: ReadOptions, path: Path, counter: RowCounter) -> SourceFile:
    """Return the rows of one sheet. Raises `ImportRefused` for faults of the whole file."""
    request = SheetRequest(bounds=BOUNDS, sheet=options.sheet)
    try:
        with tempfile.TemporaryFile() as file:
            file.write(raw)
            file.flush()
            file.seek(0)
            if options.kind != "xls":
                check_parts(file, BOUNDS)
            with read_answers(file, request) as answers:
                head = cast("SheetHead", next(answers))
                counter.total = head.height
                merged = _Merged(head.merges or [], set(header_numbers(options)))
                rows = list(_rows(answers, head.name, merged, path, counter))
    except WorkbookProblem as error:
        raise ImportRefused(f"{path}: {render(error.message, SOURCE, ())}") from error
    notes = []
    if head.hidden_before:
        hidden = ", ".join(map(repr, head.hidden_before))
        notes.append(f"read is the sheet {head.name!r}; hidden before it: {hidden}")
    if head.errors:
        cells = ", ".join(cell_name(*at) for at in head.errors[:_NAMED])
        more = ", …" if len(head.errors) > _NAMED else ""
        notes.append(
            f"{len(head.errors):,} cells with the error of a formula are read as empty: "
            f"{cells}{more}"
        )
    table = SourceTable(
        path=path,
        rows=rows,
        fill_heads=head.merges is None,
        sheet=head.name,
        notes=tuple(notes),
    )
    return read_table(table, options)


class _Merged:
    """Merged cells, filled row by row: to the right in a header, else downwards only."""

    def __init__(self, merges: list[SheetRange], heads: set[int]) -> None:
        """Take the ranges, and the numbers of the rows that name the columns, from 1."""
        self._begin: dict[int, list[SheetRange]] = {}
        for merge in merges:
            self._begin.setdefault(merge[0][0], []).append(merge)
        self._heads = heads
        self._current: list[tuple[SheetRange, SheetCell]] = []

    def fill(self, at: int, row: list[SheetCell]) -> None:
        """Fill the cells of the next row, `at` from 0."""
        heads = self._heads
        self._current = [(merge, value) for merge, value in self._current if merge[1][0] >= at]
        self._current += [
            (merge, row[merge[0][1]]) for merge in self._begin.get(at, ()) if merge[0][1] < len(row)
        ]
        for ((top, left), (_, right)), value in self._current:
            if at + 1 in heads and top == at:
                row[left : right + 1] = [value] * (min(right + 1, len(row)) - left)
            elif at + 1 not in heads and top + 1 not in heads:
                row[left] = value


def _rows(
    answers: Iterator[SheetHead | list[SheetCell]],
    sheet: str,
    merged: _Merged,
    path: Path,
    counter: RowCounter,
) -> Iterator[SourceTableRow]:
    for number, row in enumerate(answers, start=1):
        if isinstance(row, SheetHead):
            return  # of another sheet, which nobody asked for
        place = f"sheet {sheet!r}, row {number}"
        counter.add(place, len(row))
        merged.fill(number - 1, row)
        cells = [_text(cell) for cell in row]
        longest = max((len(cell) for cell in cells if isinstance(cell, str)), default=0)
        if longest > MAX_CELL:
            raise ImportRefused(
                f"{path}: {place}: a cell of {longest:,} characters; a cell may have {MAX_CELL:,}"
            )
        yield SourceTableRow(number=number, line=number, place=place, cells=cells)


def _text(cell: SheetCell) -> str | bool:
    """Return a cell as people see it; a spreadsheet keeps 15 digits."""
    if isinstance(cell, str):
        return "" if cell in ERRORS else cell
    if isinstance(cell, bool):
        return cell
    return format(cell, ".15g") if isinstance(cell, float) else str(cell)
