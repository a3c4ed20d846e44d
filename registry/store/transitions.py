"""Transitions: which version of a record was in force before a window, and which at its end."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from registry.store.database import Connection, read_rows


class RecordTransition(msgspec.Struct, frozen=True, kw_only=True):
    """A record with the entries of its versions; `before` is None where it was not there."""

    record: str
    before: int | None
    after: int


async def read(
    connection: Connection,
    versions: Sequence[int],
    *,
    entries: tuple[int, int],
    days: tuple[str, str],
    as_of: int,
) -> list[RecordTransition]:
    """Return the records of versions that changed in a window.

    What was filed here changed after the first of the `entries` and until the second; what comes
    from other registers from the first of the `days` to the second, as its source states. No entry
    after `as_of` counts.
    """
    asked = (versions, *entries, *days, as_of)
    return await read_rows(connection, RecordTransition, "transitions", "before_and_after", *asked)
