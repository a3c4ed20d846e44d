"""The register as linked data: its catalogue, and the context that says what members mean."""

from __future__ import annotations

import datetime as dt

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from registry.errors import NotFound
from registry.exchange.catalogue import Extent, catalogue
from registry.exchange.linked_data import CONTEXT_VERSION, context_bytes
from registry.record.pack import Pack
from registry.settings import Settings
from registry.store import agencies
from registry.store.as_of import read_as_of, read_beginning
from registry.store.database import Database

MEDIA_TYPE = "application/ld+json"
_YEAR = "public, max-age=31536000, immutable"


@get("/api/v1/catalogue", summary="Read the register's catalogue", tags=["reference"])
async def get_catalogue(
    *,
    database: NamedDependency[Database],
    pack: NamedDependency[Pack],
    settings: NamedDependency[Settings],
    now: NamedDependency[dt.datetime],
) -> Response[bytes]:
    """Describe the register and its exports for portals of open data, as DCAT-AP in JSON-LD."""
    async with database.snapshot() as connection:
        moment = await read_as_of(connection, None, now=now)
        began = await read_beginning(connection)
        counted = await agencies.read_all(connection)
    extent = Extent(
        began=began,
        at=moment.at,
        size=moment.entry + 1,
        records=sum(one.records for one in counted),
    )
    return Response(
        content=msgspec.json.encode(catalogue(pack, settings.base_url, extent)),
        media_type=MEDIA_TYPE,
        headers={"cache-control": "no-cache"},
    )


@get("/api/v1/contexts/{version:str}", summary="Read the JSON-LD context", tags=["reference"])
async def get_context(version: FromPath[str]) -> Response[bytes]:
    """Read what the members of exports and of the catalogue mean, exactly as it was released."""
    if version != CONTEXT_VERSION:
        raise NotFound(f"there is no context {version}; there is {CONTEXT_VERSION}")
    return Response(
        content=context_bytes(), media_type=MEDIA_TYPE, headers={"cache-control": _YEAR}
    )
