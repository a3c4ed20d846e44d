"""Canonical JSON bytes, RFC 8785: one byte string for one value."""

from __future__ import annotations

from typing import Any

import rfc8785


def canonical(value: Any) -> bytes:
    """Encode a JSON value; raises `ValueError` for what JSON cannot say exactly."""
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise ValueError(str(error)) from error
