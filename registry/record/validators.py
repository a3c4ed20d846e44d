"""`jsonschema` validators with two changes: bounds first, and patterns read as ECMA-262.

Python's `$` also matches before a final line feed, which JSON Schema's does not. Comparing
thousands of items for uniqueness, or describing each of them, is not done for a list over its
limit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import Any

import msgspec
from jsonschema import Draft202012Validator, ValidationError, validators

from registry.record.formats import FORMATS, assert_formats_known
from registry.record.pointers import Place
from registry.resources import SCHEMAS

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
