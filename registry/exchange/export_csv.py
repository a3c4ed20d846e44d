"""Tables as CSV, RFC 4180 in UTF-8: safe to open in a spreadsheet, or raw for programs."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import AsyncIterable, AsyncIterator, Sequence

from registry.exchange.export_columns import Cell, ExportColumn, ExportRow
from registry.work import in_thread

_BOM = "\ufeff"
_FORMULA = re.compile(r'\A(?=[\t\r\n])|(?:\A|[;\t\r\n]"*)(?=[=+\-@＝＋－＠])')
"""Where a spreadsheet may begin to read a formula, in wide signs as well.

One that separates cells by semicolons, as Excel does in French, takes no quotation mark within a
line for one, and begins a cell after each semicolon and each line break of a text.
"""

_ESCAPED = re.compile(r"\A'(?=[\t\r\n=+\-@＝＋－＠])|([;\t\r\n]\"*)'(?=[=+\-@＝＋－＠])")


async def csv_lines(
    table: Sequence[ExportColumn], batches: AsyncIterable[Sequence[ExportRow]], *, safe: bool
) -> AsyncIterator[bytes]:
    """Yield a header and a line for each record, as bytes.

    The safe form begins with a byte order mark, without which Excel misreads non-ASCII letters, and
    has an apostrophe before what a spreadsheet would take for a formula.
    """
    kept = io.StringIO()
    writer = csv.writer(kept, lineterminator="\r\n")
    kept.write(_BOM if safe else "")
    writer.writerow([column.name for column in table])
    yield _taken(kept)

    def write(rows: Sequence[ExportRow]) -> None:
        for row in rows:
            cells = (cell_text(column.cell(row)) for column in table)
            writer.writerow([escape_formula(cell) for cell in cells] if safe else list(cells))

    async for batch in batches:
        await in_thread(write, batch)
        yield _taken(kept)


def cell_text(cell: Cell) -> str:
    """Return a cell as text: times in UTC as RFC 3339, booleans as in JSON."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, dt.datetime):
        return cell.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    return cell.isoformat() if isinstance(cell, dt.date) else str(cell)


def escape_formula(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return _FORMULA.sub(r"\g<0>'", text)


def unescape_formula(text: str) -> str:
    """Return the text of which `escape_formula` made this one, if it did."""
    if "'" not in text:
        return text
    plain = _ESCAPED.sub(r"\g<1>", text)
    return plain if escape_formula(plain) == text else text


def _taken(kept: io.StringIO) -> bytes:
    text = kept.getvalue()
    kept.seek(0)
    kept.truncate()
    return text.encode()
