"""The schemas of `/openapi.json`: of structs by msgspec, and the formats as they were released."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import msgspec
from litestar.handlers import HTTPRouteHandler

from registry.api.operations import OperationFacts, ref
from registry.api.problems import ProblemDetails
from registry.log.entry import entry_schema
from registry.log.redaction import redaction_schema
from registry.record.attestation import attestation_schema_bytes
from registry.record.schema import record_schema
from registry.record.statements import withdrawal_schema

Json: TypeAlias = dict[str, Any]

_COMPONENTS = {
    "DiffSpan": "Mark",
    "LoggedChange": "Change",
    "ProblemDetails": "Problem",
    "StatisticsGroup": "Group",
}
"""Names of components that are not those of their classes: clients are generated from them."""

_OF_STRINGS = ("minLength", "maxLength", "pattern", "format")


STATEMENTS: Mapping[str, Callable[[], Json]] = {
    "Redacting": redaction_schema,
    "Withdrawing": withdrawal_schema,
}
"""The schemas by which statements are checked, by the name of the component."""


def write_schemas(handlers: Iterable[HTTPRouteHandler]) -> Json:
    """Return every schema by name: each stands by itself, without `$defs`."""
    kinds: dict[type[msgspec.Struct], None] = {ProblemDetails: None}
    for handler in handlers:
        facts: OperationFacts = handler.opt.get("facts", OperationFacts())
        answered = [spec.data_container for spec in (handler.responses or {}).values()]
        for kind in (*answered, facts.body, *facts.schemas):
            if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
                kinds[kind] = None
    _, found = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    entry, of_entries = entry_schema()
    found |= of_entries
    leaving_out = {kind.__name__ for kind in kinds if kind.__struct_config__.omit_defaults}
    for name, schema in found.items():
        schema["description"] = inspect.cleandoc(schema.get("description", ""))
        schema["title"] = _COMPONENTS.get(name, name)
        schema["properties"] = {
            member: _answered(member, of, left_out=name in leaving_out)
            for member, of in schema["properties"].items()
        }
    named = {_COMPONENTS.get(name, name): schema for name, schema in found.items()}
    return {
        **{name: _portable(schema) for name, schema in sorted(named.items())},
        "Entry": entry | {"title": "Entry"},
        **{
            part: schema
            for name, statement in STATEMENTS.items()
            for part, schema in _released(name, "Record", statement()).items()
        },
        **_released("Record", "Record", record_schema()),
        **_released(
            "AttestationFormat", "Attestation", msgspec.json.decode(attestation_schema_bytes())
        ),
    }


def _answered(member: str, schema: Json, *, left_out: bool) -> Json:
    """Return a member's schema as it is answered: without a default, and not null if left out.

    Times have an offset always, of which msgspec knows nothing.
    """
    if "anyOf" in schema:
        each = [_answered(member, one, left_out=left_out) for one in schema["anyOf"]]
        some = [one for one in each if not (left_out and one == {"type": "null"})]
        return {"anyOf": some} if len(some) > 1 else some[0]
    exact = {key: part for key, part in schema.items() if key != "default"}
    if member.endswith("_at") and exact.get("type") == "string":
        exact["format"] = "date-time"
    return exact


def _released(name: str, prefix: str, released: Json) -> Json:
    """Return a released format and its definitions as components: RecordLangText and so on."""

    def lifted(part: str) -> str:
        return prefix + part.removeprefix(prefix)

    moved: Json = {}
    for part, of in released["$defs"].items():
        moved[f"#/$defs/{part}"] = ref(lifted(part))
        # What is a part of a definition is no component, and is said again where it is referred to.
        for member, schema in of.get("properties", {}).items():
            moved[f"#/$defs/{part}/properties/{member}"] = schema
    whole = {key: part for key, part in released.items() if key not in {"$schema", "$id", "$defs"}}
    return {
        # A generator that names classes by titles would have two of one name.
        component: _portable(schema, moved) | {"title": component}
        for component, schema in [
            (name, whole),
            *((lifted(part), of) for part, of in released["$defs"].items()),
        ]
    }


def _portable(node: Any, moved: Mapping[str, Json] = {}) -> Any:
    """Return a schema that generators of clients digest: components for references, no booleans.

    `moved` has what stands in the place of a reference.
    """
    if isinstance(node, list):
        return [_portable(part, moved) for part in node]
    if not isinstance(node, dict):
        return node
    schema = {key: _portable(part, moved) for key, part in node.items()}
    if isinstance(kinds := schema.get("type"), list) and {"string", "object"} == set(kinds):
        told = {key: schema.pop(key) for key in ("title", "description") if key in schema}
        # Generators make one type of a schema: a line is said apart from the texts.
        line = {key: schema.pop(key) for key in _OF_STRINGS if key in schema}
        return {**told, "anyOf": [{**line, "type": "string"}, {**schema, "type": "object"}]}
    if isinstance(target := schema.get("$ref"), str):
        del schema["$ref"]
        name = target.rpartition("/")[2]
        schema = {**moved.get(target, ref(_COMPONENTS.get(name, name))), **schema}
    if schema.get("items") is False:
        each = schema.pop("prefixItems")
        schema["items"] = each[0] if all(one == each[0] for one in each) else {"anyOf": each}
    if isinstance(members := schema.get("properties"), dict):
        schema["properties"] = {
            name: {} if member is True else member for name, member in members.items()
        }
    return schema
