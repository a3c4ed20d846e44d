"""Statements: what is filed beside a document, such as the note of a withdrawal.

They are checked as a document is, with the same definitions and messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import msgspec

from registry.errors import Finding
from registry.record import shape_messages
from registry.record.codelists import codelists
from registry.record.field_descriptions import quoted
from registry.record.messages import PendingFinding, message, to_finding, translatable
from registry.record.pack import Pack
from registry.record.pointers import parts, pointer, values_at
from registry.record.rules_pack import stray_language
from registry.record.schema import Field, field_at, fields_of, record_schema, resolved
from registry.record.validators import build_validator

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
        self._fields: Mapping[tuple[str, ...], Field] = {
            field.path: field for field in fields_of(whole, ())
        }

    def remarks(self, statement: object) -> list[PendingFinding]:
        """Return a finding for each member that a fault is about, at that member's own path."""
        faults = self._validator.iter_errors(statement)
        found = [remark for fault in faults for remark in self._told(fault)]
        # A fault of missing members is reported once for each of them, and names them all.
        return list({(remark.pointer, remark.rule): remark for remark in found}.values())

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

    def _told(self, fault: Any) -> Iterator[PendingFinding]:
        place = tuple(fault.absolute_path)
        rule = fault.validator
        if rule == "required":
            for name in fault.validator_value:
                if name not in fault.instance:
                    yield PendingFinding(
                        pointer=pointer((*place, name)),
                        rule=rule,
                        messages=shape_messages.lacking(self._fields[*place, name]),
                    )
        elif rule == "additionalProperties":
            known = tuple(fault.schema["properties"])
            for name in sorted(set(fault.instance) - set(known)):
                stray = message("There is no field {name} here.", name=quoted(name))
                fields = message("The fields are: {names}.", names=known)
                yield PendingFinding(
                    pointer=pointer((*place, name)), rule=rule, messages=(stray, fields)
                )
        elif "propertyNames" in fault.absolute_schema_path:
            yield PendingFinding(
                pointer=pointer((*place, fault.instance)),
                rule="propertyNames",
                messages=shape_messages.no_language(fault.instance),
            )
        else:
            field = self._fields.get(place) or self._fields.get(place[:-1])
            messages = shape_messages.sentence(
                rule, fault.validator_value, fault.instance, fault.schema, field
            )
            yield PendingFinding(pointer=pointer(place), rule=rule, messages=messages)


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
    saying = message(
        "{record} is not another record in force. Name the record that takes the place of this "
        "one, or leave the member out.",
        record=quoted(successor),
    )
    found = PendingFinding(pointer="/successor", rule="successor", messages=(saying,))
    return (to_finding(found, language, pack.fallback),)


def check_comment(statement: object, pack: Pack, language: str) -> tuple[Finding, ...]:
    """Return the findings of what a reviewer says who returns a draft.

    It is a `comment`, a text or texts by language, or `comments`, the same by the JSON Pointers of
    the fields that they are about; or both.
    """
    comments = statement.get("comments") if isinstance(statement, dict) else None
    by_field = comments if isinstance(comments, dict) else {}
    found = _remarks(_comment(required=not by_field), statement, pack)
    for place, text in by_field.items():
        path = tuple("*" if part.isdecimal() else part for part in parts(place))
        if not place.startswith("/") or field_at(path) is None:
            saying = message(
                "{place} is not a field of a record. Name a field by its JSON Pointer, such as "
                "{example}.",
                place=quoted(place),
                example="/purpose/goal",
            )
            found.append(
                PendingFinding(
                    pointer=pointer(("comments", place)), rule="field", messages=(saying,)
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
    return _told(found, pack, language)


def check_act_comment(statement: object, pack: Pack, language: str) -> tuple[Finding, ...]:
    """Return the findings of the `comment` of a reviewer who returns what has no fields."""
    return _check(_comment(required=True, of_fields=False), statement, pack, language)


def _check(
    form: StatementSchema, statement: object, pack: Pack, language: str
) -> tuple[Finding, ...]:
    return _told(_remarks(form, statement, pack), pack, language)


def _remarks(form: StatementSchema, statement: object, pack: Pack) -> list[PendingFinding]:
    return form.remarks(statement) or form.languages(statement, pack)


def _told(found: list[PendingFinding], pack: Pack, language: str) -> tuple[Finding, ...]:
    found.sort(key=lambda remark: (remark.pointer, remark.rule))
    return tuple(to_finding(remark, language, pack.fallback) for remark in found)


@cache
def _withdrawal() -> StatementSchema:
    return _form(
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
        return _form(comment=comment, optional=by_field)
    return _form(optional={"comment": comment, **by_field})


def _texts(most: int) -> dict[str, Any]:
    return {"$ref": "#/$defs/LangText", "additionalProperties": {"maxLength": most}}


def _form(
    *,
    optional: Mapping[str, dict[str, Any]] | None = None,
    rules: Mapping[str, Any] | None = None,
    **members: dict[str, Any],
) -> StatementSchema:
    return StatementSchema(
        {
            "type": "object",
            "properties": {**members, **(optional or {})},
            "required": list(members),
            "additionalProperties": False,
            **(rules or {}),
            "$defs": record_schema()["$defs"],
        }
    )
