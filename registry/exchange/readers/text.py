"""The text of a source file."""

from __future__ import annotations

import codecs
from pathlib import Path

from registry.errors import ImportRefused

# Ways to write a domain name or a string of a program.
_NO_FILE = frozenset({"punycode", "idna", "undefined", "unicode-escape", "raw-unicode-escape"})
# Encodings in which every byte is a letter; no text in one happens to be UTF-8 beyond ASCII.
_ONE_BYTE = ("cp125", "iso8859", "mac")


def decode(raw: bytes, encoding: str, path: Path) -> str:
    """Return the text. Raises `ImportRefused` with the place of what is no such text."""
    codec = codec_of(encoding)
    try:
        text = raw.decode("unknown" if codecs.lookup(codec).name in _NO_FILE else codec)
    except LookupError as error:
        raise ImportRefused(
            f'{path}: no encoding is named {encoding!r}; name one in "read": {{"encoding": …}}, '
            "such as utf-8, cp1252 or utf-16"
        ) from error
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ImportRefused(
            f"{path}: line {line}, byte {error.start}: not {encoding} text "
            f"(byte 0x{raw[error.start]:02x}); save the file as {encoding}, "
            f'or name its real encoding in the crosswalk ("read": {{"encoding": {_likely(raw)}}})'
        ) from error
    except UnicodeError as error:
        raise ImportRefused(f"{path}: not {encoding} text: {error}") from error
    if codecs.lookup(codec).name.startswith(_ONE_BYTE) and _is_utf_8(raw):
        raise ImportRefused(
            f'{path}: this is UTF-8 text and not {encoding}; say "read": {{"encoding": "utf-8"}}'
        )
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ImportRefused(
            f"{path}: line {line}: a zero byte; this is not a {encoding} text file. If it is "
            'UTF-16, say "read": {"encoding": "utf-16-le"}'
        )
    return text


def codec_of(encoding: str) -> str:
    """Return the codec of an encoding; a byte order mark is not part of the first column's name."""
    return "utf-8-sig" if encoding in {"utf-8", "utf8"} else encoding


def _is_utf_8(raw: bytes) -> bool:
    """Return whether there are bytes beyond ASCII, and all of them form letters of UTF-8."""
    if raw.isascii():
        return False
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _likely(raw: bytes) -> str:
    if _is_utf_8(raw):
        return '"utf-8"'
    try:
        raw.decode("cp1252")
    except UnicodeDecodeError:
        return "…"
    return '"cp1252"'
