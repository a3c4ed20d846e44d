"""Documents of another register of this software, made foreign: their ids get a prefix."""

from __future__ import annotations

from typing import Any

import msgspec

from registry.exchange.cells import RowRefused
from registry.exchange.columns import cell_at
from registry.record.model import Document


def foreign_document(cells: dict[str, Any], column: str, prefix: str) -> tuple[Document, str]:
    """Return a copy of the document in a row, and its own id; the copy's id is empty.

    Raises `RowRefused` if there is no document.
    """
    found = cell_at(cells, column)
    own = found.get("id") if isinstance(found, dict) else None
    if not isinstance(own, str) or own.count("/") != 1:
        raise RowRefused(f"{column}: there is no record, an object with an id such as agency/name")
    copy: Document = msgspec.json.decode(msgspec.json.encode(found))
    return prefixed(copy, prefix) | {"id": ""}, own


def prefixed(document: Document, prefix: str) -> Document:
    """Return a document with the prefix before its id, and before those of related records."""
    made = {**document, "id": f"{prefix}.{document.get('id')}"}
    related = made.get("related_records")
    if isinstance(related, list):
        made["related_records"] = [
            {**one, "record": f"{prefix}.{one['record']}"}
            if isinstance(one, dict) and isinstance(one.get("record"), str)
            else one
            for one in related
        ]
    return made
