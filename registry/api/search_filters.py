"""What is sought: the words and filters that search and exports share, checked in one place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, TypeAlias

import msgspec
from litestar import Request
from litestar.params import QueryParameter

from registry.api import parameters
from registry.api.parameters import AsOfParameter
from registry.errors import InvalidParameter
from registry.record.facets import COMPLETENESS, FACETS, LOCAL
from registry.record.pack import Pack
from registry.search.engine import SearchIndex
from registry.search.query import SearchQuery
from registry.store import agencies
from registry.store.as_of import read_as_of, read_window
from registry.store.database import Database

_ONCE = (
    "q", "lang", "completeness_min", "completeness_max", "changed_since", "changed_until", "as_of",
)  # fmt: skip

CodesParameter: TypeAlias = list[str] | None


class SearchFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Words and filters as they came; `codes` are by filter, those that were not given left out."""

    q: str | None = None
    lang: str | None = None
    codes: Mapping[str, Sequence[str]] = {}
    completeness_min: int | None = None
    completeness_max: int | None = None
    changed_since: str | None = None
    changed_until: str | None = None
    as_of: str | None = None

    @property
    def text(self) -> str | None:
        """The words, None where there are none."""
        return self.q if self.q is not None and self.q.strip() else None

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """What is sought of a log, by parameter and in one order, however it was asked."""
        once = {
            "completeness_min": self.completeness_min,
            "completeness_max": self.completeness_max,
            "changed_since": self.changed_since,
            "changed_until": self.changed_until,
        }
        return [
            *([] if self.text is None else [("q", self.text)]),
            *([] if self.lang is None else [("lang", self.lang)]),
            *(
                (name, code)
                for name, codes in self.codes.items()
                for code in sorted({_plain(name, code) for code in codes})
            ),
            *((name, str(value)) for name, value in once.items() if value is not None),
        ]


def provide_search_filters(
    *,
    request: Request[Any, Any, Any],
    q: Annotated[str | None, QueryParameter(description="Words to find, all of them")] = None,
    lang: Annotated[str | None, QueryParameter(description="The language of the words")] = None,
    risk: Annotated[
        CodesParameter, QueryParameter(description="Risk levels, or not_stated")
    ] = None,
    sector: Annotated[CodesParameter, QueryParameter(description="Primary sectors")] = None,
    function: Annotated[CodesParameter, QueryParameter(description="What the system does")] = None,
    agency: Annotated[CodesParameter, QueryParameter(description="Agencies")] = None,
    status: Annotated[CodesParameter, QueryParameter(description="Lifecycle statuses")] = None,
    role: Annotated[CodesParameter, QueryParameter(description="Roles in decisions")] = None,
    area: Annotated[
        CodesParameter, QueryParameter(description="Areas of EU AI Act Annex III")
    ] = None,
    personal_data: Annotated[
        CodesParameter, QueryParameter(description="Personal data processed")
    ] = None,
    origin: Annotated[
        CodesParameter, QueryParameter(description="Registers of origin, or local")
    ] = None,
    territory: Annotated[
        CodesParameter, QueryParameter(description="Where it applies, ISO 3166-2")
    ] = None,
    technique: Annotated[CodesParameter, QueryParameter(description="Techniques used")] = None,
    supplier: Annotated[CodesParameter, QueryParameter(description="Names of suppliers")] = None,
    finding: Annotated[
        CodesParameter, QueryParameter(description="Rules that found something")
    ] = None,
    missing: Annotated[
        CodesParameter,
        QueryParameter(description="What should be stated and is not: `rights.contestation`"),
    ] = None,
    withheld: Annotated[
        CodesParameter, QueryParameter(description="Legal grounds on which fields are withheld")
    ] = None,
    restricted: Annotated[
        CodesParameter,
        QueryParameter(description="Legal grounds on which little but the existence is told"),
    ] = None,
    overdue: Annotated[
        CodesParameter,
        QueryParameter(description="`true`: the next review should have been by now"),
    ] = None,
    risk_change: Annotated[
        CodesParameter, QueryParameter(description="Whose risk level was raised, or lowered")
    ] = None,
    completeness_min: Annotated[int | None, QueryParameter(description="0 to 100")] = None,
    completeness_max: Annotated[int | None, QueryParameter(description="0 to 100")] = None,
    changed_since: Annotated[
        str | None, QueryParameter(description="A version came then or later: a time, or a day")
    ] = None,
    changed_until: Annotated[
        str | None, QueryParameter(description="A version came until then: a time, or a day")
    ] = None,
    as_of: AsOfParameter = None,
) -> SearchFilters:
    """Take the parameters of a request; a dependency of litestar's."""
    parameters.once(request, *_ONCE)
    given = {
        "risk": risk,
        "sector": sector,
        "function": function,
        "agency": agency,
        "status": status,
        "role": role,
        "area": area,
        "personal_data": personal_data,
        "origin": origin,
        "territory": territory,
        "technique": technique,
        "supplier": supplier,
        "finding": finding,
        "missing": missing,
        "withheld": withheld,
        "restricted": restricted,
        "overdue": overdue,
        "risk_change": risk_change,
    }
    return SearchFilters(
        q=q,
        lang=lang,
        codes={name: codes for name, codes in given.items() if codes is not None},
        completeness_min=completeness_min,
        completeness_max=completeness_max,
        changed_since=changed_since,
        changed_until=changed_until,
        as_of=as_of,
    )


async def read_query(
    database: Database, index: SearchIndex, sought: SearchFilters, pack: Pack, *, now: dt.datetime
) -> SearchQuery:
    """Check what is sought and ask it of the log as it is, or was then.

    The database is asked only for what the process cannot know. Raises `InvalidParameter` for what
    no record could have.
    """
    if sought.q is not None and len(sought.q) > parameters.LONGEST_TEXT:
        raise InvalidParameter(f"q: at most {parameters.LONGEST_TEXT} characters")
    if sought.lang is not None:
        parameters.codes("lang", [sought.lang], pack.languages)
    filters = await _filters(database, index, sought, pack)
    entry, today, changed = None, now.astimezone(dt.UTC).date(), None
    if (sought.as_of, sought.changed_since, sought.changed_until) != (None, None, None):
        async with database.connection() as connection:
            if sought.as_of is not None:
                moment = await read_as_of(connection, sought.as_of, now=now)
                entry, today = moment.entry, moment.day
            changed = await read_window(connection, sought.changed_since, sought.changed_until)
    return SearchQuery(
        text=sought.text,
        lang=sought.lang,
        filters=filters,
        changed=changed,
        as_of=entry,
        today=today,
    )


@cache
def allowed(pack: Pack) -> Mapping[str, Collection[str]]:
    """Say which codes the filters take that have a list of them."""
    listed = {name: facet.listed(pack) for name, facet in FACETS.items() if facet.further is None}
    return {name: codes for name, codes in listed.items() if codes}


async def _filters(
    database: Database, index: SearchIndex, sought: SearchFilters, pack: Pack
) -> dict[str, Sequence[str]]:
    """Check the codes of each filter; scores from one to another are so many codes."""
    known = {**allowed(pack), **await _read_codes(database, index, sought.codes, pack)}
    filters: dict[str, Sequence[str]] = {}
    for name, codes in sought.codes.items():
        plain = [_plain(name, code) for code in codes]
        facet = FACETS[name]
        if facet.further is not None:
            further = [code for code in plain if facet.further(code, pack)]
            known[name] = [*facet.listed(pack), *further]
        filters[name] = parameters.codes(name, plain, known[name]) or []
    if (sought.completeness_min, sought.completeness_max) != (None, None):
        filters[COMPLETENESS] = [str(score) for score in _scores(sought)]
    return filters


def _scores(sought: SearchFilters) -> range:
    """Give the scores from the lowest to the highest that is sought."""
    lowest = 0 if sought.completeness_min is None else sought.completeness_min
    highest = 100 if sought.completeness_max is None else sought.completeness_max
    parameters.within("completeness_min", lowest, 0, 100)
    parameters.within("completeness_max", highest, 0, 100)
    if lowest > highest:
        raise InvalidParameter(
            f"completeness_min: {lowest} is above completeness_max, which is {highest}"
        )
    return range(lowest, highest + 1)


async def _read_codes(
    database: Database, index: SearchIndex, given: Mapping[str, Sequence[str]], pack: Pack
) -> Mapping[str, Collection[str]]:
    """Give the codes of agencies and registers, which must be read only for one that is new."""
    ours = {"agency": pack.agencies.keys(), "origin": {LOCAL}}
    known = {name: index.codes(name) | codes for name, codes in ours.items() if name in given}
    if all(code in codes for name, codes in known.items() for code in given[name]):
        return known
    async with database.connection() as connection:
        origins = await agencies.read_origins(connection)
    return {
        "agency": origins,
        "origin": {LOCAL, *(origin for origin in origins.values() if origin)},
    }


def _plain(name: str, code: str) -> str:
    """Write a code as the register does: a field is a pointer, whichever way it was named."""
    if name == "missing" and not code.startswith("/"):
        return "/" + code.replace(".", "/")
    return code
