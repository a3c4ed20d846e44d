"""The texts of a document that are searched, as the schema marks them."""

from __future__ import annotations

from functools import cache
from typing import Any

from registry.record.model import Document
from registry.record.schema import Field, document_field


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
    elif shape is not _TEXT:
        for key, part in shape.items():
            if key in value:
                _walk(value[key], part, f"{pointer}/{key}", found)
    elif isinstance(value, str):
        found.append((pointer, "", value))
    else:
        found.extend([(pointer, tag, value[tag]) for tag in sorted(value)])


_TEXT: dict[str, Any] = {}


@cache
def _members() -> dict[str, Any]:
    return _shape(document_field()) or {}


def _shape(field: Field) -> Any:
    """Return what of a field is searched: `_TEXT`, or the members that have any."""
    if field.is_text or field.kind == "Line":
        return _TEXT
    if field.is_list:
        return _shape(field.entry)
    members = {name: _shape(member) for name, member in field.members.items()}
    return {name: shape for name, shape in members.items() if shape is not None} or None
