"""Tables: which row names the columns, which rows are data, and what each column is called."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec

from registry.errors import ImportRefused
from registry.imports.source import ReadOptions, SourceFile, SourceRow

TableCell: TypeAlias = str | bool

HEAD = 30
_DELIMITERS = ";\t|,"


class SourceTableRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row as it stands: its number among the rows, from 1, and its place in the file."""

    number: int
    line: int
    place: str
    cells: Sequence[TableCell]


class SourceTable(msgspec.Struct, frozen=True, kw_only=True):
    """All rows of a table.

    `fill_heads` is whether a blank cell of an upper header row belongs to the group on its left, as
    it does where the file does not say which cells are merged. `even` is whether the table is text,
    in which every row must have as many cells as the header, and blanks in a name are meant.
    """

    path: Path
    rows: list[SourceTableRow]
    fill_heads: bool
    even: bool = False
    sheet: str | None = None
    notes: tuple[str, ...] = ()


def read_table(table: SourceTable, options: ReadOptions) -> SourceFile:
    """Return the rows below the header. Raises `ImportRefused` for faults of the whole table."""
    head = tuple((row.number, tuple(map(str, row.cells))) for row in table.rows[:HEAD])
    heads = _header_rows(table, options)
    width = max((len(row) for row in heads), default=0)
    last = header_numbers(options)[-1]
    body = [row for row in _without_skipped(table, options, last) if not is_blank(row.cells)]
    if table.even and heads:
        _check_even(table, heads[-1], last, body)
    width = max([width, *(len(row.cells) for row in body)])
    own = _joined(heads, width, fill=table.fill_heads)
    if not table.even:
        own = [" ".join(name.split()) for name in own]
    named = [*options.columns, *[None] * (width - len(options.columns))]
    if len(named) > width:
        raise ImportRefused(
            f'{table.path}: "read": {{"columns"}} names {len(named)} columns; there are {width}'
        )
    names, equal = _unique([own[at] if name is None else name for at, name in enumerate(named)])
    blank = [at for at in range(width) if not own[at] and named[at] is None]
    left_out = {at for at in blank if all(is_blank(row.cells[at : at + 1]) for row in body)}
    if not body:
        raise ImportRefused(f"{table.path}: there is a header and no row below it")
    empty = sum(row.number > last and bool(row.cells) and is_blank(row.cells) for row in table.rows)
    notes = [f"{empty:,} empty rows are left out"] if empty else []
    return SourceFile(
        rows=[_source_row(row, names, left_out) for row in body],
        names=tuple(names),
        equal=equal,
        head=head,
        sheet=table.sheet,
        notes=(*table.notes, *notes),
    )


def header_numbers(options: ReadOptions) -> tuple[int, ...]:
    """Return the numbers of the rows that name the columns; (0,) if none does."""
    asked = options.header_row
    return (asked,) if isinstance(asked, int) else tuple(sorted(asked))


def is_blank(cells: Iterable[TableCell]) -> bool:
    """Return whether no cell says anything."""
    return all(isinstance(cell, str) and not cell.strip() for cell in cells)


def other_delimiter(header: Sequence[TableCell]) -> str | None:
    """Return what else may separate the cells of a header that has one cell only."""
    if len(header) != 1:
        return None
    line = str(header[0])
    likely = max(_DELIMITERS, key=line.count)
    return likely if likely in line else None


def _header_rows(table: SourceTable, options: ReadOptions) -> list[Sequence[TableCell]]:
    by_number = {row.number: row for row in table.rows}
    numbers = header_numbers(options)
    last = table.rows[-1].number if table.rows else 0
    of_sheet = f"sheet {table.sheet!r}: " if table.sheet else ""
    for number in numbers:
        if number > last:
            raise ImportRefused(
                f'{table.path}: {of_sheet}there is no row {number}, which "read": '
                f'{{"header_row"}} names; the last is {last}'
            )
    found = [by_number[number].cells if number in by_number else () for number in numbers if number]
    if found and not options.columns and all(is_blank(cells) for cells in found):
        raise ImportRefused(
            f"{table.path}: row {numbers[-1]} is empty, so no column has a name"
            + _likely_header(table, numbers[-1])
        )
    return found


def _without_skipped(table: SourceTable, options: ReadOptions, last: int) -> list[SourceTableRow]:
    """Return the rows below the header that the crosswalk does not skip."""
    rows = [row for row in table.rows if row.number > last]
    if isinstance(options.skip_rows, int):
        return rows[options.skip_rows :]
    filled = [row.number for row in rows if not is_blank(row.cells)]
    skipped = {
        filled[number] if -len(filled) <= number < 0 else number for number in options.skip_rows
    }
    return [row for row in rows if row.number not in skipped]


def _check_even(
    table: SourceTable, header: Sequence[TableCell], number: int, body: Iterable[SourceTableRow]
) -> None:
    for row in body:
        if len(row.cells) != len(header):
            raise ImportRefused(
                f"{table.path}: {row.place}: {len(row.cells)} cells where the header names "
                f"{len(header)}; a quotation mark or a delimiter is missing or too many"
                + (
                    (
                        f'; if {delimiter!r} separates the cells, say "read": '
                        f'{{"delimiter": {json.dumps(delimiter)}}}'
                    )
                    if (delimiter := other_delimiter(header))
                    else _likely_header(table, number)
                    or "; a row that is no data is left out by "
                    f'"read": {{"skip_rows": [{row.number}]}}'
                )
            )


def _likely_header(table: SourceTable, number: int) -> str:
    """Return a hint if a later row has more names than the row that was taken for the header."""

    def width(row: SourceTableRow) -> int:
        return sum(not is_blank([cell]) for cell in row.cells)

    first = next((width(row) for row in table.rows if row.number == number), 0)
    later = [row for row in table.rows[:HEAD] if row.number > number]
    widest = max(later, key=width, default=None)
    if widest is None or width(widest) <= first + 1:
        return ""
    cells = "cell" if first == 1 else "cells"
    return (
        f". Row {number} has {first} {cells} and row {widest.number} has {width(widest)}: if the "
        f'names of the columns stand in row {widest.number}, say "read": '
        f'{{"header_row": {widest.number}}}'
    )


def _joined(heads: Sequence[Sequence[TableCell]], width: int, *, fill: bool) -> list[str]:
    """Return the names of the columns: those of the header rows, joined from top to bottom."""
    rows = [
        [str(cell).strip() and str(cell) for cell in [*row, *[""] * (width - len(row))]]
        for row in heads
    ]
    for upper, lower in itertools.pairwise(rows) if fill else ():
        group = ""
        for at in range(width):
            if upper[at]:
                group = upper[at] if lower[at] else ""
            elif lower[at]:
                upper[at] = group
    if len(rows) == 1:
        return rows[0]
    return [" / ".join(dict.fromkeys(name.strip() for name in names if name))
            for names in zip(*rows, strict=True)] if rows else [""] * width  # fmt: skip


def _unique(names: list[str]) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    """Return names of which no two are equal, and for each equal header its columns' names."""
    often = Counter(names)
    taken = {name for name in names if name and often[name] == 1}
    unique: list[str] = []
    equal: dict[str, tuple[str, ...]] = {}
    for place, name in enumerate(names, start=1):
        if name and often[name] == 1:
            unique.append(name)
            continue
        number = place if not name else len(equal.get(name, ())) + 1
        made = f"{name} ({number})" if name else f"column {number}"
        while made in taken:
            made += "'"
        taken.add(made)
        unique.append(made)
        if name:
            equal[name] = (*equal.get(name, ()), made)
    return unique, equal


def _source_row(row: SourceTableRow, names: Sequence[str], left_out: set[int]) -> SourceRow:
    cells = {
        name: row.cells[at] if at < len(row.cells) else ""
        for at, name in enumerate(names)
        if at not in left_out
    }
    return SourceRow(line=row.line, place=row.place, cells=cells)
