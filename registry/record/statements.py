"""Statements, which are filed beside documents, such as the note of a withdrawal.

They are checked as a document is, with the same definitions and messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
from jsonschema import ValidationError

from registry.errors import Finding
from registry.record import shape_messages
from registry.record.codelists import codelists
from registry.record.field_descriptions import quoted
from registry.record.messages import (
    Message,
    PendingFinding,
    message,
    to_finding,
    to_findings,
    translatable,
)
from registry.record.pack import Pack
from registry.record.pointers import Place, field_path, parts, pointer, values_at
from registry.record.rules_pack import stray_language
from registry.record.schema import Field, field_at, fields_of, record_schema, resolved
from registry.record.validators import build_validator, members_at_fault

NOTE_LENGTH = 1000
COMMENT_LENGTH = 2000

REPLACED = "replaced"
"""The reason of a withdrawal that names its successor."""


class StatementSchema:
    """A small schema, with the findings of a statement."""

    def __init__(self, schema: dict[str, Any]) -> None:
        """Take a schema; its references lead into its own `$defs`."""
        whole = resolved(schema)
        self._validator = build_validator(whole)
        inner = fields_of(Field(path=(), schema=whole))
        self._fields: Mapping[Place, Field] = {field.path: field for field in inner}

    def remarks(self, statement: object) -> list[PendingFinding]:
        """Return a finding for each member that a fault is about, at that member's own path."""
        # A fault of missing members is reported once for each of them, and names them all.
        found = {
            (place, rule): PendingFinding(
                pointer=pointer(place), rule=rule, messages=self._messages(error, place, rule)
            )
            for error in self._validator.iter_errors(statement)
            for place, rule in members_at_fault(error)
        }
        return list(found.values())

    def languages(self, statement: object, pack: Pack) -> list[PendingFinding]:
        """Return a finding for each text in a language that the register does not have."""
        return [
            stray_language(pointer((*place, tag)), tag, pack.languages)
            for field in self._fields.values()
            for place, text in values_at(statement, field.path)
            if field.kind == "LangText" and isinstance(text, dict)
            for tag in text
            if tag not in pack.languages
        ]

    def _messages(self, error: ValidationError, place: Place, rule: str) -> tuple[Message, ...]:
        if rule == "required":
            return shape_messages.lacking(self._fields[place])
        if rule == "additionalProperties":
            stray = message("There is no field {name} here.", name=quoted(place[-1]))
            known = tuple(error.schema["properties"])
            return (stray, message("The fields are: {names}.", names=known))
        if rule == "propertyNames":
            return shape_messages.no_language(place)
        field = self._fields.get(place) or self._fields.get(place[:-1])
        return shape_messages.sentence(
            rule, error.validator_value, error.instance, error.schema, field
        )


def check_withdrawal(statement: object, pack: Pack, language: str) -> tuple[Finding, ...]:
    """Return the findings of a withdrawal's `reason`, `note` and, if there is one, `successor`."""
    return _check(_withdrawal(), statement, pack, language)


def check_successor(
    statement: Any, record: str, *, in_force: bool, pack: Pack, language: str
) -> tuple[Finding, ...]:
    """Return the finding that the successor of a record is not another record in force."""
    successor = statement.get("successor")
    if successor is None or (in_force and successor != record):
        return ()
    fault = message(
        "{record} is not another record in force. Name the record that takes the place of this "
        "one, or leave it out.",
        record=quoted(successor),
    )
    found = PendingFinding(pointer="/successor", rule="successor", messages=(fault,))
    return (to_finding(found, language, pack.fallback),)


def check_comment(statement: object, pack: Pack, language: str) -> tuple[Finding, ...]:
    """Return the findings of the comments of a reviewer who returns a draft.

    It is a `comment`, a text or texts by language, or `comments`, the same by the JSON Pointers of
    the fields that they are about; or both.
    """
    comments = statement.get("comments") if isinstance(statement, dict) else None
    by_field = comments if isinstance(comments, dict) else {}
    found = _remarks(_comment(required=not by_field), statement, pack)
    for place, text in by_field.items():
        path = field_path(parts(place))
        if not place.startswith("/") or field_at(path) is None:
            fault = message(
                "{place} is not a field of a record. Name a field by its JSON Pointer, such as "
                "{example}.",
                place=quoted(place),
                example="/purpose/goal",
            )
            found.append(
                PendingFinding(
                    pointer=pointer(("comments", place)), rule="field", messages=(fault,)
                )
            )
            continue
        found += [
            msgspec.structs.replace(
                one,
                pointer=pointer(("comments", place)) + one.pointer.removeprefix("/comment"),
            )
            for one in _remarks(_comment(required=True), {"comment": text}, pack)
        ]
    return to_findings(found, language, pack.fallback)


def check_act_comment(statement: object, pack: Pack, language: str) -> tuple[Finding, ...]:
    """Return the findings of the `comment` of a reviewer who returns an act."""
    return _check(_comment(required=True, of_fields=False), statement, pack, language)


def _check(
    schema: StatementSchema, statement: object, pack: Pack, language: str
) -> tuple[Finding, ...]:
    return to_findings(_remarks(schema, statement, pack), language, pack.fallback)


def _remarks(schema: StatementSchema, statement: object, pack: Pack) -> list[PendingFinding]:
    return schema.remarks(statement) or schema.languages(statement, pack)


@cache
def _withdrawal() -> StatementSchema:
    return StatementSchema(withdrawal_schema())


def withdrawal_schema() -> dict[str, Any]:
    """Return the JSON Schema of the statement of a withdrawal."""
    return _statement_schema(
        description="Why a record is withdrawn: a code of the list `withdrawal_reason`, and a note "
        "by language.\n\n`successor` is the id of another record in force that takes its place.",
        reason={
            "title": translatable("Reason"),
            "type": "string",
            "enum": list(codelists()["withdrawal_reason"]),
        },
        note={"title": "Note", **_texts(NOTE_LENGTH)},
        optional={"successor": {"title": translatable("Successor"), "$ref": "#/$defs/RecordId"}},
        rules={
            "if": {"properties": {"reason": {"const": REPLACED}}, "required": ["reason"]},
            "then": {"required": ["successor"]},
        },
    )


@cache
def _comment(*, required: bool, of_fields: bool = True) -> StatementSchema:
    text = {"$ref": "#/$defs/Text", "maxLength": COMMENT_LENGTH}
    comment = {
        "title": translatable("Comment"),
        "x-definition": "LangText",
        "if": {"type": "string"},
        "then": text,
        "else": _texts(COMMENT_LENGTH),
    }
    comments = {"title": translatable("Comments by field"), "type": "object"}
    by_field = {"comments": comments} if of_fields else {}
    if required:
        return StatementSchema(_statement_schema(comment=comment, optional=by_field))
    return StatementSchema(_statement_schema(optional={"comment": comment, **by_field}))


def _texts(most: int) -> dict[str, Any]:
    return {"$ref": "#/$defs/LangText", "additionalProperties": {"maxLength": most}}


def _statement_schema(
    *,
    optional: Mapping[str, dict[str, Any]] | None = None,
    rules: Mapping[str, Any] | None = None,
    description: str = "",
    **members: dict[str, Any],
) -> dict[str, Any]:
    return {
        "description": description,
        "type": "object",
        "properties": {**members, **(optional or {})},
        "required": list(members),
        "additionalProperties": False,
        **(rules or {}),
        "$defs": record_schema()["$defs"],
    }
