"""Tables: the same numbers for the page, its bars and the file that one can download."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from registry.exchange.export_csv import harmless
from registry.pages.reader import Text

_BOM = "\ufeff"


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in a column; `title` is an English wording or, for a code, its label."""

    title: str | Text
    kind: Literal["count", "percent", "day", "text"] = "count"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A row: what it is about, with its page if it has one, and a value or nothing per column."""

    code: str
    name: Text | None
    path: str | None = None
    values: Sequence[int | float | str | None]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table: wordings are English ones; `head` names the first column.

    `bars` says what is drawn: the first column, the first ones as parts of a whole, or nothing.
    """

    id: str
    title: str
    note: str | None
    head: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    badges: bool = False
    bars: Literal["first", "parts", "none"] = "first"

    @property
    def most(self) -> int | float:
        """The largest value that a bar shows; never 0."""
        if self.bars == "first":
            drawn = [row.values[0] for row in self.rows]
        else:
            drawn = [row.values[-1] for row in self.rows]
        return max((value for value in drawn if isinstance(value, int | float)), default=0) or 1


def as_csv(table: Table, say: Callable[[str], str]) -> bytes:
    """Write a table as CSV in UTF-8, safe to open in a spreadsheet; `say` translates headings."""
    kept = io.StringIO()
    kept.write(_BOM)
    writer = csv.writer(kept, lineterminator="\r\n")
    titles = [
        column.title.text if isinstance(column.title, Text) else say(column.title)
        for column in table.columns
    ]
    writer.writerow(["code", say(table.head), *titles])
    for row in table.rows:
        cells = [row.code, row.name.text if row.name else "", *map(_written, row.values)]
        writer.writerow([harmless(cell) for cell in cells])
    return kept.getvalue().encode()


def _written(value: float | str | None) -> str:
    return "" if value is None else str(value)
