"""The languages in which a record can be read as a whole."""

from __future__ import annotations

from functools import cache
from typing import Any

from registry.record.model import Document
from registry.record.pointers import dig, values_at
from registry.record.schema import Field, fields


def readable_languages(document: Document) -> list[str]:
    """Return the languages that every text of a document is in, else the language of its source."""
    found: list[set[str]] = [
        set(text)
        for field in _text_fields()
        for _, text in values_at(document, field.path)
        if isinstance(text, dict)
    ]
    whole = sorted(set.intersection(*found)) if found else []
    source: Any = dig(document, "languages", "source")
    return whole or ([source] if isinstance(source, str) else [])


@cache
def _text_fields() -> tuple[Field, ...]:
    return tuple(field for field in fields() if field.is_text and field.path[0] != "publication")
