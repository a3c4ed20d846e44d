"""Everything that happened, in the log's order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from litestar import MediaType, Response, get
from litestar.params import QueryParameter

from registry.api.operations import answers, json_of
from registry.api.parameters import AsOfParameter, CodeParameter, codes
from registry.api.request import ApiState
from registry.log.entry import ENTRY_KINDS
from registry.log.register import END, RiskMove
from registry.record.facets import FACETS, LOCAL
from registry.record.model import RISK_CHANGES, RiskChange
from registry.record.pack import Pack
from registry.store import agencies, log
from registry.store.as_of import TIME, read_as_of, read_window
from registry.store.database import Connection

MOST_ENTRIES = 1000

ALL = "all"
"""The origin that stands for every register, and what is about no record."""


class LoggedChange(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the log: its index, leaf hash in hex, and the entry as it was hashed.

    `risk` says how the level moved, null where it did not.
    """

    index: int
    hash: str
    entry: Annotated[msgspec.Raw, json_of("Entry")]
    risk: RiskMove | None


class ChangeList(msgspec.Struct, frozen=True, kw_only=True):
    """Entries in order; `size` is the log's size, `next` the `since` of what follows, if any.

    `origin` says whose entries were asked for, also where the question did not.
    """

    origin: list[str]
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
    origin: Annotated[
        list[str] | None,
        QueryParameter(
            description="Registers of origin. `local`, the default unless `agency` is given, is "
            "what was filed here and what is about no record; `all` is the whole log",
        ),
    ] = None,
    agency: Annotated[
        list[str] | None, QueryParameter(description="Only entries about these agencies")
    ] = None,
    sector: Annotated[
        list[str] | None,
        CodeParameter(
            description="Only entries about records of these primary sectors",
            codes=FACETS["sector"].counted,
        ),
    ] = None,
    risk_change: Annotated[
        list[RiskChange] | None,
        CodeParameter(
            description="Only what raised, or lowered, a risk level", codes=lambda _: RISK_CHANGES
        ),
    ] = None,
    kind: Annotated[
        list[str] | None,
        CodeParameter(
            description="Only entries of these kinds: `withdrawal`, …",
            codes=lambda _: ENTRY_KINDS,
        ),
    ] = None,
    changed_since: Annotated[
        str | None,
        QueryParameter(
            description="Only entries of then or later: a time, or a day",
            schema_extra={"pattern": TIME},
        ),
    ] = None,
    changed_until: Annotated[
        str | None,
        QueryParameter(
            description="Only entries until then: a time, or a day",
            schema_extra={"pattern": TIME},
        ),
    ] = None,
    as_of: AsOfParameter = None,
) -> Response[bytes]:
    """Read the log's entries after an index. `since` = -1 begins at the first.

    Without `origin` and `agency` only what was filed here is listed; whoever follows the whole log
    asks for `origin=all`. The filters combine.
    """
    moved = None if risk_change is None else [one for one in RISK_CHANGES if one in risk_change]
    if origin is None:
        # An agency is of one register, which need not be named beside it.
        origin = [LOCAL] if agency is None else [ALL]
    async with state.reads.snapshot() as connection:
        moment = await read_as_of(connection, as_of, now=state.clock())
        window = await read_window(connection, changed_since, changed_until)
        subject = await _read_subject(
            connection, state.context.pack, origin=origin, agency=agency, sector=sector
        )
        found = await log.read_entries(
            connection,
            since=since if window is None else max(since, window.after),
            until=min(moment.entry, END if window is None or window.last is None else window.last),
            limit=limit + 1,
            risk_change=moved,
            kinds=kind,
            subject=subject,
        )
    entries = found[:limit]
    changes = ChangeList(
        origin=[ALL] if ALL in origin else list(dict.fromkeys(origin)),
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


async def _read_subject(
    connection: Connection,
    pack: Pack,
    *,
    origin: Sequence[str],
    agency: Sequence[str] | None,
    sector: Sequence[str] | None,
) -> log.EntrySubject | None:
    """Check the codes that only the database knows; None for the whole log.

    Raises `InvalidParameter` with the nearest code.
    """
    known: dict[str, str | None] = dict.fromkeys(pack.agencies)
    if set(origin) != {LOCAL} or not known.keys() >= set(agency or ()):
        known |= await agencies.read_origins(connection)
    origins = list(dict.fromkeys((LOCAL, *filter(None, known.values()))))
    asked = codes("origin", origin, [*origins, ALL])
    of_agency = codes("agency", agency, known)
    if asked is None or ALL in asked:
        if agency is None and sector is None:
            return None
        asked = origins
    of_sector = None if sector is None else list(dict.fromkeys(sector))
    return log.EntrySubject(origins=asked, agencies=of_agency, sectors=of_sector)
