"""Agencies: the pack's and those that foreign registers brought."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from registry.record.pack import Agency
from registry.store.database import Connection
from registry.store.sql import statement


class CountedAgency(msgspec.Struct, frozen=True, kw_only=True):
    """An agency and how many records it has published."""

    agency: Agency
    records: int


async def save(connection: Connection, agencies: Sequence[Agency]) -> None:
    """Write agencies in place of what was known of them."""
    await connection.execute(
        statement("agencies", "upsert"),
        [agency.id for agency in agencies],
        [msgspec.json.encode(agency).decode() for agency in agencies],
        [agency.origin for agency in agencies],
        [agency.fictitious for agency in agencies],
    )


async def read_all(connection: Connection) -> list[CountedAgency]:
    """Read every agency in the order of ids."""
    return [_counted(row) for row in await connection.fetch(statement("agencies", "all"))]


async def read_origins(connection: Connection) -> dict[str, str | None]:
    """Read the codes of all agencies, with the register that each comes from."""
    rows = await connection.fetch(statement("agencies", "origins"))
    return {row["id"]: row["origin"] for row in rows}


async def fingerprint(connection: Connection) -> str:
    """Give a digest of all that is known of the agencies, which no entry of the log tells of."""
    found: str = await connection.fetchval(statement("agencies", "fingerprint"))
    return found


async def read(connection: Connection, agency: str) -> CountedAgency | None:
    """Read one agency."""
    row = await connection.fetchrow(statement("agencies", "one"), agency)
    return None if row is None else _counted(row)


def _counted(row: dict[str, str]) -> CountedAgency:
    return CountedAgency(
        agency=msgspec.json.decode(row["document"], type=Agency), records=int(row["records"])
    )
