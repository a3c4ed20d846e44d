"""The languages in which a record can be read as a whole."""

from __future__ import annotations

from typing import Any

from registry.record.model import Document
from registry.record.pointers import dig, values_at
from registry.record.schema import text_fields


def readable_languages(document: Document) -> list[str]:
    """Return the languages that every text of a document is in, else the language of its source."""
    found: list[set[str]] = [
        set(text)
        for field in text_fields()
        if field.path[0] != "publication"
        for _, text in values_at(document, field.path)
        if isinstance(text, dict)
    ]
    whole = sorted(set.intersection(*found)) if found else []
    source: Any = dig(document, "languages", "source")
    return whole or ([source] if isinstance(source, str) else [])
