"""Agencies: those of the country pack, and those of foreign registers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress

import msgspec

from registry.log.configuration import read_pack_agencies
from registry.record.pack import Agency
from registry.store.database import Connection, statement


class CountedAgency(msgspec.Struct, frozen=True, kw_only=True):
    """An agency and the number of its published records."""

    agency: Agency
    records: int


class LoggedAgency(msgspec.Struct, frozen=True, kw_only=True):
    """An agency as its last entry in the log states it; `leaf` is the entry's 32-byte hash."""

    agency: Agency
    entry: int
    leaf: bytes


async def save(connection: Connection, agencies: Sequence[Agency]) -> list[str]:
    """Insert or replace agencies; return the ids of those that were not stored so."""
    rows = await connection.fetch(
        statement("agencies", "upsert"),
        [agency.id for agency in agencies],
        [agency_document(agency) for agency in agencies],
        [agency.origin for agency in agencies],
        [agency.fictitious for agency in agencies],
    )
    return [row["id"] for row in rows]


def agency_document(agency: Agency) -> str:
    """Return the JSON of an agency, whatever the order of its names."""
    return msgspec.json.encode(agency, order="deterministic").decode()


async def read_versions(connection: Connection, ids: Sequence[str]) -> list[int]:
    """Return the entries of all versions of agencies."""
    rows = await connection.fetch(statement("agencies", "versions"), list(ids))
    return [row["entry"] for row in rows]


async def read_all(connection: Connection) -> list[CountedAgency]:
    """Return every agency, sorted by id."""
    return [_counted(row) for row in await connection.fetch(statement("agencies", "all"))]


async def read_local(connection: Connection) -> list[Agency]:
    """Return the agencies of the pack and those that were added, of which rows can be read."""
    found = []
    for row in await connection.fetch(statement("agencies", "local")):
        with suppress(msgspec.DecodeError):
            found.append(msgspec.json.decode(row["document"], type=Agency))
    return found


async def read_origins(connection: Connection) -> dict[str, str | None]:
    """Return the register of origin of every agency, by code."""
    rows = await connection.fetch(statement("agencies", "origins"))
    return {row["id"]: row["origin"] for row in rows}


async def fingerprint(connection: Connection) -> str:
    """Return a digest of all agencies, whose changes are not in the log."""
    found: str = await connection.fetchval(statement("agencies", "fingerprint"))
    return found


async def read(connection: Connection, agency: str) -> CountedAgency | None:
    """Return an agency."""
    row = await connection.fetchrow(statement("agencies", "one"), agency)
    return None if row is None else _counted(row)


async def read_named(connection: Connection, ids: Collection[str]) -> dict[str, Agency]:
    """Return those agencies of some ids that there are, by id."""
    rows = await connection.fetch(statement("agencies", "named"), list(ids))
    found = [msgspec.json.decode(row["document"], type=Agency) for row in rows]
    return {agency.id: agency for agency in found}


async def read_named_by_log(
    connection: Connection, ids: Collection[str] | None = None
) -> dict[str, LoggedAgency]:
    """Return what the log says of some agencies, or of all, as far as it does, by id."""
    asked = None if ids is None else list(ids)
    rows = await connection.fetch(statement("agencies", "named_by_log"), asked)
    return {
        row["agency"]: LoggedAgency(
            agency=msgspec.json.decode(row["document"], type=Agency),
            entry=row["entry"],
            leaf=row["leaf"],
        )
        for row in rows
    }


async def read_configured(connection: Connection) -> dict[str, Agency]:
    """Return the agencies of the country packs that the log states, by id; of each the last."""
    found: dict[str, Agency] = {}
    for row in await connection.fetch(statement("agencies", "configured")):
        found |= read_pack_agencies(row["value"])
    return found


async def read_unnamed(connection: Connection) -> list[Agency]:
    """Return the agencies that have something in the log, which does not say their names yet."""
    rows = await connection.fetch(statement("agencies", "unnamed"))
    return [msgspec.json.decode(row["document"], type=Agency) for row in rows]


def _counted(row: dict[str, str]) -> CountedAgency:
    return CountedAgency(
        agency=msgspec.json.decode(row["document"], type=Agency), records=int(row["records"])
    )


class RecordKinds(msgspec.Struct, frozen=True):
    """Whether records are in force: of real agencies here, of any here, of other registers.

    `copied` are those of real agencies there, `invented` those of fictitious ones.
    """

    real: bool
    filed: bool
    copied: bool
    invented: bool


async def read_kinds(connection: Connection) -> RecordKinds:
    """Return which kinds of records are in force."""
    row = await connection.fetchrow(statement("agencies", "kinds"))
    return RecordKinds(**row)
