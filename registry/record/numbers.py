"""The one reader of numbers that people type: in forms, workbooks and texts of JSON documents."""

from __future__ import annotations

import re
import unicodedata

from registry.record.messages import Message, message

_THOUSANDS = re.compile(r"(?<=\d)[\s'’٬](?=\d{3}(?!\d))")
_NUMBER = re.compile(r"[-+]?\d{1,18}(?:[.,]\d{1,18})?(?:e[-+]?\d{1,3})?", re.IGNORECASE)
_TWO_WAYS = re.compile(r"[-+]?[1-9]\d{0,2}[.,]\d{3}")
_GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}([.,])\d{3}(?:\1\d{3})*(?:(?!\1)[.,]\d{1,18})?")
_SIGNS = str.maketrans({"٫": ".", "،": ",", "−": "-"})
_SHOWN = 60


class NumberFault(ValueError):
    """A text is not read as a number; `saying` says why, and what to write."""

    def __init__(self, saying: Message) -> None:
        """Take the message."""
        super().__init__(saying.message)
        self.saying = saying


def read_number(text: str, *, whole: bool) -> int | float:
    """Return the number in a text, in the digits of any script.

    Spaces, apostrophes, commas or points may divide thousands, and a comma or a point decimals.
    Raises `NumberFault` for what is no number, or no `whole` one, and where one mark may do either.
    """
    plain = "".join(str(unicodedata.decimal(letter, letter)) for letter in text.strip())
    plain = _THOUSANDS.sub("", plain.translate(_SIGNS))
    quoted = f"“{text if len(text) <= _SHOWN else text[:_SHOWN] + '…'}”"
    if _TWO_WAYS.fullmatch(plain):
        digits = plain.replace(",", ".")
        raise NumberFault(
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
        raise NumberFault(
            message(
                "{value} is not a number. Write digits alone, such as 1250 or 0.5.", value=quoted
            )
        )
    if plain.lstrip("+-").isdecimal():
        return int(plain)
    if value.is_integer():
        return int(value)
    if whole:
        raise NumberFault(not_whole(quoted))
    return value


def not_whole(quoted: str) -> Message:
    """Return the message for a number with decimals in the place of a whole one."""
    return message(
        "{value} is not a whole number. Write one without decimals, such as 1250.", value=quoted
    )


def write_number(value: float) -> str:
    """Return a number as people type it, without an exponent, so that it is read as the same."""
    text = f"{value:.12f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return f"{text}0" if _TWO_WAYS.fullmatch(text) else text
