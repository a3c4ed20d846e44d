"""JSON and JSON Lines files."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from registry.errors import ImportRefused
from registry.exchange.readers.bounds import MAX_CELL, MAX_CELLS, MAX_DEPTH, RowCounter
from registry.exchange.readers.options import ReadOptions
from registry.exchange.readers.source import SourceFile, SourceRow
from registry.exchange.readers.text import decode
from registry.record.pointers import parts, pointer

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
        document = _JSON.decode(text)
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
        return _row(_JSON.decode(line), number, place)
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
_JSON = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_no_number)
