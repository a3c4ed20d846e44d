"""Lines by language: one in the language of the record's source alone stands alone."""

from __future__ import annotations

from typing import Any

from registry.record.model import Document
from registry.record.pointers import dig
from registry.record.schema import Field, document_field


def with_lines_alone(document: Document, first: str) -> Document:
    """Return a document in which lines in the language of its source alone stand alone.

    The source is `first` where the document names none.
    """
    plain: Document = _with_lines_alone(
        document, document_field(), source_language(document, first)
    )
    return plain


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
