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
    MAX_MEMORY,
    MAX_ROWS,
    MAX_SECONDS,
    FilledSheet,
    SheetCell,
    SheetProblem,
)

_ANSWER = msgspec.json.Decoder(FilledSheet | SheetProblem | str)
_ZIP = b"PK"
CSV_SHEET = "CSV"
"""The name of the only sheet of a CSV file."""

_SEPARATORS = (",", ";", "\t")


def read_sheets(raw: bytes, name: str = "the workbook") -> list[FilledSheet]:
    """Return the sheets of a workbook, or the one of a CSV file. Raises `UnreadableDocument`.

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
            raise UnreadableDocument(error.detail) from error
        with zipfile.ZipFile(file) as archive:
            there = set(archive.namelist())
        if not there & {"xl/workbook.xml", "content.xml"}:
            raise UnreadableDocument(
                f"{name} is no workbook that can be read; save it as XLSX, ODS or CSV in UTF-8"
            )
        file.seek(0)
        # An own process: the parser is native code that cannot be interrupted.
        ended = subprocess.run(
            [sys.executable, "-P", "-m", "registry.exchange.workbooks.process"],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=MAX_SECONDS * 2,
            check=False,
        )
    sheets: list[FilledSheet] = []
    for line in ended.stdout.splitlines():
        try:
            answer = _ANSWER.decode(line)
        except msgspec.DecodeError:
            break  # the process ended within a line
        if isinstance(answer, SheetProblem):
            raise UnreadableDocument(f"{name}: {answer.problem}")
        if isinstance(answer, str):
            return sheets
        sheets.append(answer)
    raise UnreadableDocument(
        f"{name} could not be read (status {ended.returncode}): it is damaged, or needs more than "
        f"{MAX_MEMORY // 1024**2} MiB or {MAX_SECONDS} seconds; open it, and save it anew"
    )


def _read_csv(raw: bytes, name: str) -> FilledSheet:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableDocument(
            f"{name} is neither a workbook (XLSX, ODS) nor CSV in UTF-8; save it as one of these"
        ) from error
    header = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=header.count)
    before = csv.field_size_limit(MAX_BYTES)
    try:
        rows: list[list[SheetCell]] = []
        cells = 0
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True):
            cells += len(row)
            if len(rows) == MAX_ROWS or len(row) > MAX_COLUMNS or cells > MAX_CELLS:
                raise UnreadableDocument(
                    f"{name} has more than {MAX_ROWS:,} rows, {MAX_COLUMNS:,} columns or "
                    f"{MAX_CELLS:,} cells; divide it"
                )
            rows.append([*row])
    except csv.Error as error:
        raise UnreadableDocument(f"{name}: this is not CSV: {error}") from error
    finally:
        csv.field_size_limit(before)
    return FilledSheet(name=CSV_SHEET, rows=rows)
