"""The findings of a record's schema, each at its own place and said once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any, TypeAlias, TypeGuard

from registry.record import shape_messages
from registry.record.field_descriptions import nearest_field
from registry.record.messages import Message, PendingFinding
from registry.record.model import Profile
from registry.record.pack import Pack
from registry.record.pointers import dig, pointer
from registry.record.profiles import shape
from registry.record.schema import Field, field_at, version_of
from registry.record.validators import build_validator

MAX_FINDINGS = 50

MAX_COUNTED = 1000
"""Faults of the format are counted up to this many: a hostile document could have 50,000."""


@cache
def _authority(profile: Profile, version: str) -> Any:
    return build_validator(shape(profile, version))


def shape_remarks(
    document: object, profile: Profile, pack: Pack
) -> tuple[list[PendingFinding], int]:
    """Return the first findings of the schema, and the number of further ones.

    `jsonschema` is the authority. Only those that are returned become messages, which is expensive.
    """
    restricted = dig(document, "publication", "visibility") == "restricted"
    found: list[PendingFinding] = []
    more = 0
    own = None if profile == "foreign" else pack
    version = version_of(document)
    formless: set[_Place] = set()
    for error in _authority(profile, version).iter_errors(document):
        for place, rule, say in _translated(
            error, restricted=restricted, pack=own, version=version
        ):
            if shape_messages.repeats_form(rule, nearest_field(place)):
                if place in formless:
                    continue
                formless.add(place)
            if len(found) < MAX_FINDINGS:
                found.append(PendingFinding(pointer=pointer(place), rule=rule, messages=say()))
            else:
                more += 1
            if len(found) + more == MAX_COUNTED:
                return found, more
    return found, more


_Place: TypeAlias = tuple[str | int, ...]
_Say: TypeAlias = Callable[[], tuple[Message, ...]]


def _translated(
    error: Any, *, restricted: bool, pack: Pack | None, version: str
) -> Iterator[tuple[_Place, str, _Say]]:
    """Yield a finding for each member that an error is about, at that member's own path.

    The codes of the country are those of the `pack`.
    """
    place = tuple(error.absolute_path)
    rule = error.validator
    if rule == "additionalProperties":
        for name in sorted(set(error.instance) - set(error.schema.get("properties", ()))):
            say = partial(
                shape_messages.unknown, name, place, restricted=restricted, version=version
            )
            yield (*place, name), rule, say
    elif rule == "required":
        for name in error.validator_value:
            if name not in error.instance:
                yield (*place, name), rule, partial(shape_messages.needed, name, place)
    elif "propertyNames" in error.absolute_schema_path:
        say = partial(shape_messages.no_language, error.instance)
        yield (*place, error.instance), "propertyNames", say
    else:
        field = nearest_field(place)
        exact = field_at(tuple("*" if isinstance(step, int) else step for step in place))
        if rule == "type" and isinstance(error.instance, dict) and _is_by_language(exact, version):
            yield place, rule, partial(shape_messages.later_by_language, exact)
            return
        yield (
            place,
            rule,
            partial(
                shape_messages.sentence,
                rule,
                error.validator_value,
                error.instance,
                error.schema,
                field,
                codes=None if pack is None or exact is None else pack.codes(exact.lists),
            ),
        )


def _is_by_language(field: Field | None, version: str) -> TypeGuard[Field]:
    """Return whether a later version takes by language what this one has as a line alone."""
    if field is None or field.kind != "LangLine":
        return False
    before = field_at(field.path, version)
    return before is not None and before.kind != "LangLine"
