"""The rows of a source file, CSV or JSON, unchanged and with their place."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from registry.errors import ImportRefused
from registry.exchange.readers.options import ReadOptions
from registry.record.pointers import parts

MAX_BYTES = 256 * 1024 * 1024
# One cell may hold a long report; Python's own limit (128 KiB) would refuse the whole file.
MAX_CELL = 4 * 1024 * 1024

Cells = dict[str, Any]


class SourceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row; `line` counts from 1: the first line of a CSV row, the place in a JSON list."""

    line: int
    cells: Cells | None


def read_rows(options: ReadOptions, path: Path) -> list[SourceRow]:
    """Return every row of the file. Raises `ImportRefused` for faults of the whole file."""
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= MAX_BYTES else b""
    except OSError as error:
        raise ImportRefused(f"{path}: cannot be read: {error.strerror or error}") from error
    if size > MAX_BYTES:
        raise ImportRefused(f"{path}: {size:,} bytes; a source file may have {MAX_BYTES:,}")
    if not raw.strip():
        raise ImportRefused(f"{path}: the file is empty")
    if options.kind == "json":
        return _json_rows(raw, options.rows, path)
    return _csv_rows(_decode(raw, options.encoding, path), options.delimiter, path)


def columns(rows: list[SourceRow]) -> list[str]:
    """Return every column that occurs, in the order in which they first appear."""
    return list(dict.fromkeys(name for row in rows for name in row.cells or ()))


def _decode(raw: bytes, encoding: str, path: Path) -> str:
    # A byte order mark is not part of the first column's name.
    codec = "utf-8-sig" if encoding == "utf-8" else encoding
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ImportRefused(
            f"{path}: line {line}, byte {error.start}: not {encoding} text "
            f"(byte 0x{raw[error.start]:02x}); save the file as {encoding}, "
            'or name its real encoding in the crosswalk ("read": {"encoding": …})'
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ImportRefused(
            f"{path}: line {line}: a zero byte; this is not a {encoding} text file "
            "(UTF-16, perhaps, or a spreadsheet)"
        )
    return text


def _csv_rows(text: str, delimiter: str, path: Path) -> list[SourceRow]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    before = csv.field_size_limit(MAX_CELL)
    rows: list[SourceRow] = []
    begins = 1
    try:
        names = next(reader)
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ImportRefused(f"{path}: line 1: the column {twice[0]!r} occurs twice")
        begins = reader.line_num + 1
        for cells in reader:
            if cells:  # an empty line at the end of the file is no row
                if len(cells) != len(names):
                    raise ImportRefused(
                        f"{path}: line {begins}: {len(cells)} cells where the header names "
                        f"{len(names)}; a quotation mark or a delimiter is missing or too many"
                    )
                rows.append(SourceRow(line=begins, cells=dict(zip(names, cells, strict=True))))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise ImportRefused(f"{path}: line {begins}: not readable as CSV: {error}") from error
    finally:
        csv.field_size_limit(before)
    if not rows:
        raise ImportRefused(f"{path}: there is a header and no row below it")
    return rows


def _json_rows(raw: bytes, key: str | None, path: Path) -> list[SourceRow]:
    text = _decode(raw, "utf-8", path)
    try:
        document = _JSON.decode(text)
    except json.JSONDecodeError as error:
        raise ImportRefused(
            f"{path}: line {error.lineno}, column {error.colno}: not JSON: {error.msg}"
        ) from error
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ImportRefused(f"{path}: {why}") from error
    found = document if key is None else _under(document, key, path)
    if not isinstance(found, list):
        where = "the file" if key is None else f"the value under {key!r}"
        raise ImportRefused(f"{path}: {where} is not a list of rows")
    if not found:
        raise ImportRefused(f"{path}: the list of rows is empty")
    return [
        SourceRow(line=place, cells=row if isinstance(row, dict) else None)
        for place, row in enumerate(found, start=1)
    ]


def _under(document: Any, place: str, path: Path) -> Any:
    """Return the value at a JSON Pointer, or under a key."""
    found = document
    for name in parts(place) if place.startswith("/") else (place,):
        if not isinstance(found, dict):
            raise ImportRefused(f"{path}: an object with the rows under {place!r} is expected")
        if name not in found:
            there = ", ".join(repr(key) for key in found) or "none"
            raise ImportRefused(f"{path}: no rows under {place!r}; the keys are {there}")
        found = found[name]
    return found


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} occurs twice in one object")
    return members


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


# Not `record.parse`, whose limits are those of one document, not of a register's export.
_JSON = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_no_number)
