"""The formats that schemas name (JSON Schema 2020-12, Validation §7.3); each is checked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jsonschema import FormatChecker

from registry.errors import ConfigurationError
from registry.text.text_safety import first_problem

# RFC 3987 §2.2, for addresses with an authority. The check that jsonschema has as an extra runs
# a grammar parser that takes 8 ms for an ordinary link.
_UCS = (
    "\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef"
    + "".join(f"{chr(plane << 16)}-{chr((plane << 16) + 0xFFFD)}" for plane in range(1, 14))
    + "\U000e1000-\U000efffd"
)
_UNRESERVED = rf"A-Za-z0-9\-._~{_UCS}"
_SUB = "!$&'()*+,;="
_PERCENT = "%[0-9A-Fa-f]{2}"
_PRIVATE = "\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"


def iri_pattern(many: str) -> str:
    """Return the pattern of an absolute IRI with an authority; `many` is `*`, or Python's `*+`.

    A possessive `*+` does not backtrack, so that no link takes long.
    """
    path = rf"(?:[{_UNRESERVED}{_SUB}:@/]|{_PERCENT}){many}"
    query = rf"(?:[{_UNRESERVED}{_SUB}:@/?{_PRIVATE}]|{_PERCENT}){many}"
    fragment = rf"(?:[{_UNRESERVED}{_SUB}:@/?]|{_PERCENT}){many}"
    return (
        rf"^[A-Za-z][A-Za-z0-9+.\-]*://"
        rf"(?:(?:[{_UNRESERVED}{_SUB}:]|{_PERCENT})*@)?"
        rf"(?:\[[0-9A-Fa-fvV:.]+\]|(?:[{_UNRESERVED}{_SUB}]|{_PERCENT}){many})"
        rf"(?::[0-9]*)?(?:/{path})?(?:\?{query})?(?:#{fragment})?$"
    )


_IRI = re.compile(iri_pattern("*+"))


def is_iri(value: object) -> bool:
    """Return whether a string is an absolute IRI with an authority; True for other types."""
    return not isinstance(value, str) or _IRI.fullmatch(value) is not None


def is_plain_text(value: object) -> bool:
    """Return whether a string has no invisible characters; True for other types."""
    return not isinstance(value, str) or first_problem(value) is None


FORMATS = FormatChecker(formats=("date", "email"))
FORMATS.checks("iri")(is_iri)
FORMATS.checks("text")(is_plain_text)


def assert_formats_known(schema: Any) -> None:
    """Raise `ConfigurationError` if a schema names a format that would not be checked."""
    unknown = sorted(set(_formats(schema)) - set(FORMATS.checkers))
    if unknown:
        raise ConfigurationError(f"the format {unknown[0]!r} of a schema is not checked here")


def _formats(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        name = node.get("format")
        if isinstance(name, str):
            yield name
        for value in node.values():
            yield from _formats(value)
    elif isinstance(node, list):
        for item in node:
            yield from _formats(item)
