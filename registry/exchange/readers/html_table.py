"""Tables of HTML pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from lxml import etree, html

from registry.errors import ImportRefused
from registry.exchange.readers.bounds import MAX_CELL, MAX_COLUMNS, MAX_HTML_BYTES, RowCounter
from registry.exchange.readers.options import ReadOptions
from registry.exchange.readers.source import SourceFile
from registry.exchange.readers.table import SourceTable, SourceTableRow, TableCell, read_table
from registry.exchange.readers.text import decode

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
    rows = list(_rows(table, path, counter))
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


def _rows(table: Any, path: Path, counter: RowCounter) -> Iterator[SourceTableRow]:
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
