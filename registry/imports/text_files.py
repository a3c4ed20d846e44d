"""CSV, JSON, JSON Lines and tables of HTML pages."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import msgspec
from lxml import etree, html

from registry.errors import ImportRefused
from registry.imports.source import (
    MAX_CELL,
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_DEPTH,
    MAX_HTML_BYTES,
    ReadOptions,
    RowCounter,
    SourceFile,
    SourceRow,
)
from registry.imports.table import SourceTable, SourceTableRow, TableCell, read_table
from registry.record.pointers import parts, pointer

# Ways to write a domain name or a string of a program.
_NO_FILE = frozenset({"punycode", "idna", "undefined", "unicode-escape", "raw-unicode-escape"})
# Encodings in which every byte is a letter; no text in one happens to be UTF-8 beyond ASCII.
_ONE_BYTE = ("cp125", "iso8859", "mac")


def decode(raw: bytes, encoding: str, path: Path) -> str:
    """Return the text. Raises `ImportRefused` with the place of what is no such text."""
    codec = codec_of(encoding)
    try:
        text = raw.decode("unknown" if codecs.lookup(codec).name in _NO_FILE else codec)
    except LookupError as error:
        raise ImportRefused(
            f'{path}: no encoding is named {encoding!r}; name one in "read": {{"encoding": …}}, '
            "such as utf-8, cp1252 or utf-16"
        ) from error
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ImportRefused(
            f"{path}: line {line}, byte {error.start}: not {encoding} text "
            f"(byte 0x{raw[error.start]:02x}); save the file as {encoding}, "
            f'or name its real encoding in the crosswalk ("read": {{"encoding": {_likely(raw)}}})'
        ) from error
    except UnicodeError as error:
        raise ImportRefused(f"{path}: not {encoding} text: {error}") from error
    if codecs.lookup(codec).name.startswith(_ONE_BYTE) and _is_utf_8(raw):
        raise ImportRefused(
            f'{path}: this is UTF-8 text and not {encoding}; say "read": {{"encoding": "utf-8"}}'
        )
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ImportRefused(
            f"{path}: line {line}: a zero byte; this is not a {encoding} text file. If it is "
            'UTF-16, say "read": {"encoding": "utf-16-le"}'
        )
    return text


def in_its_encoding(raw: bytes, options: ReadOptions) -> ReadOptions:
    """Return the options with the first of their encodings that a file is in, else as they are."""
    for encoding in (options.encoding, *options.other_encodings) if options.other_encodings else ():
        try:
            decode(raw, encoding, Path())
        except ImportRefused:
            continue
        return msgspec.structs.replace(options, encoding=encoding)
    return options


def codec_of(encoding: str) -> str:
    """Return the codec of an encoding; a byte order mark is not part of the first column's name."""
    return "utf-8-sig" if encoding in {"utf-8", "utf8"} else encoding


def _is_utf_8(raw: bytes) -> bool:
    """Return whether there are bytes beyond ASCII, and all of them form letters of UTF-8."""
    if raw.isascii():
        return False
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _likely(raw: bytes) -> str:
    if _is_utf_8(raw):
        return '"utf-8"'
    try:
        raw.decode("cp1252")
    except UnicodeDecodeError:
        return "…"
    return '"cp1252"'


_LONGEST_CODE = 60
"""Characters."""


def read_csv(raw: bytes, options: ReadOptions, path: Path, counter: RowCounter) -> SourceFile:
    """Return the rows. Raises `ImportRefused` for faults of the whole file."""
    decode(raw, options.encoding, path)
    before = csv.field_size_limit(MAX_CELL)
    try:
        rows = list(_csv_rows(raw, options, path, counter))
    finally:
        csv.field_size_limit(before)
    return read_table(SourceTable(path=path, rows=rows, fill_heads=True, even=True), options)


def _csv_rows(
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


_LOOKED_AT = 20
_NAMED_MEMBERS = 12


def read_json(raw: bytes, options: ReadOptions, path: Path, counter: RowCounter) -> SourceFile:
    """Return the rows of the list in the file. Raises `ImportRefused` for any fault of the file."""
    text = decode(raw, options.encoding, path)
    # Each takes many times its bytes when it is read; those within texts are counted too.
    brackets = text.count("{") + text.count("[")
    if brackets > MAX_CELLS:
        raise ImportRefused(
            f"{path}: {brackets:,} objects and lists; a source file may have {MAX_CELLS:,}; "
            "divide it"
        )
    try:
        document = STRICT_JSON.decode(text)
    except json.JSONDecodeError as error:
        raise ImportRefused(
            f"{path}: line {error.lineno}, column {error.colno}: not JSON: {error.msg}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ImportRefused(f"{path}: {_why(error)}") from error
    found = document if options.rows is None else _under(document, options.rows, path)
    if not isinstance(found, list):
        where = "the file" if options.rows is None else f"the value under {options.rows!r}"
        lists = ", ".join(f'"rows": "{place}"' for place in _lists(found, options.rows or ""))
        hint = f"; lists there are: {lists}" if lists else ""
        if isinstance(found, dict) and not lists:
            members = ", ".join(list(found)[:_NAMED_MEMBERS])
            hint = (
                f" but an object with {members or 'no members'}; put its rows into a list, [{{…}}]"
            )
        raise ImportRefused(f"{path}: {where} is not a list of rows{hint}")
    if not found:
        raise ImportRefused(f"{path}: the list of rows is empty")
    counter.total = len(found)
    rows = []
    for number, row in enumerate(found, start=1):
        place = f"item {number}"
        counter.add(place, len(row) if isinstance(row, dict) else 1)
        rows.append(_row(row, number, place))
    return SourceFile(rows=rows)


def read_json_lines(
    raw: bytes, options: ReadOptions, path: Path, counter: RowCounter
) -> SourceFile:
    """Return a row for each line that is not blank; one that is no JSON is a row with a fault."""
    text = decode(raw, options.encoding, path)
    rows = []
    # Not `splitlines`: a line separator of Unicode may stand within a text of JSON.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        row = _row_of_line(line.strip(), number)
        counter.add(row.place, len(row.cells or ()))
        rows.append(row)
    if not rows:
        raise ImportRefused(f"{path}: there is no line that is not blank")
    if all(row.cells is None for row in rows):
        raise ImportRefused(
            f"{path}: no line is an object of JSON; {rows[0].place}: {rows[0].fault}"
        )
    return SourceFile(rows=rows)


def _row_of_line(line: str, number: int) -> SourceRow:
    place = f"line {number}"
    try:
        return _row(STRICT_JSON.decode(line), number, place)
    except json.JSONDecodeError as error:
        fault = f"column {error.colno}: not JSON: {error.msg}"
    except (ValueError, RecursionError) as error:
        fault = _why(error)
    return SourceRow(line=number, place=place, cells=None, fault=fault)


def _row(value: Any, number: int, place: str) -> SourceRow:
    if not isinstance(value, dict):
        return SourceRow(line=number, place=place, cells=None)
    if _depth(value) > MAX_DEPTH:
        fault = f"nested too deeply; a row may have {MAX_DEPTH} levels"
        return SourceRow(line=number, place=place, cells=None, fault=fault)
    for name, cell in value.items():
        if isinstance(cell, str) and len(cell) > MAX_CELL:
            fault = f"{name}: {len(cell):,} characters; a cell may have {MAX_CELL:,}"
            return SourceRow(line=number, place=place, cells=None, fault=fault)
    return SourceRow(line=number, place=place, cells=value)


def _depth(value: Any) -> int:
    """Return how many objects and lists stand within each other."""
    depth, level = 0, [value]
    while level and depth <= MAX_DEPTH:
        depth += 1
        members = itertools.chain.from_iterable(
            inner.values() if isinstance(inner, dict) else inner for inner in level
        )
        level = [inner for inner in members if isinstance(inner, dict | list)]
    return depth


def _under(document: Any, place: str, path: Path) -> Any:
    """Return the value at a JSON Pointer, or under a key."""
    found = document
    for name in parts(place) if place.startswith("/") else (place,):
        if isinstance(found, list) and name.isdecimal() and int(name[:9]) < len(found):
            found = found[int(name[:9])]
            continue
        if not isinstance(found, dict):
            raise ImportRefused(f"{path}: an object with the rows under {place!r} is expected")
        if name not in found:
            there = ", ".join(repr(key) for key in itertools.islice(found, _LOOKED_AT)) or "none"
            raise ImportRefused(f"{path}: no rows under {place!r}; the keys are {there}")
        found = found[name]
    return found


def _lists(document: Any, place: str) -> Iterator[str]:
    """Yield the pointers of the lists in the first levels of an object."""
    if not isinstance(document, dict):
        return
    for name, value in itertools.islice(document.items(), _LOOKED_AT):
        here = place + pointer([name])
        if isinstance(value, list):
            yield here
        elif isinstance(value, dict):
            for inner, deeper in itertools.islice(value.items(), _LOOKED_AT):
                if isinstance(deeper, list):
                    yield here + pointer([inner])


def _why(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"the key {twice!r} occurs twice in one object")
    return members


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


# Not `record.parse`, whose limits are those of one document, not of a register's export.
STRICT_JSON = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_no_number)


# By column: in how many further rows a cell stands, and its text.
_Spanning: TypeAlias = dict[int, tuple[int, str]]

# The most that the HTML standard lets a cell span.
_MOST_COLUMNS = 1_000
_MOST_ROWS = 65_534

_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([A-Za-z0-9_-]{1,40})", re.IGNORECASE)
_SILENT = frozenset({"script", "style", "template", "noscript", "head"})
_BLOCKS = frozenset({"p", "div", "li", "ul", "ol", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "h5",
                     "h6", "section", "blockquote", "pre", "table", "tr"})  # fmt: skip
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_BREAKS = re.compile(r"\n{3,}")


def read_html(raw: bytes, options: ReadOptions, path: Path, counter: RowCounter) -> SourceFile:
    """Return the rows of a table. Raises `ImportRefused` for faults of the whole file."""
    if len(raw) > MAX_HTML_BYTES:
        raise ImportRefused(f"{path}: {len(raw):,} bytes; an HTML page may have {MAX_HTML_BYTES:,}")
    text = decode(raw, _encoding(raw, options), path)
    parser = html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True,
                             remove_pis=True, huge_tree=True)  # fmt: skip
    try:
        page = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError, AssertionError) as error:
        raise ImportRefused(f"{path}: not readable as HTML: {error}") from error
    # The parser goes on after its own bounds are passed, without what stands there.
    for problem in parser.error_log.filter_from_fatals():
        raise ImportRefused(f"{path}: not readable as HTML: {problem.message}")
    table = _chosen(page, options.caption, path)
    rows = list(_html_rows(table, path, counter))
    if not rows:
        raise ImportRefused(f"{path}: the table has no rows")
    return read_table(SourceTable(path=path, rows=rows, fill_heads=False), options)


def _encoding(raw: bytes, options: ReadOptions) -> str:
    """Return the encoding that the page declares, unless the crosswalk names another."""
    declared = _CHARSET.search(raw, 0, 4096)
    if options.encoding != "utf-8" or declared is None:
        return options.encoding
    named = declared[1].decode("ascii").lower()
    # What is called so on the web is the larger one.
    return "cp1252" if named in {"iso-8859-1", "latin1", "ascii", "us-ascii"} else named


def _chosen(page: Any, caption: str | None, path: Path) -> Any:
    tables = list(page.iter("table"))
    if not tables:
        raise ImportRefused(f"{path}: there is no table in the page")
    if caption is None:
        return tables[0]
    captions: dict[str, Any] = {}
    for table in tables:
        for child in table.iterchildren("caption"):
            captions.setdefault(" ".join(_text(child).split()), table)
    wanted = " ".join(caption.split())
    if wanted not in captions:
        there = "; captions there are: " + ", ".join(map(repr, list(captions)[:20]))
        raise ImportRefused(
            f"{path}: no table has the caption {caption!r}"
            + (there if captions else "; none has one, so leave the member out for the first table")
        )
    return captions[wanted]


def _html_rows(table: Any, path: Path, counter: RowCounter) -> Iterator[SourceTableRow]:
    """Yield the rows, with what spans several columns or rows in each of them."""
    above: _Spanning = {}
    for number, row in enumerate(_own_rows(table), start=1):
        place = f"table row {number}"
        cells: list[TableCell] = []
        below: _Spanning = {}
        for cell in row.iterchildren("td", "th"):
            _take(cells, above, below)
            text = _text(cell)
            if len(text) > MAX_CELL:
                raise ImportRefused(
                    f"{path}: {place}: a cell of {len(text):,} characters; a cell may have "
                    f"{MAX_CELL:,}"
                )
            down = _span(cell, "rowspan", _MOST_ROWS)
            for _ in range(_span(cell, "colspan", _MOST_COLUMNS)):
                if down > 1:
                    below[len(cells)] = down - 1, text
                cells.append(text)
            if len(cells) > MAX_COLUMNS:
                break
        while above:
            cells += [""] * (min(above) - len(cells))
            _take(cells, above, below)
        above = below
        counter.add(place, len(cells))
        yield SourceTableRow(number=number, line=number, place=place, cells=cells)


def _take(cells: list[TableCell], above: _Spanning, below: _Spanning) -> None:
    """Add the cells that reach down into this row at its next columns."""
    while len(cells) in above:
        left, text = above.pop(len(cells))
        if left > 1:
            below[len(cells)] = left - 1, text
        cells.append(text)


def _own_rows(table: Any) -> Iterator[Any]:
    """Yield the rows of a table, not those of tables within its cells."""
    for child in table.iterchildren("tr", "thead", "tbody", "tfoot"):
        if child.tag == "tr":
            yield child
        else:
            yield from child.iterchildren("tr")


def _span(cell: Any, name: str, most: int) -> int:
    value = (cell.get(name) or "").strip()
    if not value.isdecimal():
        return 1
    number = int(value[:9])
    if number == 0 and name == "rowspan":
        return most  # to the end
    return max(1, min(number, most))


def _text(element: Any) -> str:
    """Return what people see: blanks as one, a break where a line or a block ends."""
    found: list[str] = []
    walk = etree.iterwalk(element, events=("start", "end"))
    for event, node in walk:
        inner = node is not element
        if inner and node.tag in _BLOCKS:
            found.append("\n")
        if event == "start":
            if node.tag in _SILENT:
                walk.skip_subtree()
            else:
                found += ["\n"] if node.tag == "br" else []
                found.append(_BLANKS.sub(" ", node.text or ""))
        elif inner:
            found.append(_BLANKS.sub(" ", node.tail or ""))
    lines = (line.strip(" ") for line in "".join(found).split("\n"))
    return _BREAKS.sub("\n\n", "\n".join(lines)).strip()
