"""Everything that happened, in the log's order."""

from __future__ import annotations

from typing import Annotated, get_args

import msgspec
from litestar import MediaType, Response, get
from litestar.params import QueryParameter

from registry.api.operations import answers, json_of
from registry.api.parameters import AsOfParameter, CodeParameter
from registry.api.request_context import ApiState
from registry.record.entry import EntryKind
from registry.record.model import RISK_CHANGES, RiskChange
from registry.store import log
from registry.store.as_of import read_as_of

MOST_ENTRIES = 1000


class LoggedChange(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the log: its index, leaf hash in hex, and the entry as it was hashed.

    `risk` says how the level moved, null where it did not.
    """

    index: int
    hash: str
    entry: Annotated[msgspec.Raw, json_of("Entry")]
    risk: log.RiskMove | None


class ChangeList(msgspec.Struct, frozen=True, kw_only=True):
    """Entries in order; `size` is the log's size, `next` the `since` of what follows, if any."""

    items: list[LoggedChange]
    size: int
    next: int | None


@get(
    "/api/v1/changes",
    summary="Read what happened, in order",
    tags=["log"],
    responses=answers(ChangeList),
)
async def list_changes(
    *,
    state: ApiState,
    since: Annotated[
        int, QueryParameter(description="Entries after this index", ge=-1, le=2**63 - 1)
    ] = -1,
    limit: Annotated[
        int, QueryParameter(description="Entries an answer, 1 to 1000", ge=1, le=MOST_ENTRIES)
    ] = 100,
    risk_change: Annotated[
        list[RiskChange] | None,
        CodeParameter(
            description="Only what raised, or lowered, a risk level", codes=lambda _: RISK_CHANGES
        ),
    ] = None,
    kind: Annotated[
        list[EntryKind] | None,
        CodeParameter(
            description="Only entries of these kinds: `withdrawal`, …",
            codes=lambda _: get_args(EntryKind),
        ),
    ] = None,
    as_of: AsOfParameter = None,
) -> Response[bytes]:
    """Read the log's entries after an index. `since` = -1 begins at the first."""
    moved = None if risk_change is None else [one for one in RISK_CHANGES if one in risk_change]
    async with state.context.database.snapshot() as connection:
        moment = await read_as_of(connection, as_of, now=state.clock())
        found = await log.read_entries(
            connection,
            since=since,
            until=moment.entry,
            limit=limit + 1,
            risk_change=moved,
            kinds=kind,
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
