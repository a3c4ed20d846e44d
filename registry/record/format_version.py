"""The version of the format that a document needs, and documents moved to the newest one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from registry.record.model import Document
from registry.record.pointers import dig, values_at
from registry.record.schema import SCHEMA_VERSION, VERSIONS, Field, field_at, fields, version_of


def least_version(document: Document) -> str:
    """Return the first version of the format that has all that a document states."""
    return next((one for one in VERSIONS if not _newer(document, one)), SCHEMA_VERSION)


def continued(document: Document) -> Document:
    """Return a document in the newest version of the format; nothing else of it changes."""
    if version_of(document) == SCHEMA_VERSION:
        return document
    return {**document, "schema_version": SCHEMA_VERSION}


def settled(document: Document, first: str) -> Document:
    """Return the values typed in a form as a document of the format.

    A line in the language of the record's source alone, or `first` where it names none, stands
    alone, as version 1.0 has it; and the document names the version that has all that it states.
    """
    plain: Document = _with_lines_alone(document, source_language(document, first), _lines())
    if version_of(plain) == SCHEMA_VERSION or not _newer(plain, version_of(plain)):
        return plain
    return continued(plain)


def source_language(document: Document, first: str) -> str:
    """Return the language that lines which stand alone are in; `first` if the record names none."""
    source = dig(document, "languages", "source")
    return source if isinstance(source, str) else first


def _with_lines_alone(node: Any, source: str, lines: Mapping[str, Any]) -> Any:
    """Return a part of a document, of whose members `lines` are, or hold, lines by language."""
    if isinstance(node, list):
        return [_with_lines_alone(item, source, lines) for item in node]
    if not isinstance(node, dict):
        return node
    if lines is _LINE:
        return node[source] if node.keys() == {source} else node
    changed = {
        name: _with_lines_alone(node[name], source, lines[name]) for name in lines if name in node
    }
    return {**node, **changed}


_LINE: Mapping[str, Any] = {}


@cache
def _lines() -> Mapping[str, Any]:
    """Return the members that are, or hold, lines by language: `_LINE` for each of these."""
    found: dict[str, Any] = {}
    for field in fields():
        if field.kind == "LangLine":
            *above, last = [part for part in field.path if part != "*"]
            here = found
            for part in above:
                here = here.setdefault(part, {})
            here[last] = _LINE
    return found


def _newer(document: Document, version: str) -> bool:
    """Return whether a document states what versions after this one added."""
    return any(
        "x-since" in field.schema or isinstance(value, dict)
        for field in _added_since(version)
        for _, value in values_at(document, field.path)
    )


@cache
def _added_since(version: str) -> tuple[Field, ...]:
    """Return the fields that a version does not have, or has by another shape."""
    return tuple(
        field
        for field in fields()
        if (before := field_at(field.path, version)) is None or before.kind != field.kind
    )
