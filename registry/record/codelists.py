"""Code lists: the codes of a field with their labels, and corrections of wrong ones."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from registry.errors import ConfigurationError
from registry.record.model import Document, LangText
from registry.record.requirements import RISK_LEVEL
from registry.record.schema import RECORD_FOLDER, broader
from registry.resources import language_bases
from registry.text.csv_tables import open_table
from registry.text.folding import fold


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """A code; `extra` holds the columns that only its list has, such as `priority`."""

    code: str
    label: LangText
    description: LangText | None
    extra: dict[str, str]


CodeList: TypeAlias = Mapping[str, Code]
"""Codes in the order of their file."""

CODES = "codes"
"""The table of a country's own codes under those of the format."""

NARROWER = ("sector", "affected_group", "sensitive_category")
"""The lists of the format under whose codes there may be such."""


@cache
def codelists() -> Mapping[str, CodeList]:
    """Return every code list of the record format, by name."""
    paths = sorted((RECORD_FOLDER / "codelists").glob("*.csv"))
    lists = {path.stem: {**codes(read_rows(path), source=path.name)} for path in paths}
    for path in sorted(path for base in language_bases() for path in base.glob("*/labels.csv")):
        _add_labels(lists, path)
    return lists


def _add_labels(lists: dict[str, dict[str, Code]], path: Path) -> None:
    """Add the labels of a language, which are no part of a version of the format.

    Raises `ConfigurationError` for a code that the format does not have.
    """
    tag = path.parent.name
    for row in read_rows(path):
        name, code = row.get("list", ""), row.get("code", "")
        if code not in lists.get(name, ()):
            raise ConfigurationError(f"{path}: there is no code {code!r} of a list {name!r}")
        one = lists[name][code]
        label = one.label | ({tag: row["label"]} if "label" in row else {})
        description = (one.description or {}) | (
            {tag: row["description"]} if "description" in row else {}
        )
        lists[name][code] = msgspec.structs.replace(
            one, label=label, description=description or None
        )


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


def narrower_rows(whole: Mapping[str, Any], name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a country's own codes of a list, with each code as records have it."""
    for row in whole[CODES]:
        if row["list"] == name:
            cells = {key: cell for key, cell in row.items() if key not in {"list", "broader"}}
            yield cells | {"code": f"{row['broader']}.{row['code']}"}


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


MOST_READ = 60
"""The characters of a wrong value that are compared."""

_ALIKE = 0.7
"""The share of letters in common from which a code may be a misspelling."""


def nearest_code(given: object, among: Iterable[str] | Mapping[str, Code]) -> str | None:
    """Return the code that was probably meant, or None.

    With labels it is the code whose own words or label are the given ones; else the one whose label
    alone holds all of them; else the most similar code; else the one that it is under.
    """
    if not isinstance(given, str) or not given.strip():
        return None
    codes = list(among)
    wanted = _words(given[:MOST_READ])
    labels = (
        {code: held.label for code, held in among.items()} if isinstance(among, Mapping) else {}
    )
    wordings = {code: [_words(code), *map(_words, labels.get(code, {}).values())] for code in codes}
    for code, own in wordings.items():
        if wanted in own:
            return code
    holding = [code for code, own in wordings.items() if any(wanted <= words for words in own)]
    if wanted and len(holding) == 1:
        return holding[0]
    near = difflib.get_close_matches(fold(given[:MOST_READ]), map(str.lower, codes), 1, _ALIKE)
    above = broader(given) if broader(given) in codes else None
    return next((code for code in codes if near and code.lower() == near[0]), above)


def with_level_meant(document: Document, given: object) -> Document:
    """Return a document with the risk level that a wrong one is nearest to, if there is one.

    So a record is also judged by the requirements of that level before the level is mended.
    """
    level = nearest_code(given, codelists()["risk_level"])
    section, member = RISK_LEVEL
    return document if level is None else document | {section: {**document[section], member: level}}


def _words(text: str) -> frozenset[str]:
    folded = fold(text)
    return frozenset("".join(sign if sign.isalnum() else " " for sign in folded).split())
