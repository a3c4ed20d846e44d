"""How a stored row differs from the one that follows from an entry, as a sentence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

from registry.log.replay import LogInconsistent
from registry.record.pack import Agency
from registry.store.log import Entry

DATABASE = "the database"

_JSON_COLUMNS = {"findings", "change_note", "codes", "card", "name", "summary", "rest", "document"}
_UNBOUND = {"verdict_salt"}
"""What follows from no entry, or is compared before."""
_LONGEST = 120
_UNREADABLE = (msgspec.MsgspecError, ValueError, TypeError, LookupError, AttributeError)


def compare(
    table: str, entry: Entry, stored: Mapping[str, Any] | None, derived: Mapping[str, Any] | None
) -> None:
    """Compare an entry's row of a table with the derived one, None where there is none.

    Raises `LogInconsistent` with the first column that differs.
    """
    key = _key(entry, stored or derived or {})
    if derived is None:
        if stored is not None:
            raise differs(table, entry, key, "is stored, and no such row follows from the log")
        return
    if stored is None:
        raise differs(table, entry, key, "is missing, and follows from the log")
    for column, value in derived.items():
        if column in _UNBOUND:
            continue
        with reading(f"{DATABASE}, table {table}, {key}, column {column}", entry.index):
            here = plain(column, stored[column])
        there = plain(column, value)
        if here != there:
            raise differs(table, entry, key, unlike(column, here, there))


@contextmanager
def reading(where: str, index: int | None) -> Iterator[None]:
    """Take a stored value that cannot be read for a fault of an entry: no JSON, or of other types.

    Raises `LogInconsistent`.
    """
    try:
        yield
    except _UNREADABLE as error:
        why = f"cannot be read ({type(error).__name__}: {str(error)[:_LONGEST]})"
        raise LogInconsistent(where, index, why) from error


def check_agency(index: int, *, stored: Agency | None, logged: Agency) -> None:
    """Compare an agency with its last entry, which has an index.

    Raises `LogInconsistent` with the first fact that differs.
    """
    where = f"{DATABASE}, table agency, {logged.id}"
    if stored is None:
        raise LogInconsistent(where, index, "is missing, and follows from the log")
    if stored != logged:
        now, then = msgspec.to_builtins(stored), msgspec.to_builtins(logged)
        raise LogInconsistent(where, index, unlike("document", now, then))


def _key(entry: Entry, row: Mapping[str, Any]) -> str:
    named = row.get("record") or row.get("id") or row.get("agency") or entry.record or ""
    return f"{named} {row['version']}" if "version" in row and "id" not in row else str(named)


def plain(column: str, value: Any) -> Any:
    """Return a value as it is compared: JSON by what it says, codes in any order."""
    if column in _JSON_COLUMNS and isinstance(value, str):
        value = msgspec.json.decode(value)
    if column == "codes":
        return {kind: sorted(codes) for kind, codes in value.items()}
    if column == "pointers":
        return sorted(value)
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def unlike(column: str, stored: Any, derived: Any) -> str:
    """Return in what a column differs, of objects their first member that does."""
    if isinstance(stored, dict) and isinstance(derived, dict):
        names = sorted({*stored, *derived})
        name = next(one for one in names if stored.get(one) != derived.get(one))
        return unlike(f"{column}, {name}", stored.get(name), derived.get(name))
    return f"{column} is {_shown(stored)}, and {_shown(derived)} follows from the log"


def _shown(value: Any) -> str:
    text = msgspec.json.encode(value, enc_hook=str).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def differs(table: str, entry: Entry, key: str, why: str) -> LogInconsistent:
    """Return the error that names a row by table, key and entry."""
    return LogInconsistent(f"{DATABASE}, table {table}, {key}", entry.index, why)
