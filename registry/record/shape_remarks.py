"""The findings of a record's schema, each once and at its own place."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeGuard

from jsonschema import ValidationError

from registry.record import shape_messages
from registry.record.field_descriptions import nearest_field
from registry.record.messages import Message, PendingFinding
from registry.record.model import Profile
from registry.record.pack import Pack
from registry.record.pointers import Place, dig, field_path, pointer
from registry.record.profiles import shape
from registry.record.schema import Field, field_at, version_of
from registry.record.validators import build_validator, members_at_fault

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
    formless: set[Place] = set()
    for error in _authority(profile, version).iter_errors(document):
        for place, rule in members_at_fault(error):
            if shape_messages.repeats_form(rule, nearest_field(place)):
                if place in formless:
                    continue
                formless.add(place)
            if len(found) < MAX_FINDINGS:
                messages = _messages(
                    error, place, rule, restricted=restricted, pack=own, version=version
                )
                found.append(PendingFinding(pointer=pointer(place), rule=rule, messages=messages))
            else:
                more += 1
            if len(found) + more == MAX_COUNTED:
                return found, more
    return found, more


def _messages(
    error: ValidationError,
    place: Place,
    rule: str,
    *,
    restricted: bool,
    pack: Pack | None,
    version: str,
) -> tuple[Message, ...]:
    """Return the messages of a rule that a member breaks; codes of the country are the pack's."""
    if rule == "additionalProperties":
        return shape_messages.unknown(place, restricted=restricted, version=version)
    if rule == "required":
        return shape_messages.needed(place)
    if rule == "propertyNames":
        return shape_messages.no_language(place)
    exact = field_at(field_path(place))
    if rule == "type" and isinstance(error.instance, dict) and _is_by_language(exact, version):
        return shape_messages.later_by_language(exact)
    return shape_messages.sentence(
        rule,
        error.validator_value,
        error.instance,
        error.schema,
        nearest_field(place),
        codes=None if pack is None or exact is None else pack.codes(exact.lists),
    )


def _is_by_language(field: Field | None, version: str) -> TypeGuard[Field]:
    """Return whether a later version takes by language what this one has as a line alone."""
    if field is None or field.kind != "LangLine":
        return False
    before = field_at(field.path, version)
    return before is not None and before.kind != "LangLine"
