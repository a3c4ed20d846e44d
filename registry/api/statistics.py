"""The register counted: now, or as it was then."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Annotated

import msgspec
from litestar import MediaType, Response, get
from litestar.params import QueryParameter

from registry.api import parameters
from registry.api.operations import answers
from registry.api.parameters import AsOfParameter, CodeParameter
from registry.api.request import ApiState
from registry.errors import InvalidParameter, Unavailable
from registry.log.statistics import ObservationCount, Statistics
from registry.record.facets import FACETS, LOCAL
from registry.search.engine import SearchIndex
from registry.search.query import SearchQuery
from registry.store import agencies, redactions, statistics
from registry.store.as_of import read_as_of
from registry.store.lru import LruCache

StatisticsCodes = list[str] | None

_ROOM = 16 * 2**20
_WAIT_SECONDS = 5.0


class StatisticsCache(LruCache[Hashable, bytes]):
    """A cache of answers by log, day and question, none of which changes any more.

    `turn` is held while one is made: the database counts for one request at a time.
    """

    def __init__(self) -> None:
        """Create an empty cache."""
        super().__init__(_ROOM)
        self.turn = asyncio.Lock()


@get(
    "/api/v1/statistics",
    summary="Count the register",
    tags=["records"],
    responses=answers(Statistics),
)
async def count(
    *,
    state: ApiState,
    by: Annotated[
        str,
        CodeParameter(
            description="What groups are made by, by comma",
            codes=lambda _: statistics.GROUPS,
            separated=True,
        ),
    ] = "risk,sector,agency,status",
    risk: Annotated[StatisticsCodes, QueryParameter(description=FACETS["risk"].description)] = None,
    sector: Annotated[
        StatisticsCodes, QueryParameter(description=FACETS["sector"].description)
    ] = None,
    agency: Annotated[
        StatisticsCodes, QueryParameter(description=FACETS["agency"].description)
    ] = None,
    status: Annotated[
        StatisticsCodes, QueryParameter(description=FACETS["status"].description)
    ] = None,
    origin: Annotated[
        StatisticsCodes, QueryParameter(description=FACETS["origin"].description)
    ] = None,
    as_of: AsOfParameter = None,
) -> Response[bytes]:
    """Count records by risk, sector, agency and status, and what they state and do not state.

    What was filed here and what comes from other registers are counted apart. Where a real agency
    has filed, the records of fictitious ones are left out.
    """
    kept: StatisticsCache = state.statistics
    groups = parameters.codes("by", by.split(","), statistics.GROUPS) or []
    _check_groups(groups)
    given = {
        "risk": risk,
        "sector": sector,
        "agency": agency,
        "status": status,
        "origin": origin,
    }
    async with state.context.database.connection() as connection:
        moment = await read_as_of(connection, as_of, now=state.clock())
        erasures = await redactions.count(connection)
        allowed: dict[str, Collection[str]] = {
            name: FACETS[name].counted(state.context.pack) for name in statistics.FILTERS
        }
        known = await agencies.read_all(connection)
        allowed["agency"] = [counted.agency.id for counted in known]
        allowed["origin"] = {one.agency.origin or LOCAL for one in known}
    filters = {
        name: sorted(checked)
        for name, codes in given.items()
        if (checked := parameters.codes(name, codes, allowed.get(name, ()))) is not None
    }
    question = (moment, erasures, tuple(groups), tuple((name, *of) for name, of in filters.items()))
    answer = kept.get(question)
    if answer is None:
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                await kept.turn.acquire()
        except TimeoutError as error:
            raise Unavailable("the register is busy; try again in a moment") from error
        try:
            answer = kept.get(question)
            if answer is None:
                async with state.context.database.snapshot() as connection:
                    counted = await statistics.read(connection, moment, by=groups, filters=filters)
                real = [one.agency.id for one in known if not one.agency.fictitious]
                counted = await _with_answers(state.index, counted, filters, real)
                answer = msgspec.json.encode(counted)
                kept.put(question, answer, len(answer))
        finally:
            kept.turn.release()
    return Response(
        content=answer, media_type=MediaType.JSON, headers={"cache-control": "no-cache"}
    )


async def _with_answers(
    index: SearchIndex,
    counted: Statistics,
    filters: Mapping[str, Sequence[str]],
    real: Sequence[str],
) -> Statistics:
    """Add how the records that were counted answer on each fact, and what they show.

    What comes from other registers is what is not filed here; `real` agencies are not fictitious.
    """
    if not counted.fictitious:
        filters = {**filters, "agency": [one for one in filters.get("agency", real) if one in real]}
    here = [LOCAL] if LOCAL in filters.get("origin", [LOCAL]) else []
    everything = SearchQuery(filters=filters, as_of=counted.entry, today=counted.day)
    local = msgspec.structs.replace(everything, filters={**filters, "origin": here})
    facts, facts_here = [await index.count_answers(one) for one in (everything, local)]
    shown, shown_here = [await index.count_observations(one) for one in (everything, local)]
    return msgspec.structs.replace(
        counted,
        local=msgspec.structs.replace(
            counted.local, facts=facts_here, observations=_observations(shown_here)
        ),
        foreign=msgspec.structs.replace(
            counted.foreign,
            facts=[one.without(other) for one, other in zip(facts, facts_here, strict=True)],
            observations=_observations(
                {code: number - shown_here[code] for code, number in shown.items()}
            ),
        ),
    )


def _observations(counts: Mapping[str, int]) -> list[ObservationCount]:
    return [ObservationCount(observation=code, records=number) for code, number in counts.items()]


def _check_groups(by: Sequence[str]) -> None:
    """Refuse what would have more groups than there are records."""
    several = [name for name in by if name in statistics.SEVERAL]
    if several and len(by) > 2:  # noqa: PLR2004  two are a table
        raise InvalidParameter(
            f"by: {several[0]} goes with one other at most, because a record may be in many of "
            "its groups; ask for one table after the other"
        )
