"""The texts of a document that are searched, as the schema marks them."""

from __future__ import annotations

from functools import cache
from typing import Any

from registry.record.model import Document
from registry.record.schema import record_schema

_LANG_TEXT = "#/$defs/LangText"
_LINE = "#/$defs/Line"
_LANG_LINE = "#/$defs/LangLine"


def search_texts(document: Document) -> list[tuple[str, str, str]]:
    """Return a document's texts as (pointer, language tag, text), in the order of the schema.

    A text in several languages has one pointer, and its languages are sorted by tag; the tag is ""
    where the format has no language.
    """
    found: list[tuple[str, str, str]] = []
    _walk(document, _members(), "", found)
    return found


def _walk(value: Any, shape: Any, pointer: str, found: list[tuple[str, str, str]]) -> None:
    if isinstance(value, list):
        for number, item in enumerate(value):
            _walk(item, shape, f"{pointer}/{number}", found)
    elif shape is _LINE or (shape is _LANG_LINE and isinstance(value, str)):
        found.append((pointer, "", value))
    elif shape is _LANG_TEXT or shape is _LANG_LINE:
        found.extend([(pointer, tag, value[tag]) for tag in sorted(value)])
    else:
        for key, part in shape.items():
            if key in value:
                _walk(value[key], part, f"{pointer}/{key}", found)


@cache
def _members() -> dict[str, Any]:
    return _shape(record_schema()) or {}


def _shape(schema: dict[str, Any]) -> Any:
    """Return a schema reduced to where its texts are: a reference, or members that have any."""
    reference = schema.get("$ref")
    for kind in (_LANG_TEXT, _LINE, _LANG_LINE):
        if reference == kind:
            return kind
    if reference is not None:
        rest = {key: part for key, part in schema.items() if key != "$ref"}
        return _shape(_referenced(reference) | rest)
    if "items" in schema:
        return _shape(schema["items"])
    members = {key: _shape(part) for key, part in schema.get("properties", {}).items()}
    return {key: shape for key, shape in members.items() if shape} or None


def _referenced(reference: str) -> dict[str, Any]:
    found: Any = record_schema()
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)
