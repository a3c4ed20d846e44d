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


def words(document: Document) -> Iterator[tuple[str, str, str]]:
    """Walk a document's texts as (pointer, language tag, text), in the order of the schema.

    The pointer of a text in several languages is the same for all; the tag is "" where the format
    asks for no language.
    """
    for key, child in _members().items():
        if key in document:
            yield from _walk(document[key], child, f"/{key}")


def _walk(value: Any, shape: Any, pointer: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _walk(item, shape, f"{pointer}/{number}")
    elif shape == _LINE:
        yield pointer, "", value
    elif shape == _LANG_TEXT:
        for tag, text in value.items():
            yield pointer, tag, text
    else:
        for key, part in shape.items():
            if key in value:
                yield from _walk(value[key], part, f"{pointer}/{key}")


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
