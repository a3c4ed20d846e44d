"""What to say of columns that a crosswalk reads and a file does not have."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from registry.exchange.readers.source import SourceFile, columns

_NAMED_COLUMNS = 100
_NAMED_EQUAL = 5


def missing_columns(source: SourceFile, missing: Sequence[str], origin: str) -> str:
    """Return the sentence on columns that the file does not have, with what mends it."""
    names = columns(source)
    also = f" (nor {', '.join(missing[1:])})" if missing[1:] else ""
    advice = _advice(source, missing[0], names)
    more = len(names) - _NAMED_COLUMNS
    return (
        f"the crosswalk {origin} reads the column {missing[0]!r}, which the file does not have"
        f"{also}; {advice + '; ' if advice else ''}its columns are "
        + (", ".join(names[:_NAMED_COLUMNS]) or "none")
        + (f" and {more} more" if more > 0 else "")
    )


def _advice(source: SourceFile, column: str, names: Sequence[str]) -> str:
    equal = source.equal.get(column)
    if equal:
        named = " or ".join(map(repr, equal[:_NAMED_EQUAL]))
        return (
            f"{len(equal)} columns are headed {column!r}: write {named}, or name the columns by "
            'place in "read": {"columns": […]}'
        )
    wanted = _folded(column)
    if wanted not in map(_folded, source.names):
        for number, cells in source.head:
            if wanted in map(_folded, cells):
                return (
                    f"row {number} has it: if the names of the columns stand there, say "
                    f'"read": {{"header_row": {number}}}'
                )
    near = difflib.get_close_matches(column, names, n=3, cutoff=0.7)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else ""


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()
