"""The profiles as JSON Schemas, computed from the released one.

Draft is the document itself. Foreign adds the members that are always needed. Publication
adds the `x-publication` parts; for what `x-requirement` demands see `requirements`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from registry.record.model import Profile
from registry.record.schema import resolved_schema

FOREIGN_REQUIRED = ("id", "schema_version")
FOREIGN_ID = r"^[^/]*\.[^/]*/"


@cache
def shape(profile: Profile) -> dict[str, Any]:
    """Return the schema of a profile, under whatever conditions."""
    schema: dict[str, Any] = _with_parts(resolved_schema(), publication=profile == "publication")
    if profile == "foreign":
        schema["required"] = list(FOREIGN_REQUIRED)
        # A restricted record has no name: little but its existence is told.
        schema["else"] = {"required": ["name"]}
        schema["properties"]["id"]["allOf"] = [{"pattern": FOREIGN_ID}]
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
