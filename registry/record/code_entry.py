"""Entries of the kind `code`: the short code of a record from before there were any."""

from __future__ import annotations

import datetime as dt

from registry.record.canonical import canonical
from registry.record.entry import FORMAT, Previous, chained, timestamp


def code_entry(*, actor: str, at: dt.datetime, record: str, code: str, previous: Previous) -> bytes:
    """Return the entry that gives a record its code; `previous` is the record's entry before."""
    return canonical(
        {
            "v": FORMAT,
            "kind": "code",
            "actor": actor,
            "at": timestamp(at),
            "id": record,
            "code": code,
            **chained(previous, ()),
        }
    )
