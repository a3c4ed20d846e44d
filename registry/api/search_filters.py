"""The filters of search: declared as parameters out of the table of facets, and checked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from inspect import Parameter, Signature
from typing import Annotated, Any, TypeAlias

import msgspec
from litestar import Request
from litestar.params import QueryParameter

from registry.api import parameters
from registry.api.parameters import AsOfParameter, CodeParameter
from registry.errors import InvalidParameter
from registry.record.dimensions import DimensionKind
from registry.record.facets import (
    BY_FACTS,
    COMPLETENESS,
    COUNTRY,
    FACETS,
    LOCAL,
    WITH_BODIES,
    DimensionValues,
    filter_named,
    is_value,
    named_shortly,
    required_filter,
    with_bodies,
)
from registry.record.pack import Pack
from registry.search.engine import SearchIndex
from registry.search.query import SearchQuery
from registry.store import agencies, imports
from registry.store.as_of import TIME, read_as_of, read_window
from registry.store.database import Database

MOST_FACTS = 10
"""Facts that a question selects by; what others leave of each is counted by a query of its own."""

_FORMS: Mapping[DimensionKind, str] = {
    "number": "a number, such as 250000 or 0.5",
    "date": "a day, a month or a year, such as 2026-05-03, 2026-05 or 2026",
}

Score: TypeAlias = Annotated[int | None, QueryParameter(description="0 to 100", ge=0, le=100)]


class SearchFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Words and filters as they came; `codes` are by filter, those that were not given left out."""

    q: str | None = None
    lang: str | None = None
    codes: Mapping[str, Sequence[str]] = {}
    completeness_min: int | None = None
    completeness_max: int | None = None
    changed_since: str | None = None
    changed_until: str | None = None
    unchanged_since: str | None = None
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
            "unchanged_since": self.unchanged_since,
        }
        return [
            *([] if self.text is None else [("q", self.text)]),
            *([] if self.lang is None else [("lang", self.lang)]),
            *((name, code) for name, codes in self.codes.items() for code in sorted({*codes})),
            *((name, str(value)) for name, value in once.items() if value is not None),
        ]


def provide_search_filters(
    *,
    request: Request[Any, Any, Any],
    q: Annotated[
        str | None,
        QueryParameter(
            description="Words to find, all of them",
            schema_extra={"max_length": parameters.LONGEST_TEXT},
        ),
    ] = None,
    lang: Annotated[
        str | None,
        CodeParameter(description="The language of the words", codes=lambda pack: pack.languages),
    ] = None,
    completeness_min: Score = None,
    completeness_max: Score = None,
    changed_since: Annotated[
        str | None,
        QueryParameter(
            description="A version came then or later: a time, or a day",
            schema_extra={"pattern": TIME},
        ),
    ] = None,
    changed_until: Annotated[
        str | None,
        QueryParameter(
            description="A version came until then, and maybe others later: a time, or a day",
            schema_extra={"pattern": TIME},
        ),
    ] = None,
    unchanged_since: Annotated[
        str | None,
        QueryParameter(
            description="No version came then or later: a time, or a day",
            schema_extra={"pattern": TIME},
        ),
    ] = None,
    as_of: AsOfParameter = None,
    **facets: list[str] | None,
) -> SearchFilters:
    """Take the parameters of a request; a dependency of litestar's. `facets` are by filter.

    Filters by facts are many, and taken from the request by their names, the shorter of two.
    """
    given = {name: list(codes) for name in FACETS if (codes := facets[name]) is not None}
    for name in sorted({*request.query_params} - FACETS.keys()):
        if filter_named(name) is not None:
            given.setdefault(named_shortly(name), []).extend(request.query_params.getall(name))
    return SearchFilters(
        q=q,
        lang=lang,
        codes=given,
        completeness_min=completeness_min,
        completeness_max=completeness_max,
        changed_since=changed_since,
        changed_until=changed_until,
        unchanged_since=unchanged_since,
        as_of=as_of,
    )


def _declare_facets() -> None:
    """Declare each filter by codes as a parameter, after `lang`: litestar reads the signature."""
    declared = dict(Signature.from_callable(provide_search_filters).parameters)
    del declared["facets"]
    hints = provide_search_filters.__annotations__
    del hints["facets"]
    for name, facet in FACETS.items():
        hints[name] = Annotated[list[str] | None, QueryParameter(description=facet.description)]
        declared[name] = Parameter(name, Parameter.KEYWORD_ONLY, default=None)
    order = ["request", "q", "lang", *FACETS]
    order += [name for name in declared if name not in order]
    provide_search_filters.__signature__ = Signature(  # type: ignore[attr-defined]
        [declared[name] for name in order]
    )


_declare_facets()


async def read_query(
    database: Database,
    index: SearchIndex,
    sought: SearchFilters,
    pack: Pack,
    *,
    now: dt.datetime,
    facets: Sequence[str] = (),
) -> SearchQuery:
    """Check what is sought, and which facets, and ask it of the log as it is, or was then.

    Commands ask it too, so nothing is taken as checked before. The database is asked only for what
    the process cannot know. Raises `InvalidParameter` for what no record could have.
    """
    if sought.q is not None and len(sought.q) > parameters.LONGEST_TEXT:
        raise InvalidParameter(f"q: at most {parameters.LONGEST_TEXT} characters")
    if sought.lang is not None:
        parameters.codes("lang", [sought.lang], pack.languages)
    countries: dict[str, str] = {}
    if COUNTRY in {*sought.codes, *facets}:
        async with database.connection() as connection:
            known = await imports.read_origins(connection)
        countries = {code: one.country for code, one in known.items() if one.country}
        countries[LOCAL] = pack.country
    filters = await _filters(database, index, sought, pack, countries)
    entry, today, changed, unchanged = None, now.astimezone(dt.UTC).date(), None, None
    times = (sought.as_of, sought.changed_since, sought.changed_until, sought.unchanged_since)
    if any(time is not None for time in times):
        async with database.connection() as connection:
            if sought.as_of is not None:
                moment = await read_as_of(connection, sought.as_of, now=now)
                entry, today = moment.entry, moment.day
            changed = await read_window(connection, sought.changed_since, sought.changed_until)
            later = await read_window(connection, sought.unchanged_since, None, "unchanged_since")
            unchanged = None if later is None else later.after
    return SearchQuery(
        text=sought.text,
        lang=sought.lang,
        filters=filters,
        changed=changed,
        unchanged=unchanged,
        as_of=entry,
        today=today,
        countries=countries,
    )


async def _filters(
    database: Database,
    index: SearchIndex,
    sought: SearchFilters,
    pack: Pack,
    countries: Mapping[str, str],
) -> dict[str, Sequence[str]]:
    """Check the codes of each filter; scores from one to another are so many codes."""
    read = {
        **await _read_codes(database, index, sought.codes, pack),
        COUNTRY: sorted({*countries.values()}),
    }
    filters: dict[str, Sequence[str]] = {}
    about: set[str | None] = set()
    for name, codes in sought.codes.items():
        facet = required_filter(name)
        known = read.get(name) or facet.listed(pack)
        if facet.values is not None:
            known = _stated(index, facet.values, codes, known)
        elif facet.has_narrower and (stated := facet.stating):
            known = [*known, *(code for code in codes if index.states(stated, code))]
        if facet.further is not None:
            known = [*known, *(code for code in codes if facet.further(code, pack))]
        filters[name] = parameters.codes(name, codes, known) or []
        if name == WITH_BODIES:
            filters[name] = with_bodies(filters[name], pack)
        is_about = facet.fact is not None or facet.values is not None
        about |= {*filters[name]} if name in BY_FACTS else {facet.stating} if is_about else set()
        if len(about) > MOST_FACTS:
            raise InvalidParameter(
                f"{name}: has, lacks, kind.<fact> and <fact> together take at most {MOST_FACTS} "
                "facts; ask for some of them in another question"
            )
    if (sought.completeness_min, sought.completeness_max) != (None, None):
        lowest = 0 if sought.completeness_min is None else sought.completeness_min
        highest = 100 if sought.completeness_max is None else sought.completeness_max
        parameters.within("completeness_min", lowest, 0, 100)
        parameters.within("completeness_max", highest, 0, 100)
        if lowest > highest:
            raise InvalidParameter(
                f"completeness_min: {lowest} is above completeness_max, which is {highest}"
            )
        filters[COMPLETENESS] = [str(score) for score in range(lowest, highest + 1)]
    return filters


def _stated(
    index: SearchIndex, of: DimensionValues, codes: Sequence[str], listed: Collection[str]
) -> Collection[str]:
    """Return the values that a dimension may have, with those of other countries that it has.

    Raises `InvalidParameter` for what is no number, no day or of another form, where it has those.
    """
    dimension = of.dimension
    name = f"{dimension.name}.{of.end}" if of.end else dimension.name
    what = _FORMS.get(dimension.kind)
    if dimension.kind == "plain" and dimension.field is not None:
        what = f"written as the format has it: {dimension.field.schema.get('pattern')}"
    for code in codes if what is not None else ():
        if not is_value(dimension, code):
            raise InvalidParameter(f"{name}: {parameters.shown(code)} is not {what}", value=code)
    if dimension.kind != "code":
        return listed
    return [*listed, *(code for code in codes if index.states(dimension.name, code))]


async def _read_codes(
    database: Database, index: SearchIndex, given: Mapping[str, Sequence[str]], pack: Pack
) -> Mapping[str, Collection[str]]:
    """Return the codes of agencies and registers, read only for one that is new."""
    agency = pack.agencies.keys()
    ours: dict[str, Collection[str]] = {"agency": agency, WITH_BODIES: agency, "origin": {LOCAL}}
    known = {name: given[name] for name in ours if name in given}
    if all(
        code in ours[name] or index.has("agency" if name == WITH_BODIES else name, code)
        for name, codes in known.items()
        for code in codes
    ):
        return known
    async with database.connection() as connection:
        origins = await agencies.read_origins(connection)
    return {
        "agency": origins,
        WITH_BODIES: origins,
        "origin": {LOCAL, *filter(None, origins.values())},
    }
