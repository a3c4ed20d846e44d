"""Short codes of records: seven characters that a letter can carry and a person can type.

Six characters follow from the record's id, the last one checks them: the sum of the values, each
multiplied by its place's power of the field's generator in GF(32), is nought. All these factors
differ and none is nought, so that no code with one wrong character, and none with two that have
changed places, is one. The alphabet is Crockford's Base32, without I, L, O and U.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from hashlib import sha256
from typing import Literal, TypeAlias

import msgspec

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 7

CodeFault: TypeAlias = Literal["empty", "length", "character", "check"]
"""The fault of a typed text that is no code."""

ALIKE = ("0OQD", "1IL7", "2Z", "5S", "6G", "8B", "VUY", "MN")
"""Characters that are taken for each other, where they are written by hand or printed badly."""

_FIELD = 0b100101
_READ_AS = str.maketrans("OIL", "011")
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_ADDRESS = re.compile(r"^\s*\S*?/r/(?P<code>[^/?#\s]*)/?(?:[?#]\S*)?\s*$", re.IGNORECASE)
_IGNORED = {"Zs", "Zl", "Zp", "Pd", "Pc", "Cc", "Cf", "Lm"}
_MINUS = "\N{MINUS SIGN}"
_LONGEST = 40
"""The characters of a typed text that are read, and repeated."""


class TypedCode(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody typed: `text` as it was read, and the `code` that it is, or else the `fault`.

    `alike` are the groups of `ALIKE` of which the text has a character.
    """

    text: str
    code: str | None = None
    fault: CodeFault | None = None
    alike: tuple[str, ...] = ()


def candidates(record: str) -> Iterator[str]:
    """Yield the codes that a record may get, the first first.

    Each has a letter and a digit, so that no word and no number is one.
    """
    attempt = 0
    while True:
        digest = sha256(f"registry/code/1\0{record}\0{attempt}".encode()).digest()
        bits = int.from_bytes(digest, "big")
        code = with_check("".join(ALPHABET[bits >> 5 * at & 31] for at in range(LENGTH - 1)))
        if not code.isdigit() and not code.isalpha():
            yield code
        attempt += 1


def with_check(stem: str) -> str:
    """Return a code of its first characters: with the one that checks them."""
    return stem + ALPHABET[_sum(stem)]


def is_code(text: object) -> bool:
    """Return whether a value is a code in its canonical form, as the log has it."""
    return (
        isinstance(text, str)
        and len(text) == LENGTH
        and all(character in _VALUES for character in text)
        and with_check(text[:-1]) == text
    )


def spaced(code: str) -> str:
    """Return a code as people are shown it, in two groups."""
    return f"{code[:3]}-{code[3:]}"


def read_code(typed: str) -> TypedCode:
    """Return what somebody typed, or pasted with the whole address, as a code.

    Case, spaces and dashes count for nothing, digits and letters of other forms are read as those
    they stand for, O as 0, and I and L as 1. Nothing else is guessed.
    """
    address = _ADDRESS.match(typed[:1000])
    given = unicodedata.normalize("NFKC", address["code"] if address else typed)[:_LONGEST]
    kept = "".join(
        str(unicodedata.decimal(one, one))
        for one in given
        if one != _MINUS and unicodedata.category(one) not in _IGNORED
    ).upper()
    code = kept.translate(_READ_AS)
    alike = tuple(group for group in ALIKE if any(one in kept for one in group))
    fault: CodeFault | None = None
    if not code:
        fault = "empty"
    elif any(one not in _VALUES for one in code):
        fault = "character"
    elif len(code) != LENGTH:
        fault = "length"
    elif with_check(code[:-1]) != code:
        fault = "check"
    if fault is None:
        return TypedCode(text=code, code=code)
    return TypedCode(text=kept, fault=fault, alike=alike)


def _sum(stem: str) -> int:
    total, factor = 0, 1
    for character in stem:
        factor = _times(factor, 2)
        total ^= _times(factor, _VALUES[character])
    return total


def _times(one: int, other: int) -> int:
    """Multiply in GF(32), whose elements are polynomials modulo x⁵ + x² + 1."""
    product = 0
    while other:
        if other & 1:
            product ^= one
        one <<= 1
        if one & 0b100000:
            one ^= _FIELD
        other >>= 1
    return product
