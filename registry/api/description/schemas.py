"""Every struct that is answered as a JSON Schema, and the record format as it was released."""

from __future__ import annotations

import inspect
from typing import Any, TypeAlias

import msgspec

from registry.api.description.operations import OPERATIONS, RecordItem
from registry.errors import Finding
from registry.record import redaction
from registry.record.attestation import attestation_schema_bytes
from registry.record.codelists import codelists
from registry.record.schema import record_schema
from registry.record.statements import COMMENT_LENGTH, NOTE_LENGTH
from registry.services.withdrawal import Tombstone

Json: TypeAlias = dict[str, Any]

_PLACE = "#/components/schemas/{name}"

_COMPONENTS = {"LoggedChange": "Change", "StatisticsGroup": "Group", "DiffSpan": "Mark"}
"""Names of components that are not those of their classes: clients are generated from them."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error, RFC 9457: `detail` says what was wrong and how to mend it.

    `request` is the id of the request; whoever runs the register finds its story by it. `findings`
    are at most 50 of `findings_total`.
    """

    type: str
    title: str
    status: int
    detail: str
    request: str
    findings: tuple[Finding, ...] | msgspec.UnsetType = msgspec.UNSET
    findings_total: int | msgspec.UnsetType = msgspec.UNSET
    tombstone: Tombstone | msgspec.UnsetType = msgspec.UNSET


def reference(name: str) -> Json:
    """Refer to a schema."""
    return {"$ref": _PLACE.format(name=name)}


def schemas() -> Json:
    """Write every schema by name."""
    answered = {kind for told in OPERATIONS.values() for kind in told.answers.values()}
    asked = {told.body for told in OPERATIONS.values()}
    kinds = [
        kind
        for kind in answered | asked
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    ]
    found = _components([*kinds, Problem, RecordItem])
    within = _within()
    leaving_out = {kind.__name__ for kind in kinds if kind.__struct_config__.omit_defaults}
    for name, schema in found.items():
        schema["description"] = inspect.cleandoc(schema.get("description", ""))
        left_out = name in leaving_out
        members = {
            member: _exact(member, told, left_out=left_out)
            for member, told in schema["properties"].items()
        }
        schema["properties"] = members | within.get(name, {})
    for kind in asked:
        if isinstance(kind, type):
            found[kind.__name__]["additionalProperties"] = False
    attestation = msgspec.json.decode(attestation_schema_bytes())
    return {
        **dict(sorted(found.items())),
        "Entry": _ENTRY,
        "Record": _placed("Record", record_schema()),
        "AttestationFormat": _placed("AttestationFormat", attestation),
    }


def _components(kinds: list[type]) -> Json:
    """Return the JSON Schema of each struct by the name of its component."""
    _, schemas = msgspec.json.schema_components(kinds, ref_template=_PLACE)

    def renamed(node: Any) -> Any:
        if isinstance(node, list):
            return [renamed(part) for part in node]
        if not isinstance(node, dict):
            return node
        target = str(node.get("$ref", "")).rpartition("/")[2]
        if target in _COMPONENTS:
            return {**node, **reference(_COMPONENTS[target])}
        return {key: renamed(part) for key, part in node.items()}

    return {
        _COMPONENTS.get(name, name): renamed(schema) | {"title": _COMPONENTS.get(name, name)}
        for name, schema in schemas.items()
    }


def _placed(name: str, released: Json) -> Json:
    """Put a released format where it is one of many: its references lead to its own parts."""

    def moved(node: Any) -> Any:
        if isinstance(node, list):
            return [moved(part) for part in node]
        if not isinstance(node, dict):
            return node
        return {
            key: reference(name)["$ref"] + part[1:] if key == "$ref" else moved(part)
            for key, part in node.items()
        }

    return {key: moved(part) for key, part in released.items() if key not in {"$schema", "$id"}}


def _exact(member: str, schema: Json, *, left_out: bool) -> Json:
    """Say of a time that it is one; what is left out where there is none is never null.

    What is answered has no defaults.
    """
    if "anyOf" in schema:
        each = [_exact(member, one, left_out=left_out) for one in schema["anyOf"]]
        some = [one for one in each if not (left_out and one == {"type": "null"})]
        return {"anyOf": some} if len(some) > 1 else some[0]
    exact = {key: part for key, part in schema.items() if key != "default"}
    if member.endswith("_at") and exact.get("type") == "string":
        exact["format"] = "date-time"
    return exact


_ENTRY: Json = {
    "title": "Entry",
    "description": "An entry of the log: exactly the canonical JSON that was hashed.",
    "type": "object",
    "required": ["v", "kind", "at"],
    "properties": {
        "v": {"const": 1},
        "kind": {"enum": ["genesis", "version", "withdrawal", "redaction", "attestation", "key"]},
        "at": {"type": "string", "format": "date-time"},
        "actor": {"type": "string"},
        "id": {"$ref": "#/components/schemas/Record/$defs/RecordId"},
        "agency": {"type": "string"},
        "version": {"type": "integer", "minimum": 1},
        "prev": {"type": ["object", "null"]},
        "sections": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}


def _within() -> Json:
    """Say what no type says: members that are JSON already, and limits, by struct."""
    by_language = reference("Record/$defs/LangText")
    return {
        "RecordAnswer": {"record": reference("Record")},
        "Register": {"findings": {"type": "array", "items": reference("Finding")}},
        "RecordList": {"items": {"type": "array", "items": reference("RecordItem")}},
        "DraftAnswer": {"document": reference("Record")},
        "Change": {"entry": reference("Entry")},
        "LineAnswer": {"problem": reference("Problem")},
        "Withdrawing": {
            "reason": {"enum": list(codelists()["withdrawal_reason"])},
            "note": {**by_language, "additionalProperties": {"maxLength": NOTE_LENGTH}},
        },
        "Redacting": {
            "record": reference("Record/$defs/RecordId"),
            "versions": {
                "type": "array",
                "items": {"type": "integer", "minimum": 1},
                "minItems": 1,
                "maxItems": redaction.MOST_VERSIONS,
                "uniqueItems": True,
            },
            "pointers": {
                "type": "array",
                "items": {"type": "string", "maxLength": redaction.LONGEST_POINTER},
                "minItems": 1,
                "maxItems": redaction.MOST_POINTERS,
                "uniqueItems": True,
            },
            "basis": {"enum": list(codelists()["redaction_reason"])},
            "authority": {
                **reference("Record/$defs/Line"),
                "maxLength": redaction.AUTHORITY_LENGTH,
            },
            "reference": {
                **reference("Record/$defs/Line"),
                "maxLength": redaction.REFERENCE_LENGTH,
            },
        },
        "Returning": {
            "comment": {
                "anyOf": [
                    {**reference("Record/$defs/Text"), "maxLength": COMMENT_LENGTH},
                    {**by_language, "additionalProperties": {"maxLength": COMMENT_LENGTH}},
                ]
            }
        },
    }
