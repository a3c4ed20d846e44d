"""Everything that happened, in the log's order."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import MediaType, Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from registry.api import parameters
from registry.store import log
from registry.store.database import Database

_MOST_ENTRIES = 1000


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the log: its index, leaf hash in hex, and the entry as it was hashed."""

    index: int
    hash: str
    entry: msgspec.Raw


class ChangeList(msgspec.Struct, frozen=True, kw_only=True):
    """Entries in order; `size` is the log's size, `next` the `since` of what follows, if any."""

    items: list[Change]
    size: int
    next: int | None


@get("/api/v1/changes", summary="Read what happened, in order", tags=["log"])
async def list_changes(
    request: Request[object, object, State],
    database: NamedDependency[Database],
    since: Annotated[int, QueryParameter(description="Entries after this index")] = -1,
    limit: Annotated[int, QueryParameter(description="Entries an answer, 1 to 1000")] = 100,
) -> Response[bytes]:
    """Read the log's entries after an index. `since` = -1 begins at the first."""
    parameters.once(request, "since", "limit")
    parameters.within("since", since, -1, 2**63 - 1)
    parameters.within("limit", limit, 1, _MOST_ENTRIES)
    async with database.snapshot() as connection:
        state = await log.read_state(connection)
        entries = await log.read_entries(connection, since=since, limit=limit)
    last = entries[-1][0] if entries else since
    changes = ChangeList(
        items=[
            Change(index=index, hash=leaf.hex(), entry=msgspec.Raw(content))
            for index, content, leaf in entries
        ],
        size=state.range.size,
        next=last if last + 1 < state.range.size else None,
    )
    return Response(
        content=msgspec.json.encode(changes),
        media_type=MediaType.JSON,
        headers={"cache-control": "no-cache"},
    )
