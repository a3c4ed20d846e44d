"""The rows of a source file, unchanged and with their place, whatever its kind."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import msgspec

from registry.errors import ImportRefused
from registry.exchange.readers.bounds import MAX_BYTES, Progress, RowCounter
from registry.exchange.readers.csv_file import read_csv
from registry.exchange.readers.html_table import read_html
from registry.exchange.readers.json_file import read_json, read_json_lines
from registry.exchange.readers.options import FileKind, ReadOptions
from registry.exchange.readers.recognise import mismatch
from registry.exchange.readers.source import SourceFile
from registry.exchange.readers.workbook import read_workbook

_Reader: TypeAlias = Callable[[bytes, ReadOptions, Path, RowCounter], SourceFile]

_READERS: dict[FileKind, _Reader] = {
    "csv": read_csv,
    "xlsx": read_workbook,
    "xls": read_workbook,
    "ods": read_workbook,
    "json": read_json,
    "jsonl": read_json_lines,
    "html": read_html,
}


def read_source(options: ReadOptions, path: Path, progress: Progress | None = None) -> SourceFile:
    """Return every row of the file. Raises `ImportRefused` for faults of the whole file.

    `progress` is called with the number of rows so far, and of all if that is known.
    """
    raw = _content(path)
    if not raw.removeprefix(codecs.BOM_UTF8).strip():
        raise ImportRefused(f"{path}: the file is empty")
    other = mismatch(raw, options)
    if other is not None:
        raise ImportRefused(f"{path}: {other}")
    counter = RowCounter(path, progress)
    source = _READERS[options.kind](raw, options, path, counter)
    counter.report()
    return msgspec.structs.replace(source, sha256=hashlib.sha256(raw).hexdigest())


def _content(path: Path) -> bytes:
    """Return the bytes of a file or a pipe, within the bounds."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ImportRefused(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(raw) > MAX_BYTES:
        raise ImportRefused(f"{path}: a source file may have {MAX_BYTES:,} bytes; divide it")
    return raw
