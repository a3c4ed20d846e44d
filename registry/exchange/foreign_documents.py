"""Documents of another register of this software, made foreign: their ids get a prefix."""

from __future__ import annotations

from typing import Any

import msgspec

from registry.exchange.cells import RowRefused
from registry.exchange.columns import cell_at
from registry.record.model import Document


def foreign_document(cells: dict[str, Any], column: str, prefix: str) -> tuple[Document, str]:
    """Return a copy of the document in a row, and its own id; the copy's id is empty.

    Related records are those of that register too. Raises `RowRefused` if there is no document.
    """
    found = cell_at(cells, column)
    own = found.get("id") if isinstance(found, dict) else None
    if not isinstance(own, str) or own.count("/") != 1:
        raise RowRefused(f"{column}: there is no record, an object with an id such as agency/name")
    document: Document = msgspec.json.decode(msgspec.json.encode(found)) | {"id": ""}
    related = document.get("related_records")
    for one in related if isinstance(related, list) else ():
        if isinstance(one, dict) and isinstance(one.get("record"), str):
            one["record"] = f"{prefix}.{one['record']}"
    return document, own
