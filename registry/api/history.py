"""How versions of a record differ."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Annotated, Any

import msgspec
from litestar import MediaType, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from registry.api import parameters
from registry.errors import InvalidParameter, NotFound
from registry.record.diff import Difference, differences
from registry.record.model import LangText
from registry.store import records
from registry.store.database import Database

_LASTING = "public, max-age=86400, immutable"
"""For a day alone: a redaction must reach whoever keeps an answer."""


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A version that is compared; `hash` is its entry's leaf hash.

    What is `redacted` of it cannot be compared any more.
    """

    version: int
    published_at: dt.datetime
    hash: str
    redacted: list[records.Redacted]


class Comparison(msgspec.Struct, frozen=True, kw_only=True, rename={"earlier": "from"}):
    """How the version `to` differs from the version `from`; the note is that of `to`."""

    id: str
    earlier: Compared
    to: Compared
    change_note: LangText | None
    items: list[Difference]


@get(
    "/api/v1/records/{agency:str}/{slug:str}/changes",
    summary="Compare two versions",
    tags=["records"],
)
async def compare_versions(
    *,
    request: Request[Any, Any, Any],
    agency: FromPath[str],
    slug: FromPath[str],
    database: NamedDependency[Database],
    earlier: Annotated[
        int | None, QueryParameter(name="from", description="A version; else the one before `to`")
    ] = None,
    to: Annotated[int | None, QueryParameter(description="A version; else the latest")] = None,
) -> Response[bytes]:
    """Read what changed between two versions, field by field, in texts word by word.

    Without `from` and `to` they are the last two; withdrawals between them change nothing.
    """
    parameters.once(request, "from", "to")
    record = f"{agency}/{slug}"
    async with database.connection() as connection:
        history = await records.read_versions(connection, record)
        first, second = _asked(record, [line.version for line in history], earlier, to)
        before = await records.read(connection, record, first)
        after = await records.read(connection, record, second)
    if before is None or after is None:
        raise NotFound(f"there is no record {record}")
    # Not for long; but others need not wait for two large documents.
    items = await asyncio.to_thread(
        differences, msgspec.json.decode(before.document), msgspec.json.decode(after.document)
    )
    comparison = Comparison(
        id=record,
        earlier=_compared(before),
        to=_compared(after),
        change_note=next(line.change_note for line in history if line.version == second),
        items=items,
    )
    named = earlier is not None and to is not None
    return Response(
        content=msgspec.json.encode(comparison),
        media_type=MediaType.JSON,
        headers={"cache-control": _LASTING if named else "no-cache"},
    )


def _asked(record: str, known: list[int], earlier: int | None, to: int | None) -> tuple[int, int]:
    """Settle which versions are meant; versions are numbered from 1 without a gap."""
    if not known:
        raise NotFound(f"there is no record {record}")
    for name, version in (("from", earlier), ("to", to)):
        if version is not None and version < 1:
            raise InvalidParameter(f"{name}: {version} is no version; they are numbered from 1")
        if version is not None and version not in known:
            raise NotFound(f"there is no version {version} of {record}; the latest is {known[-1]}")
    second = known[-1] if to is None else to
    first = second - 1 if earlier is None else earlier
    if first == second:
        raise InvalidParameter(f"from and to are both version {first}; name two different ones")
    if first < 1:
        raise NotFound(f"there is no version before the first of {record} to compare it with")
    return first, second


def _compared(stored: records.StoredRecord) -> Compared:
    register = stored.register
    return Compared(
        version=register.version,
        published_at=register.published_at,
        hash=register.hash,
        redacted=register.redacted,
    )
