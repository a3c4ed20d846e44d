"""Parts of a cell, by a regular expression with one group.

The expressions are RE2's, whose time grows with the text alone: no pattern and no cell of a hostile
source can make them slow. https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

from functools import cache
from typing import Any

_MEMORY = 1 << 20


@cache
def _compiled(pattern: str) -> Any:
    """Return a compiled pattern. Raises `ValueError` with the reason."""
    import re2  # noqa: PLC0415  a crosswalk without parts does not need it

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise ValueError(error.args[0].decode(errors="replace")) from None


def pattern_fault(pattern: str) -> str | None:
    """Return what is wrong with a pattern, or None."""
    try:
        groups: int = _compiled(pattern).groups
    except ValueError as error:
        return f"not a regular expression of RE2: {error}"
    if groups != 1:
        return f"{groups} groups; exactly one, in round brackets, says which part is meant"
    return None


def part_of(pattern: str, text: str) -> str | None:
    """Return the text of the pattern's group where it first matches, or None."""
    match = _compiled(pattern).search(text)
    return None if match is None else match[1]
