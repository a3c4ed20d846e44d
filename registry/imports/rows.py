"""The rows of a source file, unchanged and with their place, whatever its kind."""

from __future__ import annotations

import codecs
import hashlib
import io
import json
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import msgspec

from registry.errors import ImportRefused
from registry.imports.source import (
    MAX_BYTES,
    FileKind,
    Progress,
    ReadOptions,
    RowCounter,
    SourceFile,
)
from registry.imports.text_files import read_csv, read_html, read_json, read_json_lines
from registry.imports.workbook import read_workbook

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
