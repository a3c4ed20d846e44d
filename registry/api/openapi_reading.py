"""The description of what reads alone, for readers and assistants: the whole one made small."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import msgspec

from registry.record.facts import facts
from registry.record.schema import SCHEMA_VERSION

READING_PATH = "/api/v1/openapi-read.json"

Json: TypeAlias = dict[str, Any]

_ABOUT = """
What can be read of this register, without a token; `/openapi.json` describes everything.

**Every fact is a question.** A fact is named by its path in a record (schema `Fact`). As a
parameter of search and exports it takes what is stated (`data.hosting.country=MA`; repeated: or),
with `.from` and `.until` a range of numbers or days, after `kind.` the kind of the answer: stated,
asked_not_stated, not_asked, withheld, restricted. `has` and `lacks` take facts; so do `facets`
(counts of what is stated) and `by` (a table of one or two, with what is not said, days by `:year`
or `:month`). Conditions on members of one list hold of one item. A fault is a problem (RFC 9457)
that says what to mend.
"""

_RECORDS = "/api/v1/records"

_TAGS = frozenset({"records", "attestations", "log", "reference"})
"""The tags of what is described; workbooks, and what is behind an import, are not."""

_FOR_PEOPLE = (".xlsx", ".jsonld", ".csv", "/proof")
"""What the paths of other forms of a file, and of what is verified by a command, end with."""

_UNREAD: Json = {"security": ()}

_MANY = 60
"""Codes from which on a list of them is not repeated."""

_FACT = "#/components/schemas/Fact"


def for_reading(whole: Json) -> Json:
    """Return the description of the operations that read without a token, out of the whole one."""
    paths = {
        path: {"get": _operation(methods["get"], is_of_records=path.startswith(_RECORDS))}
        for path, methods in whole["paths"].items()
        if "security" not in methods.get("get", _UNREAD)
        and not _TAGS.isdisjoint(methods["get"]["tags"])
        and not path.endswith(_FOR_PEOPLE)
    }
    shared = _share_parameters(paths)
    own = {
        "Fact": {"title": "Fact", "type": "string", "enum": [*facts()]},
        "FactFilters": {
            "title": "FactFilters",
            "description": "By fact, also with `.from`, `.until`, or after `kind.`",
            "type": "object",
            "propertyNames": {
                "anyOf": [{"$ref": _FACT}, {"pattern": r"^kind\\.|\\.(from|until|exact|tree)$"}]
            },
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
        "Record": {
            "title": "Record",
            "description": f"As /api/v1/schemas/record/{SCHEMA_VERSION} describes it.",
            "type": "object",
        },
    }
    known = whole["components"]["schemas"] | own
    schemas: Json = {}
    waiting = [*_references([paths, shared]), "Fact"]
    while waiting:
        name = waiting.pop()
        if name not in schemas:
            schemas[name] = {key: part for key, part in known[name].items() if key != "title"}
            waiting += _references(known[name])
    return {
        "openapi": whole["openapi"],
        "info": whole["info"] | {"description": _ABOUT},
        "servers": whole["servers"],
        "paths": paths,
        "components": {"parameters": shared, "schemas": dict(sorted(schemas.items()))},
    }


def _operation(operation: Json, *, is_of_records: bool) -> Json:
    answered = operation["responses"]["200"]
    if not is_of_records:
        # What is answered says itself what it is; the whole description has its schema.
        answered = {"description": answered["description"]}
    kept = {key: operation[key] for key in ("operationId", "summary", "description")}
    return kept | {
        "parameters": [_parameter(one) for one in operation["parameters"] if one["in"] != "header"],
        "responses": {
            "200": {key: answered[key] for key in ("description", "content") if key in answered}
        },
    }


def _parameter(parameter: Json) -> Json:
    """Return a parameter without a list of codes that is as long as that of facts."""
    holds = parameter["schema"]
    codes = holds.get("items", holds)
    if len(codes.get("enum", ())) <= _MANY:
        return parameter
    short = {"$ref": _FACT} if codes["enum"] == [*facts()] else {"type": "string"}
    return parameter | {"schema": holds | {"items": short} if "items" in holds else short}


def _share_parameters(paths: Json) -> Json:
    """Refer to parameters that several operations have; return them by name."""
    operations = [methods["get"] for methods in paths.values()]
    written = [msgspec.json.encode(one) for each in operations for one in each["parameters"]]
    shared: Json = {}
    for operation in operations:
        for place, one in enumerate(operation["parameters"]):
            name = one["name"]
            if written.count(msgspec.json.encode(one)) > 1 and shared.setdefault(name, one) == one:
                operation["parameters"][place] = {"$ref": f"#/components/parameters/{name}"}
    return shared


def _references(part: Any) -> Iterator[str]:
    """Yield the names of the schemas that a part of a description refers to."""
    if isinstance(part, dict):
        name = part.get("$ref")
        if isinstance(name, str) and name.startswith("#/components/schemas/"):
            yield name.rpartition("/")[2]
        part = list(part.values())
    for one in part if isinstance(part, list) else ():
        yield from _references(one)
