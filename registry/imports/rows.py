"""The rows of a source file, unchanged and with their place, whatever its kind."""

from __future__ import annotations

import codecs
import hashlib
import io
import json
import lzma
import re
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias, cast

import msgspec

from registry.errors import ImportRefused
from registry.imports.source import (
    MAX_BYTES,
    MAX_CELL,
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_INFLATED,
    MAX_LETTERS,
    MAX_MEMORY,
    MAX_ROWS,
    MAX_SECONDS,
    MAX_SHEETS,
    FileKind,
    Progress,
    ReadOptions,
    RowCounter,
    SourceFile,
)
from registry.imports.table import SourceTable, SourceTableRow, header_numbers, read_table
from registry.imports.text_files import (
    in_its_encoding,
    read_csv,
    read_html,
    read_json,
    read_json_lines,
)
from registry.record.messages import render
from registry.text.catalogues import SOURCE
from registry.workbooks.sheets import (
    ERRORS,
    SheetBounds,
    SheetCell,
    SheetHead,
    SheetRange,
    SheetRequest,
    WorkbookProblem,
    cell_name,
    check_parts,
    read_answers,
)

_BEGINNING = 64 * 1024
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_JSON = re.compile(rb'\{\s*["}]|\[\s*[\[{\]"]')
_JSON_LINE = re.compile(rb"^\s*[\[{]", re.MULTILINE)
_WORKBOOKS = frozenset({"xlsx", "xls", "ods"})
# What `zipfile` raises for archives that are none, or packed in a way that it does not know.
_DAMAGED = (zipfile.BadZipFile, OSError, ValueError, RuntimeError, EOFError, zlib.error,
            lzma.LZMAError)  # fmt: skip
_TEXTS = frozenset({"csv", "json", "jsonl", "html"})

BOUNDS = SheetBounds(
    inflated=MAX_INFLATED,
    sheets=MAX_SHEETS,
    rows=MAX_ROWS,
    columns=MAX_COLUMNS,
    cells=MAX_CELLS,
    letters=MAX_LETTERS,
    memory=MAX_MEMORY,
    seconds=int(MAX_SECONDS),
)

_NAMED = 5


class Recognised(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of file in words; `kind` is None where rows cannot be read from it."""

    kind: FileKind | None
    words: str
    advice: str = ""


def mismatch(raw: bytes, options: ReadOptions) -> str | None:
    """Return what the file is and what to write, if it is of another kind than the crosswalk says.

    What cannot be recognised for certain is left to the reader.
    """
    if raw.startswith(_UTF_16) and options.kind in _TEXTS:
        if options.encoding.replace("_", "-").startswith("utf-16"):
            return None
        return 'this is UTF-16 text; say "read": {"encoding": "utf-16"}'
    found = recognise(raw, options.kind)
    if found is None or found.kind == options.kind:
        return None
    if found.kind is None:
        return f"this is {found.words}; {found.advice}"
    return f'this is {found.words}; say "read": "{found.kind}"'


def recognise(raw: bytes, said: FileKind) -> Recognised | None:
    """Return the kind of a file that is said to be of another; None if that cannot be told."""
    if raw.startswith(_ZIP):
        return _archive(raw)
    if raw.startswith(_OLD_OFFICE) and "EncryptedPackage".encode("utf-16-le") in raw:
        return _other("a workbook with a password", "save it without")
    beginning = raw[:_BEGINNING].removeprefix(b"\xef\xbb\xbf").lstrip()
    for begins, found in _SIGNATURES:
        if begins.match(beginning):
            return found
    if _JSON.match(beginning):
        return _json(raw, said)
    text = b"\0" not in beginning and (
        said in _WORKBOOKS
        or (said == "html" and b"<" not in beginning)
        or (said == "json" and beginning[:1] not in b"[{")
        or (said == "jsonl" and not _JSON_LINE.search(beginning))
    )
    if text:
        return Recognised(kind="csv", words="text, perhaps CSV")
    return None


def _other(words: str, advice: str) -> Recognised:
    return Recognised(kind=None, words=words, advice=advice)


_SIGNATURES = (
    (
        re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
        Recognised(kind="xls", words="an old Excel workbook"),
    ),
    (re.compile(rb"%PDF-"), _other("a PDF", "ask the source for the table as CSV or a workbook")),
    (re.compile(rb"\x1f\x8b"), _other("a file packed with gzip", "unpack it first")),
    (
        re.compile(
            rb"(?:<\?xml[^>]*>|<!--(?>.*?-->)|\s)*+<(?:!doctype\s+html|html|head|body|table)\b",
            re.IGNORECASE | re.DOTALL,
        ),
        Recognised(kind="html", words="an HTML page"),
    ),
    (re.compile(rb"<\?xml"), _other("XML", "save it as a workbook, CSV or JSON")),
)


def _archive(raw: bytes) -> Recognised:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = archive.namelist()
            opendocument = ""
            if "mimetype" in names:
                with archive.open("mimetype") as part:
                    opendocument = part.read(200).decode("ascii", "replace")
    except _DAMAGED:
        return _other("a damaged zip archive", "fetch it again")
    if any(name.startswith("xl/") for name in names):
        return Recognised(kind="xlsx", words="an Excel workbook")
    if opendocument.startswith("application/vnd.oasis.opendocument.spreadsheet"):
        return Recognised(kind="ods", words="an OpenDocument spreadsheet")
    if opendocument or any(name.startswith(("word/", "ppt/")) for name in names):
        return _other(
            "a text document or a presentation", "ask the source for the table as CSV or a workbook"
        )
    first = f", whose first file is {names[0]!r}" if names else ""
    return _other(f"a zip archive{first}", "unpack it first")


def _json(raw: bytes, said: FileKind) -> Recognised | None:
    """Return whether JSON is one value or a line for each row; None if either could be said."""
    lines = raw.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)
    first = lines[0].strip()
    rest = lines[1].lstrip() if len(lines) > 1 else b""
    try:
        alone = isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        alone = False
    if alone and not rest and said in {"json", "jsonl"}:
        return None  # one object in one line: the list of rows may be in it, or it is a row
    if alone and (rest.startswith(b"{") or said == "jsonl"):
        return Recognised(kind="jsonl", words="JSON Lines")
    return Recognised(kind="json", words="JSON")


def read_source(options: ReadOptions, path: Path, progress: Progress | None = None) -> SourceFile:
    """Return every row of the file. Raises `ImportRefused` for faults of the whole file.

    `progress` is called with the number of rows so far, and of all if that is known.
    """
    raw = _content(path)
    if not raw.removeprefix(codecs.BOM_UTF8).strip():
        raise ImportRefused(f"{path}: the file is empty")
    options = in_its_encoding(raw, options)
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


def read_workbook(raw: bytes, options: ReadOptions, path: Path, counter: RowCounter) -> SourceFile:
    """Return the rows of one sheet. Raises `ImportRefused` for faults of the whole file."""
    request = SheetRequest(bounds=BOUNDS, sheet=options.sheet)
    try:
        with tempfile.TemporaryFile() as file:
            file.write(raw)
            file.flush()
            file.seek(0)
            if options.kind != "xls":
                check_parts(file, BOUNDS)
            with read_answers(file, request) as answers:
                head = cast("SheetHead", next(answers))
                counter.total = head.height
                merged = _Merged(head.merges or [], set(header_numbers(options)))
                rows = list(_rows(answers, head.name, merged, path, counter))
    except WorkbookProblem as error:
        raise ImportRefused(f"{path}: {render(error.message, SOURCE, ())}") from error
    notes = []
    if head.hidden_before:
        hidden = ", ".join(map(repr, head.hidden_before))
        notes.append(f"read is the sheet {head.name!r}; hidden before it: {hidden}")
    if head.errors:
        cells = ", ".join(cell_name(*at) for at in head.errors[:_NAMED])
        more = ", …" if len(head.errors) > _NAMED else ""
        notes.append(
            f"{len(head.errors):,} cells with the error of a formula are read as empty: "
            f"{cells}{more}"
        )
    table = SourceTable(
        path=path,
        rows=rows,
        fill_heads=head.merges is None,
        sheet=head.name,
        notes=tuple(notes),
    )
    return read_table(table, options)


class _Merged:
    """Merged cells, filled row by row: to the right in a header, else downwards only."""

    def __init__(self, merges: list[SheetRange], heads: set[int]) -> None:
        """Take the ranges, and the numbers of the rows that name the columns, from 1."""
        self._begin: dict[int, list[SheetRange]] = {}
        for merge in merges:
            self._begin.setdefault(merge[0][0], []).append(merge)
        self._heads = heads
        self._current: list[tuple[SheetRange, SheetCell]] = []

    def fill(self, at: int, row: list[SheetCell]) -> None:
        """Fill the cells of the next row, `at` from 0."""
        heads = self._heads
        self._current = [(merge, value) for merge, value in self._current if merge[1][0] >= at]
        self._current += [
            (merge, row[merge[0][1]]) for merge in self._begin.get(at, ()) if merge[0][1] < len(row)
        ]
        for ((top, left), (_, right)), value in self._current:
            if at + 1 in heads and top == at:
                row[left : right + 1] = [value] * (min(right + 1, len(row)) - left)
            elif at + 1 not in heads and top + 1 not in heads:
                row[left] = value


def _rows(
    answers: Iterator[SheetHead | list[SheetCell]],
    sheet: str,
    merged: _Merged,
    path: Path,
    counter: RowCounter,
) -> Iterator[SourceTableRow]:
    for number, row in enumerate(answers, start=1):
        if isinstance(row, SheetHead):
            return  # of another sheet, which nobody asked for
        place = f"sheet {sheet!r}, row {number}"
        counter.add(place, len(row))
        merged.fill(number - 1, row)
        cells = [_text(cell) for cell in row]
        longest = max((len(cell) for cell in cells if isinstance(cell, str)), default=0)
        if longest > MAX_CELL:
            raise ImportRefused(
                f"{path}: {place}: a cell of {longest:,} characters; a cell may have {MAX_CELL:,}"
            )
        yield SourceTableRow(number=number, line=number, place=place, cells=cells)


def _text(cell: SheetCell) -> str | bool:
    """Return a cell as people see it; a spreadsheet keeps 15 digits."""
    if isinstance(cell, str):
        return "" if cell in ERRORS else cell
    if isinstance(cell, bool):
        return cell
    return format(cell, ".15g") if isinstance(cell, float) else str(cell)


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
