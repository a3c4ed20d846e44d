"""Reading records: one as it stands, its versions."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from litestar import MediaType, Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath

from registry.api import parameters
from registry.api.parameters import AsOfParameter
from registry.errors import Finding, NotFound, Withdrawn
from registry.services.withdrawal import read_tombstone
from registry.store import records, withdrawals
from registry.store.as_of import END, read_entry
from registry.store.database import Connection, Database
from registry.store.records import StoredRecord
from registry.store.withdrawals import Withdrawal

_VERSIONS = range(1, 2**31)


class VersionList(msgspec.Struct, frozen=True, kw_only=True):
    """A record's history, oldest first: its versions, and its withdrawals."""

    items: list[records.VersionLine]
    withdrawals: list[Withdrawal]


class FindingList(msgspec.Struct, frozen=True, kw_only=True):
    """What validation noticed in a record's latest version."""

    items: list[Finding]


@get("/api/v1/records/{agency:str}/{slug:str}", summary="Read a record", tags=["records"])
async def get_record(
    *,
    request: Request[Any, Any, Any],
    agency: FromPath[str],
    slug: FromPath[str],
    state: State,
    as_of: AsOfParameter = None,
) -> Response[bytes]:
    """Read the latest version: the document as filed, and what the register adds."""
    parameters.once(request, "as_of")
    # Two dependencies would each be a task, which takes as long as the question to the database.
    database: Database = state.context.database
    async with database.connection() as connection:
        last = await read_entry(connection, as_of, now=state.clock())
        stored = await _stored(connection, f"{agency}/{slug}", as_of=last)
        if stored.register.state == "withdrawn":
            tombstone = await read_tombstone(connection, stored, as_of=last)
            raise Withdrawn(
                f"{stored.id} was withdrawn on {tombstone.withdrawn_at:%Y-%m-%d}; the tombstone "
                f"says why, and its versions stay at /api/v1/records/{stored.id}/versions",
                tombstone=tombstone,
            )
    return _record(stored)


@get(
    "/api/v1/records/{agency:str}/{slug:str}/versions",
    summary="List a record's versions",
    tags=["records"],
)
async def list_versions(
    *,
    request: Request[Any, Any, Any],
    agency: FromPath[str],
    slug: FromPath[str],
    database: NamedDependency[Database],
    now: NamedDependency[dt.datetime],
    as_of: AsOfParameter = None,
) -> VersionList:
    """List every version ever published, and every withdrawal, oldest first."""
    parameters.once(request, "as_of")
    record = f"{agency}/{slug}"
    async with database.connection() as connection:
        last = await read_entry(connection, as_of, now=now)
        versions = await records.read_versions(connection, record, as_of=last)
        if not versions:
            raise _unknown(f"record {record}", last)
        withdrawn = await withdrawals.read_all(connection, record, as_of=last)
    return VersionList(items=versions, withdrawals=withdrawn)


@get(
    "/api/v1/records/{agency:str}/{slug:str}/versions/{version:int}",
    summary="Read one version",
    tags=["records"],
)
async def get_version(
    *,
    request: Request[Any, Any, Any],
    agency: FromPath[str],
    slug: FromPath[str],
    version: FromPath[int],
    database: NamedDependency[Database],
    now: NamedDependency[dt.datetime],
    as_of: AsOfParameter = None,
) -> Response[bytes]:
    """Read a version as it was published."""
    parameters.once(request, "as_of")
    async with database.connection() as connection:
        last = await read_entry(connection, as_of, now=now)
        return _record(await _stored(connection, f"{agency}/{slug}", version, as_of=last))


@get(
    "/api/v1/records/{agency:str}/{slug:str}/findings",
    summary="List what validation noticed",
    tags=["records"],
)
async def list_findings(
    *,
    request: Request[Any, Any, Any],
    agency: FromPath[str],
    slug: FromPath[str],
    database: NamedDependency[Database],
    now: NamedDependency[dt.datetime],
    as_of: AsOfParameter = None,
) -> FindingList:
    """List the findings that were kept with the latest version."""
    parameters.once(request, "as_of")
    async with database.connection() as connection:
        last = await read_entry(connection, as_of, now=now)
        stored = await _stored(connection, f"{agency}/{slug}", as_of=last)
    return FindingList(items=stored.register.noticed())


async def _stored(
    connection: Connection, record: str, version: int | None = None, *, as_of: int
) -> StoredRecord:
    stored = None
    if version is None or version in _VERSIONS:
        stored = await records.read(connection, record, version, as_of=as_of)
    if stored is None:
        what = f"record {record}" if version is None else f"version {version} of {record}"
        raise _unknown(what, as_of)
    return stored


def _unknown(what: str, as_of: int) -> NotFound:
    then = "" if as_of == END else f" as of entry {as_of}"
    return NotFound(f"there is no {what}{then}")


def _record(stored: StoredRecord) -> Response[bytes]:
    """Answer with a version: canonical JSON, and what the register says beside it.

    A version in force has a strong ETag, in which it shows how many parts were erased of it. One
    that was superseded will not change again, but it did when the next one came: the tag by which
    it was known before must not bring a 304.
    """
    register = stored.register
    headers = {"cache-control": "no-cache"}
    if register.superseded_at is None:
        erased = f"-erased{count}" if (count := len(register.redacted)) else ""
        headers["etag"] = f'"{register.hash[:16]}{erased}"'
    body = b'{"record":' + stored.document + b',"register":' + msgspec.json.encode(register) + b"}"
    return Response(content=body, media_type=MediaType.JSON, headers=headers)
