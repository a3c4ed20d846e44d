"""Files that were filled in: workbooks (XLSX, ODS) and tables (CSV), as sheets of values."""

from __future__ import annotations

import csv
import io
import tempfile

import msgspec

from registry.errors import PayloadTooLarge, UnreadableDocument
from registry.record.messages import Message, message, render
from registry.text.catalogues import SOURCE
from registry.workbooks.sheets import (
    TOO_MUCH,
    SheetBounds,
    SheetCell,
    SheetHead,
    SheetRequest,
    WorkbookProblem,
    check_parts,
    read_answers,
)

MAX_BYTES = 16 * 1024 * 1024
BOUNDS = SheetBounds(
    inflated=128 * 1024 * 1024,
    sheets=500,
    rows=20_000,
    columns=1_000,
    cells=2_000_000,
    letters=64 * 1024 * 1024,
    memory=1024 * 1024 * 1024,
    seconds=60,
)

_ZIP = b"PK"
CSV_SHEET = "CSV"
"""The name of the only sheet of a CSV file."""

_SEPARATORS = (",", ";", "\t")


class FilledSheet(msgspec.Struct, frozen=True, kw_only=True):
    """A sheet: its rows from the first, and the cells, as (row, column), that are no values.

    `formulas` are cells with a formula, whatever was saved as its result, `merged` the first ones
    of those that were made one, of which only the first has a value.
    """

    name: str
    rows: list[list[SheetCell]]
    formulas: list[tuple[int, int]] = []
    merged: list[tuple[int, int]] = []


class UnreadableWorkbook(UnreadableDocument):
    """A file cannot be read as a workbook; `saying` can be rendered in any language."""

    def __init__(self, name: str, saying: Message, *order: str) -> None:
        """Take the name of the file, the sentence, and the languages in which it is wanted."""
        super().__init__(f"{name}: {render(saying, order[0] if order else SOURCE, order)}")
        self.name = name
        self.saying = saying


_NO_WORKBOOK = message(
    "This is neither a workbook (XLSX, ODS) nor CSV in UTF-8. Save it as one of these."
)
_OLD_OR_LOCKED = message(
    "The file has a password, or is one of an old program (XLS). Save it as a workbook (XLSX or "
    "ODS) without a password."
)
_WEB_PAGE = message(
    "The file is a web page, whatever its name says. Open it in your spreadsheet program and save "
    "it as a workbook (XLSX or ODS)."
)
_OTHERS = (
    (b"\xd0\xcf\x11\xe0", _OLD_OR_LOCKED),
    *((mark, _WEB_PAGE) for mark in (b"<!doctype html", b"<html", b"<table")),
)
"""How files begin that people take for workbooks, in small letters, and what to do with them."""


def too_large(size: int) -> Message:
    """Return the sentence for a workbook of so many bytes, which are too many."""
    return message(
        "The file has {size} MB, and at most {most} MB are read. Divide it, or delete pictures.",
        size=-(-size // 2**20),
        most=MAX_BYTES // 2**20,
    )


def read_sheets(raw: bytes, name: str = "the workbook") -> list[FilledSheet]:
    """Return the sheets of a workbook, or the one of a CSV file. Raises `UnreadableWorkbook`.

    Nothing in the file is run, fetched or calculated.
    """
    if len(raw) > MAX_BYTES:
        raise PayloadTooLarge(f"{name}: {render(too_large(len(raw)), SOURCE, ())}")
    begin = raw[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if found := [saying for mark, saying in _OTHERS if begin.startswith(mark)]:
        raise UnreadableWorkbook(name, found[0])
    if not raw.startswith(_ZIP):
        return [_read_csv(raw, name)]
    try:
        with tempfile.TemporaryFile() as file:
            file.write(raw)
            file.flush()
            file.seek(0)
            if not check_parts(file, BOUNDS) & {"xl/workbook.xml", "content.xml"}:
                raise UnreadableWorkbook(name, _NO_WORKBOOK)
            sheets: list[FilledSheet] = []
            with read_answers(file, SheetRequest(bounds=BOUNDS, every=True)) as answers:
                for answer in answers:
                    if isinstance(answer, SheetHead):
                        sheets.append(
                            FilledSheet(
                                name=answer.name,
                                rows=[],
                                formulas=answer.formulas,
                                merged=[first for first, _ in answer.merges or ()],
                            )
                        )
                    else:
                        sheets[-1].rows.append(answer)
            return sheets
    except WorkbookProblem as error:
        raise UnreadableWorkbook(name, error.message) from error


def _read_csv(raw: bytes, name: str) -> FilledSheet:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableWorkbook(name, _NO_WORKBOOK) from error
    header = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=header.count)
    before = csv.field_size_limit(MAX_BYTES)
    try:
        rows: list[list[SheetCell]] = []
        cells = 0
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True):
            cells += len(row)
            if len(rows) == BOUNDS.rows or len(row) > BOUNDS.columns or cells > BOUNDS.cells:
                raise UnreadableWorkbook(name, message(TOO_MUCH))
            rows.append([*row])
    except csv.Error as error:
        raise UnreadableWorkbook(
            name, message("This is not CSV: {why}.", why=str(error))
        ) from error
    finally:
        csv.field_size_limit(before)
    return FilledSheet(name=CSV_SHEET, rows=rows)
