"""Canonical JSON bytes, RFC 8785: one byte string for one value."""

from __future__ import annotations

from typing import Any

import msgspec
import rfc8785

_LARGEST = 2**53 - 1
_SORTED = msgspec.json.Encoder(order="sorted")


def canonical(value: Any) -> bytes:
    """Encode a JSON value; raises `ValueError` for what JSON cannot say exactly."""
    if _is_simple(value):
        # Ten times as fast, and the same bytes, as a test proves.
        return _SORTED.encode(value)
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise ValueError(str(error)) from error


def _is_simple(value: Any) -> bool:
    """Whether nothing in a value is written or sorted by rules that only RFC 8785 has.

    Those are for fractions, for integers that a double does not hold, and for names of members
    beyond ASCII, which sort by their UTF-16 form.
    """
    waiting = [value]
    while waiting:
        part = waiting.pop()
        kind = type(part)
        if kind is dict:
            for name in part:
                if type(name) is not str or not name.isascii():
                    return False
            waiting.extend(part.values())
        elif kind is list:
            waiting.extend(part)
        elif kind is int:
            if not -_LARGEST <= part <= _LARGEST:
                return False
        elif kind is not str and kind is not bool and part is not None:
            return False
    return True
