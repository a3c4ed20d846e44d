"""Cells of a source: text, items, or nothing."""

from __future__ import annotations

import ast
import functools
import json
import re
import unicodedata
import warnings
from collections.abc import Callable
from typing import Any

from registry.imports.texts import clean, one_line
from registry.text.company_names import company_names

LONGEST_VALUE = 400


class RowRefused(Exception):
    """The row cannot become a record; the message has the reason."""


_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-")
_QUOTES = dict.fromkeys(map(ord, "\u2018\u2019\u02bc\u00b4`"), "'")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_BETWEEN_ADDRESSES = re.compile(r"[\s,;]+")


@functools.lru_cache(maxsize=65_536)
def _folded(text: str) -> str:
    folded = unicodedata.normalize("NFKC", clean(text)).casefold()
    return " ".join(folded.translate(_DASHES | _QUOTES).split()).removesuffix(".")


def fold_value(text: str) -> str:
    """Return a value folded: case, blanks, dashes and a final full stop make no difference.

    A value longer than any of a crosswalk is returned unchanged.
    """
    return _folded(text) if len(text) <= LONGEST_VALUE else text


def as_line(cell: Any, nothing: frozenset[str]) -> str:
    """Return a cell as one line; empty if it has a placeholder of the source for no value."""
    text = "" if cell is None else one_line(as_text(cell))
    return "" if fold_value(text) in nothing else text


def as_text(cell: Any) -> str:
    """Return a cell as text; JSON numbers, booleans and structures as in the source."""
    return cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False, sort_keys=True)


def items(cell: Any, form: str | None) -> list[str] | None:
    """Return the texts in a cell, or None if it is not a list of the expected form.

    `form` is a name of `_FORMS`, or what separates the items.
    """
    if cell is None:
        return []
    if isinstance(cell, list):
        return [as_text(item) for item in cell if item is not None]
    text = as_text(cell)
    if not text.strip():
        return []
    return _FORMS[form](text) if form in _FORMS else text.split(form or ";")


def _whole(text: str) -> list[str]:
    return [text]


def _python(text: str) -> list[str] | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a stray backslash in a text is not worth a warning
        return _literal(text, ast.literal_eval)


def _json(text: str) -> list[str] | None:
    return _literal(text, json.loads)


def _literal(text: str, read: Callable[[str], Any]) -> list[str] | None:
    try:
        found = read(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    if not isinstance(found, list | tuple) or any(
        isinstance(item, dict | list | tuple) for item in found
    ):
        return None
    return [as_text(item) for item in found if item is not None]


def _semicolon(text: str) -> list[str]:
    return text.split(";")


def _lines(text: str) -> list[str]:
    return text.splitlines()


def _broken(text: str) -> list[str]:
    return _BREAK.split(text)


def _addresses(text: str) -> list[str]:
    """Return the parts of a text if each is an address; else the whole text."""
    parts = [part for part in _BETWEEN_ADDRESSES.split(text) if part]
    return parts if all("://" in part or "@" in part for part in parts) else [text]


_FORMS: dict[str | None, Callable[[str], list[str] | None]] = {
    None: _whole,
    "python": _python,
    "json": _json,
    "semicolon": _semicolon,
    "addresses": _addresses,
    "companies": company_names,
    "\n": _lines,
    "<br>": _broken,
}
