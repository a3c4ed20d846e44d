"""Tables in CSV as Excel writes them: with a mark of the encoding, with semicolons or with tabs."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator

from registry.errors import ConfigurationError
from registry.resources import language_files

_SEPARATORS = ",;\t"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def open_table(raw: bytes, name: str) -> csv.DictReader[str]:
    """Return a reader of the rows by column; the first line says what separates its cells.

    Raises `ConfigurationError` for what is not in UTF-8.
    """
    if raw.startswith(_UTF_16):
        raise ConfigurationError(
            f"{name} is in UTF-16, as Excel's Unicode Text is; save it as CSV UTF-8"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{name} is not a CSV file in UTF-8: {error}") from error
    separator = max(_SEPARATORS, key=text.partition("\n")[0].count)
    return csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, strict=True)


def language_rows(name: str, columns: tuple[str, ...]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield the rows of a table of every language as (tag, place, cells), a country's own last.

    Raises `ConfigurationError` for a table that has other columns.
    """
    for path in language_files("*", name):
        table = open_table(path.read_bytes(), str(path))
        if tuple(table.fieldnames or ()) != columns:
            raise ConfigurationError(f"{path}, line 1: the columns have to be {','.join(columns)}")
        for row in table:
            cells = {column: (row[column] or "").strip() for column in columns}
            yield path.parent.name, f"{path}, line {table.line_num}", cells
