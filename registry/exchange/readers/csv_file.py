"""CSV files."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from registry.errors import ImportRefused
from registry.exchange.readers.bounds import MAX_CELL, RowCounter
from registry.exchange.readers.options import ReadOptions
from registry.exchange.readers.source import SourceFile
from registry.exchange.readers.table import SourceTable, SourceTableRow, read_table
from registry.exchange.readers.text import codec_of, decode

_LONGEST_CODE = 60
"""Characters."""


def read_csv(raw: bytes, options: ReadOptions, path: Path, counter: RowCounter) -> SourceFile:
    """Return the rows. Raises `ImportRefused` for faults of the whole file."""
    decode(raw, options.encoding, path)
    before = csv.field_size_limit(MAX_CELL)
    try:
        rows = list(_rows(raw, options, path, counter))
    finally:
        csv.field_size_limit(before)
    return read_table(SourceTable(path=path, rows=rows, fill_heads=True, even=True), options)


def _rows(
    raw: bytes, options: ReadOptions, path: Path, counter: RowCounter
) -> Iterator[SourceTableRow]:
    begins = 1
    try:
        # Decoded in pieces: a text of all takes up to four bytes a letter.
        text = io.TextIOWrapper(io.BytesIO(raw), codec_of(options.encoding), newline="")
        reader = csv.reader(text, delimiter=options.delimiter, strict=True)
        for number, read in enumerate(reader, start=1):
            # Codes and answers, which most cells hold, are kept once for all rows.
            cells = [sys.intern(cell) if len(cell) <= _LONGEST_CODE else cell for cell in read]
            place = f"line {begins}"
            counter.add(place, len(cells))
            yield SourceTableRow(number=number, line=begins, place=place, cells=cells)
            begins = reader.line_num + 1
    except csv.Error as error:
        raise ImportRefused(f"{path}: line {begins}: not readable as CSV: {error}") from error
    except (TypeError, ValueError) as error:  # a quotation mark or a line's end as delimiter
        raise ImportRefused(
            f'{path}: "read": {{"delimiter": {options.delimiter!r}}}: {error}'
        ) from error
