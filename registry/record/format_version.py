"""The version of the format that a document needs, and documents moved to the newest one."""

from __future__ import annotations

from functools import cache
from typing import Any

from registry.record.model import Document
from registry.record.pointers import dig, values_at
from registry.record.schema import (
    SCHEMA_VERSION,
    VERSIONS,
    Field,
    document_field,
    field_at,
    fields,
    version_of,
)


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
    plain: Document = _with_lines_alone(
        document, document_field(), source_language(document, first)
    )
    if version_of(plain) == SCHEMA_VERSION or not _newer(plain, version_of(plain)):
        return plain
    return continued(plain)


def source_language(document: Document, first: str) -> str:
    """Return the language that lines which stand alone are in; `first` if the record names none."""
    source = dig(document, "languages", "source")
    return source if isinstance(source, str) else first


def _with_lines_alone(value: Any, field: Field, source: str) -> Any:
    """Return the value of a field with each line that is in one language alone as that line."""
    if field.kind == "LangLine":
        alone = isinstance(value, dict) and value.keys() == {source}
        return value[source] if alone else value
    if field.is_list and isinstance(value, list):
        return [_with_lines_alone(item, field.entry, source) for item in value]
    if field.holds != "group" or not isinstance(value, dict):
        return value
    members = field.members
    return {
        name: _with_lines_alone(part, members[name], source) if name in members else part
        for name, part in value.items()
    }


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
