"""Canonical JSON bytes, RFC 8785: one byte string for one value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import rfc8785

_LARGEST = 2**53 - 1
# Fractions between these are written without an exponent by everybody.
_PLAIN = (1e-4, 1e15)
_SORTED = msgspec.json.Encoder(order="sorted")


def canonical(value: Any) -> bytes:
    """Encode a JSON value; raises `ValueError` for what JSON cannot say exactly."""
    if _is_simple(value):
        # Ten times as fast, and the same bytes, as a test proves.
        return _SORTED.encode(value)
    if type(value) is dict and all(type(name) is str and name.isascii() for name in value):
        # Most of it may be simple; names in ASCII sort alike by every rule.
        parts = (_SORTED.encode(name) + b":" + canonical(value[name]) for name in sorted(value))
        return b"{" + b",".join(parts) + b"}"
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise ValueError(str(error)) from error


def encoder(value: Any) -> Callable[[Any], bytes]:
    """Return what encodes a value, and whatever is part of it, canonically."""
    return _SORTED.encode if _is_simple(value) else canonical


def _is_simple(value: Any) -> bool:
    """Whether nothing in a value is written or sorted by rules that only RFC 8785 has.

    Those are for numbers that are written with an exponent, or as an integer without being one,
    for integers that a double does not hold, and for names of members beyond ASCII, which sort by
    their UTF-16 form.
    """
    waiting, names = [value], []
    for part in waiting:
        kind = type(part)
        # Most parts are strings, of which nothing is asked.
        if kind is dict:
            names += part
            waiting += [inner for inner in part.values() if type(inner) is not str]
        elif kind is list:
            waiting += [inner for inner in part if type(inner) is not str]
        elif kind is int or kind is float:
            if not _is_plain(part):
                return False
        elif kind is not str and kind is not bool and part is not None:
            return False
    return {*map(type, names)} <= {str} and "".join(names).isascii()


def _is_plain(number: float) -> bool:
    if isinstance(number, int):
        return -_LARGEST <= number <= _LARGEST
    return _PLAIN[0] <= abs(number) <= _PLAIN[1] and not number.is_integer()
