"""Values of the format from what people write into cells, and back."""

from __future__ import annotations

import math
import re
from typing import Any

from registry.exchange.workbooks.form import FormValue
from registry.exchange.workbooks.sheets import ERRORS, SheetCell
from registry.exchange.workbooks.words import WorkbookWords, choices_of
from registry.record.messages import Message, Title, message
from registry.record.nearest_code import nearest_code
from registry.record.schema import Field
from registry.record.values import (
    NOT_STORED,
    ValueFault,
    clean_text,
    not_whole,
    quoted_text,
    read_value,
)

_DIGITS_OF_NUMBER = 15


def is_empty(cell: SheetCell) -> bool:
    """Return whether a cell says nothing."""
    return isinstance(cell, str) and not cell.strip()


def read_text(cell: SheetCell) -> str:
    """Return a cell as text: trimmed, in normalisation form C, line breaks as such alone."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return format(cell, f".{_DIGITS_OF_NUMBER}g")
    text = clean_text(str(cell))
    if text in ERRORS:
        raise ValueFault(formula_fault())
    return text


def formula_fault() -> Message:
    """Return the message for a cell with a formula, or with the error of one."""
    return message(
        "This cell has a formula, and nothing is calculated here. Write the value itself: copy the "
        "cell, and paste its value alone."
    )


def read_cell(field: Field, cell: SheetCell, words: WorkbookWords) -> Any:
    """Return the value of a field, codes by their labels as well. Raises `ValueFault`."""
    if isinstance(cell, bool) and field.holds == "boolean":
        return cell
    if field.holds == "number" and not isinstance(cell, bool | str) and math.isfinite(cell):
        return _number(field, cell)
    text = read_text(cell)
    if names := choices_of(field):
        return _read_code(field, names, text, words)
    if field.holds == "period" and words.is_not_stored(text):
        return NOT_STORED
    if isinstance(cell, bool) and field.holds not in {"number", "date", "period"}:
        raise ValueFault(
            message("{value} is no text. Write the answer in words.", value=quoted_text(text))
        )
    return read_value(field, text)


def write_cell(field: Field, value: Any, words: WorkbookWords) -> FormValue:
    """Return a value as people write it: codes by their labels, a period in words."""
    names = choices_of(field)
    if isinstance(value, bool):
        return words.label(names, "true" if value else "false")
    if names and isinstance(value, str):
        return words.label(names, value)
    if field.holds == "period" and isinstance(value, str):
        return words.period(value)
    written: FormValue = value
    return written


def _read_code(field: Field, names: tuple[str, ...], text: str, words: WorkbookWords) -> Any:
    is_boolean = field.holds == "boolean"
    code = words.code(names, text)
    if code is not None:
        return code == "true" if is_boolean else code
    pattern = field.schema.get("pattern")
    if "enum" not in field.schema and pattern and re.search(pattern, text):
        return text  # a code that the lists of this country lack; a rule may judge it
    labels = {code: label for name in names for code, label in words.choices(name).items()}
    if is_boolean:
        raise ValueFault(
            message(
                "{value} is neither yes nor no. Write {yes} or {no}.",
                value=quoted_text(text),
                yes=labels["true"],
                no=labels["false"],
            )
        )
    what = message(
        "{value} is not one of the choices of {title}. Choose one from the list of the cell.",
        value=quoted_text(text),
        title=Title(text=field.schema["title"])
        if "title" in field.schema
        else message("this list"),
    )
    near = nearest_code(text, list(labels.values()))
    if near is None and (code := nearest_code(text, list(labels))) is not None:
        near = labels[code]
    if near is None:
        raise ValueFault(what)
    raise ValueFault(message("{what} Perhaps {label} is meant.", what=what, label=near))


def _number(field: Field, cell: float) -> int | float:
    """Return a number that a program wrote; a whole one may be written with decimals of naught."""
    if isinstance(cell, int) or cell.is_integer():
        return int(cell)
    if field.schema["type"] == "integer":
        raise ValueFault(not_whole(quoted_text(str(cell))))
    return cell
