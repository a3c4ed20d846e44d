"""Strict JSON: one value for one text, or an error with a position.

Refused is what other parsers pass over: duplicate members, NaN, numbers that would change when
encoded again, lone surrogates, and nesting or size beyond the limits.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import msgspec

from registry.errors import PayloadTooLarge, UnreadableDocument

MAX_BYTES = 1_048_576
MAX_DEPTH = 32
MAX_ITEMS = 50_000
MAX_SAFE_INTEGER = 2**53 - 1

_BOM = b"\xef\xbb\xbf"
_STRING = r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)'
# A string without an end matches to the end of the text, so that the scan is linear.
_MARK = re.compile(rf"{_STRING}|[\[\]{{}},]", re.DOTALL)
_TOKEN = re.compile(rf"(?P<string>{_STRING})|[\[\]{{}},:]|[^\s\[\]{{}},:\"]+", re.DOTALL)
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_LONE = re.compile("[\ud800-\udfff]")
_ESCAPED = re.compile(rb'\\["\\u]')
"""An escaped quotation mark or backslash, or a character by its number; \\n is common, and none."""


def parse(raw: bytes, *, limit: int = MAX_BYTES) -> Any:
    """Return a document. Raises `UnreadableDocument` with a position, or `PayloadTooLarge`."""
    if len(raw) > limit:
        raise PayloadTooLarge(
            f"the document has {len(raw):,} bytes; at most {limit:,} are read. "
            "Publish long texts elsewhere and link to them under documents."
        )
    value = parse_quickly(raw)
    if value is msgspec.UNSET:
        _explain(raw)
    return value


def parse_quickly(raw: bytes) -> Any:
    """Return a document, or `UNSET` for one with a fault, which takes `parse` long to find."""
    try:
        value = _DECODER.decode(raw)
    except (ValueError, RecursionError):
        return msgspec.UNSET
    return value if _is_faithful(raw, value) else msgspec.UNSET


def _real(digits: str) -> int | float:
    if _number_fault(digits) is not None:
        raise ValueError(digits)
    value = float(digits)
    return int(value) if value.is_integer() else value


_DECODER = msgspec.json.Decoder(float_hook=_real)


def _is_faithful(raw: bytes, value: Any) -> bool:
    """Return whether a value has all that the text has, within the limits of a document.

    The decoder refuses what is not JSON or not Unicode, and passes over duplicate members, NUL,
    depth, size and long integers. Every string of the value accounts for two quotation marks of the
    text, so after a dropped member some are left over.
    """
    quotes = raw.count(b'"')
    if _ESCAPED.search(raw):
        # Without escaped backslashes, a backslash before a quotation mark escapes it.
        raw = raw.replace(b"\\\\", b"")
        if b"\\u0000" in raw:
            return False
        quotes -= raw.count(b'\\"')
    strings = items = depth = 0
    level = [value]
    while level:
        # Most values are strings, of which only the number matters.
        others = [part for part in level if type(part) is not str]
        strings += len(level) - len(others)
        level = []
        for part in others:
            kind = type(part)
            if kind is dict or kind is list:
                if depth == MAX_DEPTH:
                    return False
                items += not part
                if kind is dict:
                    strings += len(part)
                    level += part.values()
                else:
                    level += part
            elif kind is int and not -MAX_SAFE_INTEGER <= part <= MAX_SAFE_INTEGER:
                return False
        items += len(level)
        depth += 1
    return quotes == 2 * strings and items <= MAX_ITEMS


def _explain(raw: bytes) -> NoReturn:
    """Raise `UnreadableDocument` with the position of a fault, for a text that was not read."""
    text = _decoded(raw)
    _check_size(text)
    try:
        json.loads(text, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        raise UnreadableDocument(
            f"this is not JSON: {error.msg[0].lower()}{error.msg[1:]}",
            line=error.lineno,
            column=error.colno,
        ) from None
    _check_tokens(text)
    raise UnreadableDocument("the document would change when written again")


def _decoded(raw: bytes) -> str:
    if raw.startswith(_BOM):
        raise UnreadableDocument(
            "the document begins with a byte order mark; save it as UTF-8 without one",
            line=1,
            column=1,
        )
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8")
        line, column = _place(before, len(before))
        raise UnreadableDocument(
            f"the byte 0x{raw[error.start]:02x} is not UTF-8; save the document as UTF-8",
            line=line,
            column=column,
        ) from None


def _check_size(text: str) -> None:
    """Check depth and number of values, before anything recursive reads the text."""
    depth = items = 0
    for mark in _MARK.finditer(text):
        sign = mark[0]
        depth += (sign in {"[", "{"}) - (sign in {"]", "}"})
        items += sign in {"[", "{", ","}
        if depth > MAX_DEPTH:
            _refuse(text, mark.start(), f"the document is nested deeper than {MAX_DEPTH} levels")
        if items > MAX_ITEMS:
            _refuse(text, mark.start(), f"the document holds more than {MAX_ITEMS:,} values")


def _number_fault(digits: str) -> str | None:
    """Return the fault of a number, or None; RFC 8785 §3.2.2.3 encodes doubles."""
    value = float(digits)
    if math.isinf(value):
        return "is too large to be a number"
    if value.is_integer() and abs(value) > MAX_SAFE_INTEGER:
        return f"is beyond ±{MAX_SAFE_INTEGER}, the largest whole number that is exact everywhere"
    try:
        is_exact = Decimal(digits) == Decimal(repr(value))
    except InvalidOperation:
        # The exponent is beyond that of any decimal.
        is_exact = False
    if not is_exact:
        return f"would be read as {value!r}; write that, or fewer digits"
    return None


def _check_tokens(text: str) -> None:
    """Walk the tokens of a JSON text; raise `UnreadableDocument` at the first fault."""
    names: list[set[str] | None] = []
    expects_name = False
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign == "{":
            names.append(set())
            expects_name = True
        elif sign == "[":
            names.append(None)
            expects_name = False
        elif sign in {"]", "}"}:
            names.pop()
        elif sign == ",":
            expects_name = bool(names) and names[-1] is not None
        elif token["string"] is not None:
            string = json.loads(sign)
            _check_string(text, token.start(), string)
            members = names[-1] if names else None
            if expects_name and members is not None:
                if string in members:
                    _refuse(text, token.start(), f"the member {string!r} comes twice; keep one")
                members.add(string)
                expects_name = False
        elif sign not in {":", "true", "false", "null"}:
            _check_number(text, token.start(), sign)


def _check_string(text: str, start: int, string: str) -> None:
    if "\x00" in string:
        _refuse(text, start, "a string holds the character U+0000; remove it")
    if _LONE.search(string):
        _refuse(text, start, "a string holds half a surrogate pair; write the whole character")


def _check_number(text: str, start: int, sign: str) -> None:
    if sign.lstrip("-") in {"NaN", "Infinity"}:
        _refuse(text, start, f"{sign} is not JSON; leave the member out")
    if _NUMBER.fullmatch(sign) is None:
        _refuse(text, start, f"this is not JSON: {_short(sign)} means nothing")
    fault = _number_fault(sign)
    if fault is not None:
        _refuse(text, start, f"the number {_short(sign)} {fault}")


def _short(sign: str) -> str:
    return sign if len(sign) <= 40 else sign[:40] + "…"  # noqa: PLR2004  what fits a line


def _refuse(text: str, start: int, sentence: str) -> NoReturn:
    line, column = _place(text, start)
    raise UnreadableDocument(sentence, line=line, column=column)


def _place(text: str, start: int) -> tuple[int, int]:
    return text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
