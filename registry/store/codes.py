"""Short codes of records, as the log gave them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from registry.record.short_code import candidates
from registry.store.database import Connection, read_row, statement

_AT_ONCE = 4


class CodedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The record of a short code, in force or withdrawn, and the entry that gave it the code."""

    code: str
    id: str
    agency: str
    entry: int


async def read(connection: Connection, code: str) -> CodedRecord | None:
    """Return the record that has a code."""
    return await read_row(connection, CodedRecord, "codes", "coded", code)


async def read_taken(connection: Connection, codes: Sequence[str]) -> set[str]:
    """Return those codes of some that a record has."""
    rows = await connection.fetch(statement("codes", "taken"), list(codes))
    return {row["code"] for row in rows}


async def find_free(connection: Connection, record: str) -> str:
    """Return the first code of a record that no record has.

    The caller holds the state's lock.
    """
    tried = candidates(record)
    while True:
        some = [next(tried) for _ in range(_AT_ONCE)]
        taken = await read_taken(connection, some)
        for code in some:
            if code not in taken:
                return code
