"""Reading records: one as it stands, its versions."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from litestar import MediaType, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from registry.api import parameters
from registry.api.parameters import AsOf
from registry.errors import Finding, NotFound, Withdrawn
from registry.office.withdrawing import read_tombstone
from registry.store import moments, records, withdrawals
from registry.store.database import Connection, Database
from registry.store.records import Register, StoredRecord
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
    database: NamedDependency[Database],
    now: NamedDependency[dt.datetime],
    as_of: AsOf = None,
) -> Response[bytes]:
    """Read the latest version: the document as filed, and what the register adds."""
    parameters.once(request, "as_of")
    async with database.connection() as connection:
        last = await moments.read_entry(connection, as_of, now=now)
        stored = await _stored(connection, f"{agency}/{slug}", as_of=last)
        if stored.register.state == "withdrawn":
            tombstone = await read_tombstone(connection, stored, as_of=last)
            raise Withdrawn(
                f"{stored.id} was withdrawn on {tombstone.withdrawn_at:%Y-%m-%d}; the tombstone "
                f"says why, and its versions stay at /api/v1/records/{stored.id}/versions",
                tombstone=tombstone,
            )
    # Where this is asked without a query, a compressed form may be answered.
    return _record(stored, {"vary": "accept-encoding"})


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
    as_of: AsOf = None,
) -> VersionList:
    """List every version ever published, and every withdrawal, oldest first."""
    parameters.once(request, "as_of")
    async with database.connection() as connection:
        last = await moments.read_entry(connection, as_of, now=now)
        stored = await _stored(connection, f"{agency}/{slug}", as_of=last)
        withdrawn = await withdrawals.read_all(connection, stored.id, as_of=last)
    return VersionList(items=stored.versions, withdrawals=withdrawn)


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
    as_of: AsOf = None,
) -> Response[bytes]:
    """Read a version as it was published."""
    parameters.once(request, "as_of")
    async with database.connection() as connection:
        last = await moments.read_entry(connection, as_of, now=now)
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
    as_of: AsOf = None,
) -> FindingList:
    """List the findings that were kept with the latest version."""
    parameters.once(request, "as_of")
    async with database.connection() as connection:
        last = await moments.read_entry(connection, as_of, now=now)
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
        then = "" if as_of == moments.END else f" as of entry {as_of}"
        raise NotFound(f"there is no {what}{then}")
    return stored


def _record(stored: StoredRecord, headers: dict[str, str] | None = None) -> Response[bytes]:
    body = written(stored.document, stored.register)
    if stored.register.superseded_at is not None:
        # The version will not change again, but it did when the next one came: the tag by which
        # it was known before must not bring a 304.
        return _json(body, headers or {})
    return _json(body, {**(headers or {}), "etag": tag_of(stored.register)})


def written(document: bytes, register: Register) -> bytes:
    """Write the answer that shows a version: canonical JSON, and what the register says."""
    return b'{"record":' + document + b',"register":' + msgspec.json.encode(register) + b"}"


def tag_of(register: Register) -> str:
    """Give the strong ETag of a version in force; what was erased since tells itself apart."""
    erased = f"-erased{count}" if (count := len(register.redacted)) else ""
    return f'"{register.hash[:16]}{erased}"'


def _json(body: bytes, headers: dict[str, str]) -> Response[bytes]:
    return Response(
        content=body,
        media_type=MediaType.JSON,
        headers={"cache-control": "no-cache", **headers},
    )
