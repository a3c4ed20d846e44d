"""Validators: `jsonschema` with bounds and ECMA-262 patterns, and the formats that schemas name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import Any

import msgspec
from jsonschema import Draft202012Validator, FormatChecker, ValidationError, validators

from registry.errors import ConfigurationError
from registry.record.pointers import Place
from registry.resources import SCHEMAS
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


_STANDARD = Draft202012Validator.VALIDATORS
_END = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\$", re.DOTALL)


@lru_cache(maxsize=512)
def ecma(pattern: str) -> re.Pattern[str]:
    """Return a compiled pattern in which `$` matches only at the very end."""
    return re.compile(_END.sub(lambda found: r"\Z" if found[0] == "$" else found[0], pattern))


def build_validator(schema: dict[str, Any]) -> Any:
    """Return a validator. Raises `ConfigurationError` for a format that nothing checks."""
    assert_formats_known(schema)
    return _Validator(schema, format_checker=FORMATS)


@cache
def validator_of(name: str) -> Any:
    """Return the validator of `schemas/<name>.schema.json`, such as `codelist` or `pack`."""
    return build_validator(msgspec.json.decode((SCHEMAS / f"{name}.schema.json").read_bytes()))


def members_at_fault(error: ValidationError) -> Iterator[tuple[Place, str]]:
    """Yield (place, rule) for each member that an error is about, at the member's own place.

    That is a member that is unknown, missing, or no language by its name; else the value itself.
    """
    place: Place = tuple(error.absolute_path)
    rule = str(error.validator)
    if rule == "additionalProperties":
        for name in sorted(set(error.instance) - set(error.schema.get("properties", ()))):
            yield (*place, name), rule
    elif rule == "required":
        for name in error.validator_value:
            if name not in error.instance:
                yield (*place, name), rule
    elif "propertyNames" in error.absolute_schema_path:
        yield (*place, error.instance), "propertyNames"
    else:
        yield place, rule


def _pattern(
    _validator: Any, pattern: str, instance: Any, _schema: dict[str, Any]
) -> Iterator[ValidationError]:
    if isinstance(instance, str) and ecma(pattern).search(instance) is None:
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _within_bounds(check: Callable[..., Iterator[ValidationError]]) -> Callable[..., Any]:
    """Check a keyword only on values that are neither too long nor too short."""

    def bounded(
        validator: Any, value: Any, instance: Any, schema: dict[str, Any]
    ) -> Iterator[ValidationError]:
        if isinstance(instance, (str, list)):
            noun = "Length" if isinstance(instance, str) else "Items"
            most = schema.get(f"max{noun}", len(instance))
            if not schema.get(f"min{noun}", 0) <= len(instance) <= most:
                return
        yield from check(validator, value, instance, schema)

    return bounded


_Validator = validators.extend(
    Draft202012Validator,
    {
        "pattern": _within_bounds(_pattern),
        **{key: _within_bounds(_STANDARD[key]) for key in ("format", "items", "uniqueItems")},
    },
)
