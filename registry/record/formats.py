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


# What a mail program reads as the end of the mailbox, or as another one.
_MAILBOX = re.compile(r"[^\s@?&,;:\"<>()\[\]#%|]+@[^\s@?&,;:\"<>()\[\]#%|/]+")
_DIRECTING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def is_iri(value: object) -> bool:
    """Return whether a string is an absolute IRI that shows where it leads; True for other types.

    What stands before an `@`, and escapes in the name of a host, lead elsewhere than they seem to;
    so does what is invisible or turns the direction.
    """
    if not isinstance(value, str):
        return True
    if _IRI.fullmatch(value) is None:
        return False
    authority = re.split("[/?#]", value.partition("//")[2], maxsplit=1)[0]
    return not set("@%") & set(authority) and _is_as_seen(value)


def is_mailbox(value: object) -> bool:
    """Return whether a string is one mailbox and nothing else; True for other types.

    An address with `?`, `&` or a comma would give a mail other receivers.
    """
    if not isinstance(value, str):
        return True
    return _MAILBOX.fullmatch(value) is not None and _is_as_seen(value)


def _is_as_seen(value: str) -> bool:
    return _DIRECTING.search(value) is None and first_problem(value) is None


def is_plain_text(value: object) -> bool:
    """Return whether a string has no invisible characters; True for other types."""
    return not isinstance(value, str) or first_problem(value) is None


FORMATS = FormatChecker(formats=("date",))
FORMATS.checks("iri")(is_iri)
FORMATS.checks("email")(is_mailbox)
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
