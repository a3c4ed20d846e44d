"""Values of the format from what people write into cells, and back."""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from typing import Any

from registry.exchange.readers.workbook_process import ERRORS
from registry.exchange.workbooks.form import FormValue
from registry.exchange.workbooks.sheets import SheetCell
from registry.exchange.workbooks.words import NOT_STORED, WorkbookWords, choices_of
from registry.record.messages import Message, Title, message
from registry.record.nearest_code import nearest_code
from registry.record.numbers import NumberFault, not_whole, read_number
from registry.record.schema import Field
from registry.text.dates import duration_in_words

LONGEST_SHOWN = 60

_PARTIAL = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?)?")
_DIGITS_OF_NUMBER = 15


class CellFault(Exception):
    """A cell cannot be read; the message says how to mend it."""

    def __init__(self, saying: Message) -> None:
        """Take the sentence."""
        super().__init__(saying.message)
        self.saying = saying


def is_empty(cell: SheetCell) -> bool:
    """Return whether a cell says nothing."""
    return isinstance(cell, str) and not cell.strip()


def read_text(cell: SheetCell) -> str:
    """Return a cell as text: trimmed, in normalisation form C, line breaks as such alone."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return format(cell, f".{_DIGITS_OF_NUMBER}g")
    text = str(cell).replace("\r\n", "\n").replace("\r", "\n").strip()
    if text in ERRORS:
        raise CellFault(formula_fault())
    return unicodedata.normalize("NFC", text)


def formula_fault() -> Message:
    """Return the message for a cell with a formula, or with the error of one."""
    return message(
        "This cell has a formula, and nothing is calculated here. Write the value itself: copy the "
        "cell, and paste its value alone."
    )


def read_value(field: Field, cell: SheetCell, words: WorkbookWords) -> Any:
    """Return the value of a field. Raises `CellFault`.

    Dates and codes have one spelling in the format and several in a cell; other texts are taken as
    they are, for validation to judge.
    """
    names = choices_of(field)
    if field.holds == "number":
        return _read_number(cell, whole=field.schema["type"] == "integer")
    if isinstance(cell, bool) and field.holds == "boolean":
        return cell
    text = read_text(cell)
    if names:
        return _read_code(field, names, text, words)
    if field.holds == "period":
        return NOT_STORED if words.is_not_stored(text) else duration_in_words(text) or text
    if field.holds == "date":
        return _read_date(text, partial=field.kind == "FuzzyDate")
    if isinstance(cell, bool):
        raise CellFault(
            message("{value} is no text. Write the answer in words.", value=_shown(text))
        )
    return text


def write_value(field: Field, value: Any, words: WorkbookWords) -> FormValue:
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
        raise CellFault(
            message(
                "{value} is neither yes nor no. Write {yes} or {no}.",
                value=_shown(text),
                yes=labels["true"],
                no=labels["false"],
            )
        )
    what = message(
        "{value} is not one of the choices of {title}. Choose one from the list of the cell.",
        value=_shown(text),
        title=Title(text=field.schema["title"]) if "title" in field.schema else _this(),
    )
    near = nearest_code(text, list(labels.values()))
    if near is None and (code := nearest_code(text, list(labels))) is not None:
        near = labels[code]
    if near is None:
        raise CellFault(what)
    raise CellFault(message("{what} Perhaps {label} is meant.", what=what, label=near))


def _this() -> Message:
    return message("this list")


def _read_number(cell: SheetCell, *, whole: bool) -> int | float:
    if isinstance(cell, bool | str) or not math.isfinite(cell):
        try:
            return read_number(read_text(cell), whole=whole)
        except NumberFault as fault:
            raise CellFault(fault.saying) from None
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    if whole and not isinstance(cell, int):
        raise CellFault(not_whole(_shown(str(cell))))
    return cell


def _read_date(text: str, *, partial: bool) -> str:
    plain = "".join(str(unicodedata.digit(one, one)) for one in text)
    if _PARTIAL.fullmatch(plain) and (partial or len(plain) == len("YYYY-MM-DD")):
        if len(plain) == len("YYYY-MM-DD"):
            try:
                dt.date.fromisoformat(plain)
            except ValueError:
                raise CellFault(
                    message("{value} is no day that exists.", value=_shown(text))
                ) from None
        return plain
    saying = (
        message(
            "{value} is not a date that can be read in one way only. Write YYYY, YYYY-MM or "
            "YYYY-MM-DD, such as 2026-05-31.",
            value=_shown(text),
        )
        if partial
        else message(
            "{value} is not a date that can be read in one way only. Write YYYY-MM-DD, such as "
            "2026-05-31.",
            value=_shown(text),
        )
    )
    raise CellFault(saying)


def _shown(text: str) -> str:
    quoted = text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
    return f"“{quoted}”"
