"""The words of a document that people read, as the schema marks them: for search."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from registry.record.schema import record_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from registry.record.model import Document

_LANG_TEXT = "#/$defs/LangText"
_LINE = "#/$defs/Line"


def words(document: Document) -> Iterator[tuple[str, str]]:
    """Walk a document's texts as (language tag, text); "" where the format asks no language."""
    for key, value in document.items():
        child = _members().get(key)
        if child is not None:
            yield from _walk(value, child)


def _walk(value: Any, shape: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for item in value:
            yield from _walk(item, shape)
    elif shape == _LINE:
        yield "", value
    elif shape == _LANG_TEXT:
        yield from value.items()
    else:
        for key, part in value.items():
            if key in shape:
                yield from _walk(part, shape[key])


@cache
def _members() -> dict[str, Any]:
    return _shape(record_schema()) or {}


def _shape(schema: dict[str, Any]) -> Any:
    """Reduce a schema to where its words are: a reference, or members that hold any."""
    reference = schema.get("$ref")
    if reference in {_LANG_TEXT, _LINE}:
        return reference
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
