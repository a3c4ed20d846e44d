"""The three profiles as JSON Schemas, computed from the one released document.

Draft is the document itself. Foreign adds the three members that nothing can do without.
Publication adds the `x-publication` parts and everything that `x-requirement` asks for.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from registry.record.model import Profile
from registry.record.requirements import (
    ALWAYS,
    Path,
    Unit,
    conditions,
    restricted_units,
    units,
)
from registry.record.schema import record_schema, resolved_schema

ANYTHING: dict[str, Any] = {}
NOTHING: dict[str, Any] = {"not": {}}
FOREIGN_REQUIRED = ("id", "schema_version", "name")
FOREIGN_ID = r"^[^/]*\.[^/]*/"


@cache
def shape(profile: Profile) -> dict[str, Any]:
    """Return what a document must look like in a profile, whatever its circumstances."""
    schema: dict[str, Any] = _with_parts(resolved_schema(), publication=profile == "publication")
    if profile == "foreign":
        schema["required"] = list(FOREIGN_REQUIRED)
        schema["properties"]["id"]["allOf"] = [{"pattern": FOREIGN_ID}]
    return schema


@cache
def profile_schema(profile: Profile) -> dict[str, Any]:
    """Return a profile for any JSON Schema validator.

    For publication it asks for what `requirements` calls an error, and is stricter only where a
    field is lawfully withheld, which a schema cannot say.
    """
    schema = {**shape(profile), "$id": f"{record_schema()['$id']}:{profile}"}
    if profile == "publication":
        schema["allOf"] = [_asked(unit) for unit in units() if unit.alternatives]
    return schema


def _with_parts(node: Any, *, publication: bool) -> Any:
    if isinstance(node, list):
        return [_with_parts(item, publication=publication) for item in node]
    if not isinstance(node, dict):
        return node
    copy = {
        key: _with_parts(value, publication=publication)
        for key, value in node.items()
        if key != "x-publication"
    }
    if publication and "x-publication" in node:
        copy["allOf"] = [node["x-publication"]]
    return copy


def _asked(unit: Unit) -> dict[str, Any]:
    """Write the `if` and `then` of one unit: where it is asked for, it is there."""
    asked: dict[str, Any] = {
        "anyOf": [{"allOf": [_holds(name) for name in names]} for names in unit.grave]
    }
    if unit not in restricted_units():
        asked = {"allOf": [asked, {"not": _holds("restricted")}]}
    part = {"if": asked, "then": {"anyOf": [_there(path, unit) for path in unit.places]}}
    if unit.exclusive:
        part["else"] = {"not": _there(unit.path, unit)}
    return part


def _holds(name: str) -> dict[str, Any]:
    if name == ALWAYS:
        return ANYTHING
    condition = conditions()[name]
    found = {
        "anyOf": [_within(path, {"enum": list(condition.values)}) for path in condition.paths]
        or [NOTHING]
    }
    return {"not": found} if condition.negated else found


def _there(path: Path, unit: Unit) -> dict[str, Any]:
    if unit.field.schema.get("type") == "array" and not unit.empty_answers:
        return _within(path, {"minItems": 1})
    return _within(path, ANYTHING)


def _within(path: Path, schema: dict[str, Any]) -> dict[str, Any]:
    """Ask for a path all the way down, so that nothing holds of an absent value."""
    name, *rest = path
    inner = _within(tuple(rest), schema) if rest else schema
    return {"type": "object", "properties": {name: inner}, "required": [name]}
