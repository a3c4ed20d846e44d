"""Code lists: the codes that a field may hold, with their labels, read from CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TypeAlias

import msgspec

from registry.errors import ConfigurationError
from registry.record.model import LangText
from registry.record.schema import RECORD_FOLDER
from registry.record.tables import open_table


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """A code; `extra` holds the columns that only its list has, such as `priority`."""

    code: str
    label: LangText
    description: LangText | None
    extra: dict[str, str]


CodeList: TypeAlias = Mapping[str, Code]
"""Codes in the order of their file."""


@cache
def codelists() -> Mapping[str, CodeList]:
    """Return every code list of the record format, by name."""
    paths = sorted((RECORD_FOLDER / "codelists").glob("*.csv"))
    return {path.stem: codes(read_rows(path), source=path.name) for path in paths}


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table, without empty cells.

    Raises `ConfigurationError` with file and line.
    """
    rows = []
    try:
        reader = open_table(path.read_bytes(), str(path))
        for row in reader:
            if None in row or None in row.values():
                raise ConfigurationError(
                    f"{path}, line {reader.line_num}: the row has more or fewer cells than "
                    "the first line has columns; quote cells that hold a comma"
                )
            rows.append({name: cell for name, cell in row.items() if cell})
    except FileNotFoundError:
        raise ConfigurationError(f"{path} is missing; a table is needed there") from None
    except csv.Error as error:
        raise ConfigurationError(f"{path} is not a CSV file in UTF-8: {error}") from error
    return rows


def codes(rows: Iterable[dict[str, str]], *, source: str) -> CodeList:
    """Return the code list of some rows. Raises `ConfigurationError` for a duplicate code."""
    found: dict[str, Code] = {}
    for row in rows:
        name = row.get("code", "")
        if not name or name in found:
            raise ConfigurationError(f"{source}: the code {name!r} is empty or comes twice")
        found[name] = Code(
            code=name,
            label=texts(row, "label_"),
            description=texts(row, "description_") or None,
            extra={
                column: cell
                for column, cell in row.items()
                if column != "code" and not column.startswith(("label_", "description_"))
            },
        )
    return found


def texts(row: Mapping[str, str], prefix: str) -> LangText:
    """Return the columns `<prefix><language>` of a row, by language."""
    return {
        column.removeprefix(prefix): cell
        for column, cell in row.items()
        if column.startswith(prefix)
    }
