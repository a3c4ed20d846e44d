"""What the published records of this country are called, as others are compared with it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from registry.record.model import LangText
from registry.store.database import Connection
from registry.store.sql import statement

_name = msgspec.json.Decoder(LangText | None)


class RecordName(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What another published record of this country is called; told apart by identity."""

    record: str
    agency: str
    name: LangText
    source_id: str | None


class NameChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a record came to be called by an entry of the log; None when it was withdrawn.

    So it is too where the record does not show its name.
    """

    entry: int
    agency: str
    record: str
    namesake: RecordName | None


async def read_since(connection: Connection, entries: Mapping[str, int]) -> list[NameChange]:
    """Read what became of the names of agencies from an entry of each on, in the log's order."""
    rows = await connection.fetch(
        statement("names", "since"), list(entries), list(entries.values())
    )
    return [
        NameChange(
            entry=entry,
            agency=agency,
            record=record,
            namesake=_namesake(record, agency, name, source_id),
        )
        for agency, record, entry, name, source_id in rows
    ]


def _namesake(
    record: str, agency: str, name: str | None, source_id: str | None
) -> RecordName | None:
    called = None if name is None else _name.decode(name)
    if not called:
        # It was never shown, or it was erased.
        return None
    return RecordName(
        record=record,
        agency=agency,
        name=called,
        source_id=None if source_id is None else msgspec.json.decode(source_id),
    )
