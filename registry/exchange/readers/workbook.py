"""Workbooks: Excel's (xlsx, xls) and OpenDocument's (ods)."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import IO

import msgspec

from registry.errors import ImportRefused
from registry.exchange.readers.bounds import (
    MAX_CELL,
    MAX_INFLATED,
    MAX_MEMORY,
    MAX_PARTS,
    MAX_RATIO,
    MAX_SECONDS,
    RowCounter,
)
from registry.exchange.readers.options import ReadOptions
from registry.exchange.readers.sheet_answers import SheetFacts, SheetRequest, SheetRow
from registry.exchange.readers.source import SourceFile
from registry.exchange.readers.table import SourceTable, SourceTableRow, header_numbers, read_table

# A part below this may be packed as well as it likes.
_SMALL = 16 * 1024 * 1024


def read_workbook(raw: bytes, options: ReadOptions, path: Path, counter: RowCounter) -> SourceFile:
    """Return the rows of one sheet. Raises `ImportRefused` for faults of the whole file.

    Nothing in the file is run or fetched: formulas have the values that were saved with them.
    """
    with tempfile.TemporaryFile() as file:
        file.write(raw)
        file.flush()
        file.seek(0)
        if options.kind != "xls":
            check_parts(file, path, parts=MAX_PARTS, inflated=MAX_INFLATED, ratio=MAX_RATIO)
        request = SheetRequest(sheet=options.sheet, header_rows=header_numbers(options))
        facts, rows = _asked(file, request, path, counter)
    notes = []
    if facts.hidden_before:
        hidden = ", ".join(map(repr, facts.hidden_before))
        notes.append(f"read is the sheet {facts.sheet!r}; hidden before it: {hidden}")
    if facts.errors:
        more = ", …" if facts.errors > len(facts.errors_at) else ""
        notes.append(
            f"{facts.errors:,} cells with the error of a formula are read as empty: "
            f"{', '.join(facts.errors_at)}{more}"
        )
    table = SourceTable(
        path=path,
        rows=rows,
        fill_heads=not facts.merges_known,
        sheet=facts.sheet,
        notes=tuple(notes),
    )
    return read_table(table, options)


def check_parts(file: IO[bytes], path: PurePath, *, parts: int, inflated: int, ratio: int) -> None:
    """Raise `ImportRefused` if the parts of a workbook are too many, or too large unpacked."""
    try:
        with zipfile.ZipFile(file) as archive:
            found = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise ImportRefused(f"{path}: the workbook is damaged: {error}") from error
    finally:
        file.seek(0)
    size = sum(part.file_size for part in found)
    if len(found) > parts or size > inflated:
        raise ImportRefused(
            f"{path}: {len(found):,} parts with {size:,} bytes unpacked; a workbook may have "
            f"{parts:,} and {inflated:,}"
        )
    for part in found:
        if part.file_size > max(_SMALL, ratio * part.compress_size):
            raise ImportRefused(
                f"{path}: {part.filename}: {part.file_size:,} bytes packed into "
                f"{part.compress_size:,}; a part may be {ratio} times as large unpacked"
            )


def _asked(
    file: IO[bytes], request: SheetRequest, path: Path, counter: RowCounter
) -> tuple[SheetFacts, list[SourceTableRow]]:
    """Return what a process of its own reads from the workbook."""
    command = [sys.executable, "-P", "-m", "registry.exchange.readers.workbook_process"]
    process = subprocess.Popen(  # noqa: S603 — our own command
        [*command, msgspec.json.encode(request).decode()],
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    if process.stdout is None:
        raise RuntimeError("a pipe was asked for")
    try:
        with process.stdout as answers:
            first = answers.readline()
            facts = msgspec.json.decode(first, type=SheetFacts) if first else SheetFacts()
            counter.total = facts.height
            rows = list(_rows(answers, facts.sheet, path, counter)) if facts.sheet else []
    finally:
        process.kill()  # it has ended, unless this was interrupted
        status = process.wait()
    if facts.problem:
        raise ImportRefused(f"{path}: {facts.problem}")
    if not facts.sheet or len(rows) != facts.height:
        raise ImportRefused(
            f"{path}: the workbook could not be read (status {status}): it is damaged, or needs "
            f"more than {MAX_MEMORY // 1024**3} GiB or {MAX_SECONDS:.0f} seconds; open it, copy "
            "the cells with data to a new one, and save that"
        )
    return facts, rows


def _rows(
    answers: IO[bytes], sheet: str, path: Path, counter: RowCounter
) -> Iterator[SourceTableRow]:
    decoder = msgspec.json.Decoder(SheetRow)
    for number, answer in enumerate(answers, start=1):
        place = f"sheet {sheet!r}, row {number}"
        try:
            cells = decoder.decode(answer).cells
        except msgspec.DecodeError:
            return  # the process ended within a row, which is told by the number of rows
        counter.add(place, len(cells))
        longest = max((len(cell) for cell in cells if isinstance(cell, str)), default=0)
        if longest > MAX_CELL:
            raise ImportRefused(
                f"{path}: {place}: a cell of {longest:,} characters; a cell may have {MAX_CELL:,}"
            )
        yield SourceTableRow(number=number, line=number, place=place, cells=cells)
