"""Examples beside the fields of the form: what the demonstration records say (CC0)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from registry import resources
from registry.record.model import Document
from registry.record.pointers import dig, values_at

_MOST_LETTERS = 400


@cache
def _records() -> Sequence[Document]:
    """Return the demonstration records as they are now, in the order of their files."""
    return [
        msgspec.json.decode(path.read_bytes())
        for path in sorted(resources.RECORDS.glob("*/*.json"))
        if path.name.count(".") == 1
    ]


def find_example(
    path: tuple[str, ...], document: Document, tags: Sequence[str]
) -> tuple[str, str] | None:
    """Return the language and the text of an example for a text field; None where there is none.

    It is of the nearest system, by sector, what it does and level, in the first of the languages
    that has one, and not what the record says itself.
    """
    for record in sorted(_records(), key=lambda one: -_nearness(one, document)):
        if record["id"] == document.get("id"):
            continue
        texts: list[Mapping[str, Any]] = [
            value for _, value in values_at(record, path) if isinstance(value, dict)
        ]
        for tag in tags:
            for text in texts:
                if 0 < len(text.get(tag, "")) <= _MOST_LETTERS:
                    return tag, text[tag]
    return None


def _nearness(one: Document, other: Document) -> int:
    shared = (("sector", "primary"), 4), (("sector", "function"), 2), (("risk", "level"), 1)
    return sum(
        weight
        for place, weight in shared
        if (said := dig(one, *place)) and said == dig(other, *place)
    )
