"""The one reader of values that people type: in forms, workbooks and JSON."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import Any

from registry.record.messages import Message, in_quotes, message
from registry.record.model import Document
from registry.record.pointers import dig
from registry.record.schema import Field, document_field
from registry.text.dates import duration_in_words

NOT_STORED = "not_stored"
"""What stands in the place of a period of retention."""

_THOUSANDS = re.compile(r"(?<=\d)[\s'’٬](?=\d{3}(?!\d))")
_NUMBER = re.compile(r"[-+]?\d{1,18}(?:[.,]\d{1,18})?(?:e[-+]?\d{1,3})?", re.IGNORECASE)
_TWO_WAYS = re.compile(r"[-+]?[1-9]\d{0,2}[.,]\d{3}")
_GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}([.,])\d{3}(?:\1\d{3})*(?:(?!\1)[.,]\d{1,18})?")
_SIGNS = str.maketrans({"٫": ".", "،": ",", "−": "-"})
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_PARTIAL_DATE = re.compile(r"\d{4}(?:-\d{2})?")
_SHOWN = 60


class ValueFault(ValueError):
    """A text is not read as a value of its field; `saying` says why, and what to write."""

    def __init__(self, saying: Message) -> None:
        """Take the message."""
        super().__init__(saying.message)
        self.saying = saying


def clean_text(text: str) -> str:
    """Return a typed text trimmed, in normalisation form C, with line feeds alone."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def plain_digits(text: str) -> str:
    """Return a text with the digits of any script as ASCII has them."""
    return "".join(str(unicodedata.decimal(letter, letter)) for letter in text)


def quoted_text(text: str) -> Message:
    """Return what was typed in quotation marks, cut to what a sentence can hold."""
    return in_quotes(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def read_value(field: Field, text: str) -> Any:
    """Return the value of a field that has one, of a text that is not empty.

    Numbers, dates and periods have one spelling in the format and several among people; other texts
    are taken as they are, for validation to judge. Raises `ValueFault`.
    """
    match field.holds:
        case "number":
            return read_number(text, whole=field.schema["type"] == "integer")
        case "date":
            return _read_date(text, partial=field.kind == "FuzzyDate")
        case "period":
            return duration_in_words(text) or text
    return text


def read_number(text: str, *, whole: bool) -> int | float:
    """Return the number in a text, in the digits of any script.

    Spaces, apostrophes, commas or points may divide thousands, and a comma or a point decimals.
    Raises `ValueFault` for what is no number, or no `whole` one, and where one mark may do either.
    """
    plain = _THOUSANDS.sub("", plain_digits(text.strip()).translate(_SIGNS))
    quoted = quoted_text(text)
    if _TWO_WAYS.fullmatch(plain):
        digits = plain.replace(",", ".")
        raise ValueFault(
            message(
                "{value} can be read in two ways. Write {thousands} or {decimals}.",
                value=quoted,
                thousands=digits.replace(".", ""),
                decimals=f"{digits}0",
            )
        )
    if grouped := _GROUPED.fullmatch(plain):
        plain = plain.replace(grouped[1], "")
    value = float(plain.replace(",", ".")) if _NUMBER.fullmatch(plain) else float("inf")
    if value == float("inf"):
        raise ValueFault(
            message(
                "{value} is not a number. Write digits alone, such as 1250 or 0.5.", value=quoted
            )
        )
    if plain.lstrip("+-").isdecimal():
        return int(plain)
    if value.is_integer():
        return int(value)
    if whole:
        raise ValueFault(not_whole(quoted))
    return value


def not_whole(quoted: Message) -> Message:
    """Return the message for a number with decimals in the place of a whole one."""
    return message(
        "{value} is not a whole number. Write one without decimals, such as 1250.", value=quoted
    )


def write_number(value: float) -> str:
    """Return a number as people type it, without an exponent, so that it is read as the same."""
    text = f"{value:.12f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return f"{text}0" if _TWO_WAYS.fullmatch(text) else text


def _read_date(text: str, *, partial: bool) -> str:
    plain = plain_digits(text)
    if _DATE.fullmatch(plain):
        try:
            dt.date.fromisoformat(plain)
        except ValueError:
            saying = message("{value} is no day that exists.", value=quoted_text(text))
            raise ValueFault(saying) from None
        return plain
    if not partial:
        saying = message(
            "{value} is not a date that can be read in one way only. Write YYYY-MM-DD, such as "
            "2026-05-31.",
            value=quoted_text(text),
        )
        raise ValueFault(saying)
    if _PARTIAL_DATE.fullmatch(plain) is None:
        saying = message(
            "{value} is not a date that can be read in one way only. Write YYYY, YYYY-MM or "
            "YYYY-MM-DD, such as 2026-05-31.",
            value=quoted_text(text),
        )
        raise ValueFault(saying)
    return plain


def with_lines_alone(document: Document, first: str) -> Document:
    """Return a document in which lines in the language of its source alone stand alone.

    The source is `first` where the document names none.
    """
    plain: Document = _with_lines_alone(
        document, document_field(), source_language(document, first)
    )
    return plain


def source_language(document: Document, first: str) -> str:
    """Return the language that lines which stand alone are in; `first` if the record names none."""
    source = dig(document, "languages", "source")
    return source if isinstance(source, str) else first


def _with_lines_alone(value: Any, field: Field, source: str) -> Any:
    """Return the value of a field with each line that is in one language alone as that line."""
    if field.kind == "LangLine":
        alone = isinstance(value, dict) and value.keys() == {source}
        return value[source] if alone else value
    if field.is_list and isinstance(value, list):
        return [_with_lines_alone(item, field.entry, source) for item in value]
    if field.holds != "group" or not isinstance(value, dict):
        return value
    members = field.members
    return {
        name: _with_lines_alone(part, members[name], source) if name in members else part
        for name, part in value.items()
    }
