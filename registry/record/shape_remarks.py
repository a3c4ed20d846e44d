"""The findings of a record's schema, each once and at its own place."""

from __future__ import annotations

from functools import cache
from typing import Any

from jsonschema import ValidationError

from registry.record import shape_messages
from registry.record.field_descriptions import nearest_field
from registry.record.messages import Message, PendingFinding
from registry.record.model import Profile
from registry.record.pack import Pack
from registry.record.pointers import Place, dig, field_path, pointer
from registry.record.profiles import shape
from registry.record.schema import field_at
from registry.record.validators import build_validator, members_at_fault

MAX_FINDINGS = 50

MAX_COUNTED = 1000
"""Faults of the format are counted up to this many: a hostile document could have 50,000."""


@cache
def _authority(profile: Profile) -> Any:
    return build_validator(shape(profile))


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
    formless: set[Place] = set()
    for error in _authority(profile).iter_errors(document):
        for place, rule in members_at_fault(error):
            if shape_messages.repeats_form(rule, nearest_field(place)):
                if place in formless:
                    continue
                formless.add(place)
            if len(found) < MAX_FINDINGS:
                messages = _messages(error, place, rule, restricted=restricted, pack=own)
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
) -> tuple[Message, ...]:
    """Return the messages of a rule that a member breaks; codes of the country are the pack's."""
    if rule == "additionalProperties":
        return shape_messages.unknown(place, restricted=restricted)
    if rule == "required":
        return shape_messages.needed(place)
    if rule == "propertyNames":
        return shape_messages.no_language(place)
    exact = field_at(field_path(place))
    return shape_messages.sentence(
        rule,
        error.validator_value,
        error.instance,
        error.schema,
        nearest_field(place),
        codes=None if pack is None or exact is None else pack.codes(exact.lists),
    )
