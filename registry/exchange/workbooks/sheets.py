"""What is asked of, and answered by, the process that reads a workbook that was filled in."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from registry.exchange.readers.source import column_letters

SheetCell: TypeAlias = str | bool | int | float
"""A cell's value; empty is "", dates and times are as ISO 8601 has them."""

MAX_BYTES = 16 * 1024 * 1024
MAX_INFLATED = 128 * 1024 * 1024
MAX_SHEETS = 500
MAX_ROWS = 20_000
MAX_COLUMNS = 1_000
MAX_CELLS = 2_000_000
MAX_LETTERS = 64 * 1024 * 1024
"""Of all sheets together, empty ones between the first and the last included."""

MAX_MEMORY = 1024 * 1024 * 1024
MAX_SECONDS = 60


class FilledSheet(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A sheet: its rows from the first, and the cells, as (row, column), that are no values.

    `formulas` are cells with a formula, whatever was saved as its result.
    """

    name: str
    rows: list[list[SheetCell]]
    formulas: list[tuple[int, int]] = []


class SheetProblem(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Why a workbook cannot be read: what kind of reason, and its numbers and names."""

    kind: Literal["password", "damaged", "sheets", "sheet", "letters"]
    sheet: str = ""
    number: int = 0
    columns: int = 0


def cell_name(row: int, column: int) -> str:
    """Return the name of a cell, such as `B7`, of its row and column from 0."""
    return f"{column_letters(column)}{row + 1}"


def place_named(name: str) -> tuple[int, int]:
    """Return row and column, from 0, of a cell's name."""
    named = name.rstrip("0123456789")
    column = 0
    for letter in named:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(name[len(named) :]) - 1, column - 1
