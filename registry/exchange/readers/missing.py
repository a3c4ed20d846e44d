"""What to say of columns that a crosswalk reads and a file does not have."""

from __future__ import annotations

import difflib
import itertools
import json
from collections.abc import Sequence

from registry.exchange.readers.source import SourceFile, columns
from registry.exchange.readers.table import other_delimiter

_NAMED_COLUMNS = 100
_NAMED_EQUAL = 5
_LOOKED_FOR = 20


def missing_columns(source: SourceFile, missing: Sequence[str], origin: str) -> str:
    """Return the sentence on columns that the file does not have, with what mends it."""
    names = columns(source)
    also = f" (nor {', '.join(missing[1:])})" if missing[1:] else ""
    advice = _advice(source, missing, names)
    more = len(names) - _NAMED_COLUMNS
    return (
        f"the crosswalk {origin} reads the column {missing[0]!r}, which the file does not have"
        f"{also}; {advice + '; ' if advice else ''}its columns are "
        + (", ".join(names[:_NAMED_COLUMNS]) or "none")
        + (f" and {more} more" if more > 0 else "")
    )


def _advice(source: SourceFile, missing: Sequence[str], names: Sequence[str]) -> str:
    column = missing[0]
    equal = source.equal.get(column)
    if equal:
        named = " or ".join(map(repr, equal[:_NAMED_EQUAL]))
        return (
            f"{len(equal)} columns are headed {column!r}: write {named}, or name the columns by "
            'place in "read": {"columns": […]}'
        )
    if separated := _other_delimiter(source, column):
        return separated
    rows = max((_header_rows(source, one) for one in missing[:_LOOKED_FOR]), key=len)
    if rows:
        have = f"row {rows[0]} has" if len(rows) == 1 else f"rows {rows[0]} and {rows[1]} have"
        said = rows[0] if len(rows) == 1 else list(rows)
        return (
            f"{have} it: if the names of the columns stand there, "
            f'say "read": {{"header_row": {said}}}'
        )
    near = difflib.get_close_matches(column, names, n=3, cutoff=0.7)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else ""


def _other_delimiter(source: SourceFile, column: str) -> str:
    """Return what to say of a header, or of a row below a preamble, that is one cell of several."""
    below = [(number, cells) for number, cells in source.head if len(cells) == 1]
    for number, cells in [(0, source.names), *below]:
        delimiter = other_delimiter(cells)
        if delimiter is not None and column in cells[0].split(delimiter):
            said = {"delimiter": delimiter} | ({"header_row": number} if number else {})
            return f'{delimiter!r} separates the cells: say "read": {json.dumps(said)}'
    return ""


def _header_rows(source: SourceFile, column: str) -> tuple[int, ...]:
    """Return the number of the row that has a name, or of the two that have its parts, if any."""
    wanted = _folded(column)
    if wanted in map(_folded, source.names):
        return ()
    upper, _, lower = wanted.rpartition(" / ")
    rows = [(number, set(map(_folded, cells))) for number, cells in source.head]
    for (number, names), (next_number, next_names) in itertools.pairwise([*rows, (0, set())]):
        if wanted in names:
            return (number,)
        if upper and upper in names and lower in next_names:
            return (number, next_number)
    return ()


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()
