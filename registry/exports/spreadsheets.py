"""Tables as CSV (RFC 4180) and as Excel workbooks, in which text is text and dates are dates."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import re
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import xlsxwriter

from registry.exports.columns import (
    Cell,
    ExportColumn,
    ExportRow,
    LabelSource,
    TableColumn,
    write_cell,
)
from registry.exports.package_tables import (
    RECORDS,
    ListTable,
    PackageColumn,
    list_tables,
    tables,
)
from registry.record.facets import FACETS, SINGLE
from registry.record.facts import facts
from registry.record.messages import render_title
from registry.record.origin import Origin
from registry.record.pointers import dig
from registry.text.locales import direction
from registry.work import in_thread

_BOM = "\ufeff"
_FORMULA = re.compile(r'\A(?=[\t\r\n])|(?:\A|[;\t\r\n]"*)(?=[=+\-@＝＋－＠])')
"""Where a spreadsheet may begin to read a formula, in wide signs as well.

One that separates cells by semicolons, as Excel does in French, takes no quotation mark within a
line for one, and begins a cell after each semicolon and each line break of a text.
"""

_ESCAPED = re.compile(r"\A'(?=[\t\r\n=+\-@＝＋－＠])|([;\t\r\n]\"*)'(?=[=+\-@＝＋－＠])")


async def csv_lines(
    table: Sequence[ExportColumn], batches: AsyncIterable[Sequence[ExportRow]], *, safe: bool
) -> AsyncIterator[bytes]:
    """Yield a header and a line for each record, as bytes.

    The safe form begins with a byte order mark, without which Excel misreads non-ASCII letters, and
    has an apostrophe before what a spreadsheet would take for a formula.
    """
    kept = io.StringIO()
    writer = csv.writer(kept, lineterminator="\r\n")
    kept.write(_BOM if safe else "")
    writer.writerow([column.name for column in table])
    yield _taken(kept)

    def write(rows: Sequence[ExportRow]) -> None:
        for row in rows:
            cells = (cell_text(column.cell(row)) for column in table)
            writer.writerow([escape_formula(cell) for cell in cells] if safe else list(cells))

    async for batch in batches:
        await in_thread(write, batch)
        yield _taken(kept)


def cell_text(cell: Cell) -> str:
    """Return a cell as text: times in UTC as RFC 3339, booleans as in JSON."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, dt.datetime):
        return cell.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    return cell.isoformat() if isinstance(cell, dt.date) else str(cell)


def escape_formula(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return _FORMULA.sub(r"\g<0>'", text)


def unescape_formula(text: str) -> str:
    """Return the text of which `escape_formula` made this one, if it did."""
    if "'" not in text:
        return text
    plain = _ESCAPED.sub(r"\g<1>", text)
    return plain if escape_formula(plain) == text else text


def _taken(kept: io.StringIO) -> bytes:
    text = kept.getvalue()
    kept.seek(0)
    kept.truncate()
    return text.encode()


MOST_ROWS = 1_048_575
"""The records of one sheet, beside its header; further ones are on further sheets."""

LONGEST_CELL = 32_767
"""The limit of a cell in UTF-16 units; longer texts are cut."""

_CUT = "…"
_PART = 2**16
AS_WRITTEN = {
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
    "remove_timezone": True,
}
"""Options by which a text is a text, whatever it looks like."""

_OPTIONS = {"constant_memory": True, **AS_WRITTEN}
_OF_ORIGIN = {
    "origin": "code",
    "title": "title",
    "publisher": "publisher",
    "licence": "licence",
    "country": "country",
    "homepage": "homepage",
}
"""The columns of the table of other registers, by their names, as members of `Origin`."""
_ABOUT = "about"
_NO_SHEET = re.compile(r"[\[\]:*?/\\']")
_LONGEST_TITLE = 28
"""Of a sheet; its name has no more than 31 letters, of which a number may take some."""

_WIDTHS = {"id": 36, "name": 40, "summary": 60, "url": 40}
_WIDTH = 16


class About(msgspec.Struct, frozen=True, kw_only=True):
    """The description of an export: the query, the log's size, its last entry.

    `mended` is the corrected query, if the query as typed finds nothing; `licence` that of records
    which were filed here.
    """

    address: str
    licence: str | None = None
    mended: str | None = None
    records: int
    size: int
    last_hash: str
    at: dt.datetime


async def workbook(
    table: Sequence[ExportColumn],
    batches: AsyncIterable[Sequence[ExportRow]],
    about: About,
    wording: LabelSource,
) -> AsyncIterator[bytes]:
    """Write a sheet of records, one of each list that they have, and one about the export.

    Yield the bytes of the file.
    """
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        path = Path(folder) / "records.xlsx"
        book = _Book(path, table, about, wording)
        async for batch in batches:
            await in_thread(book.write, batch)
        await in_thread(book.close)
        with path.open("rb") as file:
            while part := file.read(_PART):
                yield part


class _ListSheet(msgspec.Struct):
    """The sheet of a list: a row an item, with the record's id, in the language of the labels.

    A text is in one language there, and a code has its label.
    """

    sheet: Any
    table: ListTable
    columns: list[tuple[TableColumn, dict[str, str]]]
    written: int = 0

    def cells(self, row: ExportRow, item: Any, wording: LabelSource) -> Iterator[Cell]:
        """Yield the cells of an item of a record."""
        source = dig(row.document, "languages", "source")
        for column, labels in self.columns:
            text = dig(item, *column.path[: -1 if column.kind == "text" else None])
            if column.field.is_text and isinstance(text, dict):
                yield wording.pick(text)[1]
            else:
                cell = write_cell(column, (), item, source)
                yield labels.get(cell, cell) if isinstance(cell, str) else cell


class _Book:
    def __init__(
        self, path: Path, table: Sequence[ExportColumn], about: About, wording: LabelSource
    ) -> None:
        self._book: Any = xlsxwriter.Workbook(path, _OPTIONS | {"tmpdir": str(path.parent)})
        # Not the time of writing: the same query of the same log gives the same file.
        self._book.set_properties({"created": about.at.replace(tzinfo=None)})
        self._heading = self._book.add_format({"bold": True})
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._time = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._table = table
        self._about = about
        self._wording = wording
        self._lists: list[_ListSheet] = []
        self._sheets = 0
        self._origins: dict[str, Origin] = {}
        self._begin(about.records)

    def _begin(self, left: int) -> None:
        """Begin a sheet for the next records, as many as it holds."""
        self._left = left
        self._row = 0
        self._sheets += 1
        name = "Records" if self._sheets == 1 else f"Records {self._sheets}"
        self._sheet = self._sheet_named(name)
        for number, column in enumerate(self._table):
            self._sheet.set_column(number, number, _WIDTHS.get(column.name, _WIDTH))
        self._sheet.freeze_panes(1, 1)
        self._sheet.autofilter(0, 0, min(left, MOST_ROWS), len(self._table) - 1)
        titles = {
            one.name: one.title for one in tables(self._wording.pack.languages)[RECORDS].columns
        }
        titles |= {name: fact.field.title for name, fact in facts().items()}
        for number, column in enumerate(self._table):
            self._sheet.write_string(0, number, column.name, self._heading)
            name = column.name.removesuffix("_label").removesuffix("_lang")
            fact = FACETS[name].stating if name in SINGLE else None
            if title := titles.get(fact or name):
                # Names are of the format, for programs; what they are called is a note on them.
                self._sheet.write_comment(0, number, self._title(title))

    def _sheet_named(self, name: str) -> Any:
        sheet = self._book.add_worksheet(name)
        if direction(self._wording.lang) == "rtl":
            sheet.right_to_left()
        return sheet

    def _list_sheet(self, table: ListTable) -> _ListSheet:
        """Begin the sheet of a list, of which each field has one column."""
        known = table.table
        stated = known.columns[-len(table.parts) :]
        parts: dict[Any, tuple[PackageColumn, TableColumn]] = {}
        for described, part in zip(stated, table.parts, strict=True):
            parts.setdefault(part.field.path, (described, part))
        numbers = known.columns[2 : -len(table.parts)]
        heading = [known.columns[0], *numbers, *(one for one, _ in parts.values())]
        title = _NO_SHEET.sub(" ", self._title(known.title)).strip()
        if len(title) > _LONGEST_TITLE:
            cut = title[: _LONGEST_TITLE - 1]
            title = (cut.rpartition(" ")[0] or cut) + _CUT
        used = {_ABOUT, *(one.get_name().casefold() for one in self._book.worksheets())}
        names = itertools.chain([title], (f"{title} {number}" for number in itertools.count(2)))
        sheet = self._sheet_named(next(one for one in names if one.casefold() not in used))
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, len(heading) - 1, _WIDTH)
        sheet.set_column(0, 0, _WIDTHS["id"])
        sheet.write_string(0, 0, "id", self._heading)
        for number, one in enumerate(heading[1:], 1):
            sheet.write_string(0, number, fitting(self._title(one.title)), self._heading)
        columns = [
            (one, self._wording.labels(one.field.lists) if one.field.holds == "code" else {})
            for _, one in parts.values()
        ]
        begun = _ListSheet(sheet=sheet, table=table, columns=columns)
        self._lists.append(begun)
        return begun

    def _title(self, text: str) -> str:
        return render_title(text, self._wording.lang, self._wording.pack.fallback)

    def write(self, rows: Sequence[ExportRow]) -> None:
        """Write records below those that are there."""
        for row in rows:
            if self._row == MOST_ROWS:
                self._begin(self._left - MOST_ROWS)
            self._row += 1
            if row.origin:
                self._origins[row.origin.code] = row.origin
            for number, column in enumerate(self._table):
                self._put(self._sheet, self._row, number, column.cell(row))
            for table in list_tables(self._wording.pack.languages):
                self._write_list(table, row)

    def _write_list(self, table: ListTable, row: ExportRow) -> None:
        for numbers, item in table.items(row.document):
            begun = [one for one in self._lists if one.table is table and one.written < MOST_ROWS]
            one = begun[0] if begun else self._list_sheet(table)
            one.written += 1
            for number, cell in enumerate((row.id, *numbers, *one.cells(row, item, self._wording))):
                self._put(one.sheet, one.written, number, cell)

    def close(self) -> None:
        """Write what the workbook says of itself, and the file."""
        about = self._about
        for one in self._lists:
            one.sheet.autofilter(0, 0, one.written, len(one.columns) + len(one.table.table.key) - 2)
        self._sheet = self._sheet_named(_ABOUT.title())
        self._sheet.set_column(0, 0, 24)
        self._sheet.set_column(1, 1, 80)
        cells: list[tuple[str, Cell]] = [
            ("query", about.address),
            *([] if about.mended is None else [("mended", about.mended)]),
            ("records", about.records),
            ("register_size", about.size),
            ("last_entry_hash", about.last_hash),
            ("last_entry_at", about.at),
            *([] if about.licence is None else [("licence", about.licence)]),
        ]
        for row, (name, cell) in enumerate(cells):
            self._sheet.write_string(row, 0, name, self._heading)
            self._put(self._sheet, row, 1, cell)
        if self._origins:
            self._write_origins(len(cells) + 1)
        self._book.close()

    def _write_origins(self, top: int) -> None:
        """Write whose the records are that were copied, and on which terms: a table from a row."""
        for number, name in enumerate(_OF_ORIGIN):
            self._sheet.write_string(top, number, name, self._heading)
        for row, (_, origin) in enumerate(sorted(self._origins.items()), start=top + 1):
            for number, name in enumerate(_OF_ORIGIN.values()):
                self._put(self._sheet, row, number, getattr(origin, name))

    def _put(self, sheet: Any, row: int, number: int, cell: Cell) -> None:
        if isinstance(cell, str):
            if cell:
                sheet.write_string(row, number, fitting(cell))
        elif isinstance(cell, bool):
            sheet.write_boolean(row, number, cell)
        elif isinstance(cell, dt.datetime):
            sheet.write_datetime(row, number, cell.astimezone(dt.UTC), self._time)
        elif isinstance(cell, dt.date):
            sheet.write_datetime(row, number, cell, self._day)
        elif cell is not None:
            sheet.write_number(row, number, cell)


def fitting(text: str) -> str:
    """Return a text cut to the limit of a cell, never inside a character."""
    if len(text) * 2 <= LONGEST_CELL:
        return text
    units = text.encode("utf-16-le")
    if len(units) <= LONGEST_CELL * 2:
        return text
    return units[: (LONGEST_CELL - 1) * 2].decode("utf-16-le", "ignore") + _CUT
