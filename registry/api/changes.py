"""Everything that happened, in the log's order."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, get_args

import msgspec
from litestar import MediaType, Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from registry.api import parameters
from registry.api.parameters import AsOfParameter
from registry.record.entry import EntryKind
from registry.record.model import RISK_CHANGES
from registry.store import log
from registry.store.as_of import read_as_of
from registry.store.database import Database

MOST_ENTRIES = 1000
KINDS: tuple[EntryKind, ...] = get_args(EntryKind)


class LoggedChange(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the log: its index, leaf hash in hex, and the entry as it was hashed.

    `risk` says how the level moved, null where it did not.
    """

    index: int
    hash: str
    entry: msgspec.Raw
    risk: log.RiskMove | None


class ChangeList(msgspec.Struct, frozen=True, kw_only=True):
    """Entries in order; `size` is the log's size, `next` the `since` of what follows, if any."""

    items: list[LoggedChange]
    size: int
    next: int | None


@get("/api/v1/changes", summary="Read what happened, in order", tags=["log"])
async def list_changes(
    *,
    request: Request[object, object, State],
    database: NamedDependency[Database],
    now: NamedDependency[dt.datetime],
    since: Annotated[int, QueryParameter(description="Entries after this index")] = -1,
    limit: Annotated[int, QueryParameter(description="Entries an answer, 1 to 1000")] = 100,
    risk_change: Annotated[
        list[str] | None, QueryParameter(description="Only what raised, or lowered, a risk level")
    ] = None,
    kind: Annotated[
        list[str] | None, QueryParameter(description="Only entries of these kinds: `withdrawal`, …")
    ] = None,
    as_of: AsOfParameter = None,
) -> Response[bytes]:
    """Read the log's entries after an index. `since` = -1 begins at the first."""
    parameters.once(request, "since", "limit", "as_of")
    parameters.within("since", since, -1, 2**63 - 1)
    parameters.within("limit", limit, 1, MOST_ENTRIES)
    asked = parameters.codes("risk_change", risk_change, RISK_CHANGES)
    moved = None if asked is None else [one for one in RISK_CHANGES if one in asked]
    kinds = parameters.codes("kind", kind, KINDS)
    async with database.snapshot() as connection:
        moment = await read_as_of(connection, as_of, now=now)
        found = await log.read_entries(
            connection,
            since=since,
            until=moment.entry,
            limit=limit + 1,
            risk_change=moved,
            kinds=kinds,
        )
    entries = found[:limit]
    changes = ChangeList(
        items=[
            LoggedChange(
                index=one.index,
                hash=one.leaf.hex(),
                entry=msgspec.Raw(one.content),
                risk=one.risk,
            )
            for one in entries
        ],
        size=moment.entry + 1,
        next=entries[-1].index if len(found) > limit else None,
    )
    return Response(
        content=msgspec.json.encode(changes),
        media_type=MediaType.JSON,
        headers={"cache-control": "no-cache"},
    )
