"""Canonical JSON (RFC 8785): one byte string for one value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import rfc8785

_LARGEST = 2**53 - 1
# Every encoder writes fractions between these without an exponent.
_PLAIN = (1e-4, 1e15)
_SORTED = msgspec.json.Encoder(order="sorted")


def canonical(value: Any) -> bytes:
    """Return the canonical bytes of a JSON value.

    Raises `ValueError` for a value that JSON cannot represent exactly.
    """
    if _is_simple(value):
        # Ten times as fast, with the same bytes, which a test proves.
        return _SORTED.encode(value)
    if type(value) is dict and all(type(name) is str and name.isascii() for name in value):
        # Most parts may be simple; ASCII names sort the same in every encoding.
        parts = (_SORTED.encode(name) + b":" + canonical(value[name]) for name in sorted(value))
        return b"{" + b",".join(parts) + b"}"
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise ValueError(str(error)) from error


def encoder(value: Any) -> Callable[[Any], bytes]:
    """Return a function that encodes a value, and any part of it, canonically."""
    return _SORTED.encode if _is_simple(value) else canonical


def _is_simple(value: Any) -> bool:
    """Return whether a value has nothing for which RFC 8785 differs from a plain encoder.

    Those are numbers with an exponent, integral floats, integers beyond the exact range of a
    double, and member names beyond ASCII, which sort by their UTF-16 form.
    """
    waiting, names = [value], []
    for part in waiting:
        kind = type(part)
        # Most parts are strings, which are always simple.
        if kind is dict:
            names += part
            waiting += [inner for inner in part.values() if type(inner) is not str]
        elif kind is list:
            waiting += [inner for inner in part if type(inner) is not str]
        elif kind is int:
            if not -_LARGEST <= part <= _LARGEST:
                return False
        elif kind is float:
            if part.is_integer() or not _PLAIN[0] <= abs(part) <= _PLAIN[1]:
                return False
        elif kind is not str and kind is not bool and part is not None:
            return False
    return {*map(type, names)} <= {str} and "".join(names).isascii()
