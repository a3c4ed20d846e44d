"""Standard base64, RFC 4648 §4, in its one canonical form: padded, without stray bits or signs."""

from __future__ import annotations

import base64
import binascii


def encode(raw: bytes) -> str:
    """Return bytes as base64."""
    return base64.b64encode(raw).decode("ascii")


def decode(text: str, size: int | None = None) -> bytes:
    """Return the bytes of a base64 text. Raises `ValueError` unless it is canonical, of `size`."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("this is not base64") from error
    if encode(raw) != text:
        raise ValueError("this is not base64 in its canonical form")
    if size is not None and len(raw) != size:
        raise ValueError(f"this is base64 of {len(raw)} bytes, not of {size}")
    return raw
