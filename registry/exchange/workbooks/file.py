"""Files that were filled in: workbooks (XLSX, ODS) and tables (CSV), as sheets of values."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import PurePath

import msgspec

from registry.errors import ImportRefused, PayloadTooLarge, UnreadableDocument
from registry.exchange.readers.bounds import MAX_PARTS, MAX_RATIO
from registry.exchange.readers.workbook import check_parts
from registry.exchange.workbooks.sheets import (
    MAX_BYTES,
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_INFLATED,
    MAX_ROWS,
    MAX_SECONDS,
    MAX_SHEETS,
    FilledSheet,
    SheetCell,
    SheetProblem,
)
from registry.record.messages import Message, message, render
from registry.text.catalogues import SOURCE

_ANSWER = msgspec.json.Decoder(FilledSheet | SheetProblem | str)
_ZIP = b"PK"
CSV_SHEET = "CSV"
"""The name of the only sheet of a CSV file."""

_SEPARATORS = (",", ";", "\t")


class UnreadableWorkbook(UnreadableDocument):
    """A file cannot be read as a workbook; `saying` can be rendered in any language."""

    def __init__(self, name: str, saying: Message) -> None:
        """Take the name of the file, and the sentence."""
        super().__init__(f"{name}: {render(saying, SOURCE, ())}")
        self.saying = saying


_NO_WORKBOOK = message(
    "This is neither a workbook (XLSX, ODS) nor CSV in UTF-8. Save it as one of these."
)
_DAMAGED = message("The workbook is damaged. Open it, and save it anew.")
_TOO_MUCH = message(
    "The workbook unpacks to more than is read. Copy the cells with data to a new one, and save "
    "that."
)
_BEYOND = message(
    "The workbook could not be read: it is damaged, or takes more memory or time than there is. "
    "Copy the cells with data to a new one, and save that."
)


def read_sheets(raw: bytes, name: str = "the workbook") -> list[FilledSheet]:
    """Return the sheets of a workbook, or the one of a CSV file. Raises `UnreadableWorkbook`.

    Nothing in the file is run, fetched or calculated.
    """
    if len(raw) > MAX_BYTES:
        raise PayloadTooLarge(f"{name} has {len(raw):,} bytes; at most {MAX_BYTES:,} are read")
    if not raw.startswith(_ZIP):
        return [_read_csv(raw, name)]
    with tempfile.TemporaryFile() as file:
        file.write(raw)
        file.flush()
        file.seek(0)
        try:
            check_parts(
                file, PurePath(name), parts=MAX_PARTS, inflated=MAX_INFLATED, ratio=MAX_RATIO
            )
        except ImportRefused as error:
            said = _DAMAGED if isinstance(error.__cause__, Exception) else _TOO_MUCH
            raise UnreadableWorkbook(name, said) from error
        with zipfile.ZipFile(file) as archive:
            there = set(archive.namelist())
        if not there & {"xl/workbook.xml", "content.xml"}:
            raise UnreadableWorkbook(name, _NO_WORKBOOK)
        file.seek(0)
        # An own process: the parser is native code that cannot be interrupted.
        try:
            ended = subprocess.run(
                [sys.executable, "-P", "-m", "registry.exchange.workbooks.process"],
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=MAX_SECONDS * 2,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise UnreadableWorkbook(name, _BEYOND) from error
    sheets: list[FilledSheet] = []
    for line in ended.stdout.splitlines():
        try:
            answer = _ANSWER.decode(line)
        except msgspec.DecodeError:
            break  # the process ended within a line
        if isinstance(answer, SheetProblem):
            raise UnreadableWorkbook(name, _said(answer))
        if isinstance(answer, str):
            return sheets
        sheets.append(answer)
    raise UnreadableWorkbook(name, _BEYOND)


def _said(problem: SheetProblem) -> Message:
    match problem.kind:
        case "password":
            return message("The workbook has a password. Save it without one.")
        case "damaged":
            return _DAMAGED
        case "sheets":
            return message(
                "The workbook has {number} sheets, and at most {most} are read.",
                number=problem.number,
                most=MAX_SHEETS,
            )
        case "sheet":
            return message(
                "The sheet {sheet} has {rows} rows and {columns} columns, empty ones included; at "
                "most {most_rows} and {most_columns} are read, and not that many cells together. "
                "Delete the empty ones.",
                sheet=problem.sheet,
                rows=problem.number,
                columns=problem.columns,
                most_rows=MAX_ROWS,
                most_columns=MAX_COLUMNS,
            )
        case "letters":
            return _TOO_MUCH


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
            if len(rows) == MAX_ROWS or len(row) > MAX_COLUMNS or cells > MAX_CELLS:
                raise UnreadableWorkbook(name, _TOO_MUCH)
            rows.append([*row])
    except csv.Error as error:
        raise UnreadableWorkbook(
            name, message("This is not CSV: {why}.", why=str(error))
        ) from error
    finally:
        csv.field_size_limit(before)
    return FilledSheet(name=CSV_SHEET, rows=rows)
