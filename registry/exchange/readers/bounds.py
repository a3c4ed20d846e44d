"""Bounds of a source file, so that no file, however made, exhausts the machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from registry.errors import ImportRefused

MAX_BYTES = 256 * 1024 * 1024
# Parsers of HTML build a tree many times the size of the file.
MAX_HTML_BYTES = 32 * 1024 * 1024
# The parts of a workbook, unpacked.
MAX_INFLATED = 1024 * 1024 * 1024
MAX_SHEETS = 1_000
MAX_ROWS = 1_000_000
MAX_COLUMNS = 2_000
MAX_CELLS = 20_000_000
MAX_LETTERS = 1024 * 1024 * 1024
# One cell may hold a long report; Python's own limit of CSV (128 KiB) would refuse the whole file.
MAX_CELL = 4 * 1024 * 1024
MAX_DEPTH = 64
MAX_SECONDS = 600.0
# Of the process that unpacks and parses a workbook.
MAX_MEMORY = 4 * 1024 * 1024 * 1024

STRIDE = 1_000

Progress: TypeAlias = Callable[[int, int | None], None]


class RowCounter:
    """Counts rows as they are read, reports them, and refuses a file beyond the bounds."""

    def __init__(self, path: Path, progress: Progress | None = None) -> None:
        """Begin to count; `progress` is called with the rows so far and, if known, of all."""
        self._path = path
        self._progress = progress
        self._cells = 0
        self._until = time.monotonic() + MAX_SECONDS
        self.rows = 0
        self.total: int | None = None

    def add(self, place: str, cells: int) -> None:
        """Count a row. Raises `ImportRefused` beyond the bounds."""
        self.rows += 1
        self._cells += cells
        if cells > MAX_COLUMNS:
            raise ImportRefused(
                f"{self._path}: {place}: {cells:,} columns; a source file may have {MAX_COLUMNS:,}"
            )
        if self.rows > MAX_ROWS or self._cells > MAX_CELLS:
            raise ImportRefused(
                f"{self._path}: {place}: a source file may have {MAX_ROWS:,} rows and "
                f"{MAX_CELLS:,} cells; divide it"
            )
        if self.rows % STRIDE == 0:
            if time.monotonic() > self._until:
                raise ImportRefused(
                    f"{self._path}: {place}: not read within {MAX_SECONDS:.0f} seconds; divide it"
                )
            self.report()

    def report(self) -> None:
        """Call `progress` with the number of rows that have been read."""
        if self._progress is not None:
            self._progress(self.rows, self.total)
