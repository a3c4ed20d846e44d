"""Searching the register: the filters, and a page of what they find with its total and facets."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence
from inspect import Parameter, Signature
from typing import Annotated, Any, TypeAlias, get_args
from urllib.parse import quote, unquote

import msgspec
from litestar import MediaType, Request, Response, get
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter

from registry.api import parameters
from registry.api.operations import answers, describes, json_of
from registry.api.parameters import AsOfParameter, CodeParameter
from registry.api.request_context import ApiState
from registry.errors import InvalidParameter
from registry.record.facets import COMPLETENESS, FACETS, LOCAL
from registry.record.pack import Pack
from registry.record.search_document import RecordSummary
from registry.search.engine import SearchIndex
from registry.search.query import FacetCount, Hit, Match, SearchQuery, Sort
from registry.store import agencies
from registry.store.as_of import TIME, read_as_of, read_window
from registry.store.database import Database
from registry.text.highlighting import Highlight

MOST_ITEMS = 100
PATH = "/api/v1/records"

_JSON = msgspec.json.Encoder()
_UNQUOTED = re.compile(r"[^A-Za-z0-9%&*+,./:=_~-]")

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
            description="A version came until then: a time, or a day",
            schema_extra={"pattern": TIME},
        ),
    ] = None,
    as_of: AsOfParameter = None,
    **facets: list[str] | None,
) -> SearchFilters:
    """Take the parameters of a request; a dependency of litestar's. `facets` are by filter."""
    return SearchFilters(
        q=q,
        lang=lang,
        codes={name: codes for name in FACETS if (codes := facets[name]) is not None},
        completeness_min=completeness_min,
        completeness_max=completeness_max,
        changed_since=changed_since,
        changed_until=changed_until,
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
    order = ["q", "lang", *FACETS]
    order += [name for name in declared if name not in order]
    provide_search_filters.__signature__ = Signature(  # type: ignore[attr-defined]
        [declared[name] for name in order]
    )


_declare_facets()


async def read_query(
    database: Database, index: SearchIndex, sought: SearchFilters, pack: Pack, *, now: dt.datetime
) -> SearchQuery:
    """Check what is sought and ask it of the log as it is, or was then.

    Commands ask it too, so nothing is taken as checked before. The database is asked only for what
    the process cannot know. Raises `InvalidParameter` for what no record could have.
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


async def _filters(
    database: Database, index: SearchIndex, sought: SearchFilters, pack: Pack
) -> dict[str, Sequence[str]]:
    """Check the codes of each filter; scores from one to another are so many codes."""
    read = await _read_codes(database, index, sought.codes, pack)
    filters: dict[str, Sequence[str]] = {}
    for name, codes in sought.codes.items():
        plain = [_plain(name, code) for code in codes]
        facet = FACETS[name]
        known = read.get(name) or facet.listed(pack)
        if facet.further is not None:
            known = [*known, *(code for code in plain if facet.further(code, pack))]
        filters[name] = parameters.codes(name, plain, known) or []
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


async def _read_codes(
    database: Database, index: SearchIndex, given: Mapping[str, Sequence[str]], pack: Pack
) -> Mapping[str, Collection[str]]:
    """Return the codes of agencies and registers, read only for one that is new."""
    ours = {"agency": pack.agencies.keys(), "origin": {LOCAL}}
    known = {name: index.codes(name) | codes for name, codes in ours.items() if name in given}
    if all(code in codes for name, codes in known.items() for code in given[name]):
        return known
    async with database.connection() as connection:
        origins = await agencies.read_origins(connection)
    return {"agency": origins, "origin": {LOCAL, *filter(None, origins.values())}}


def _plain(name: str, code: str) -> str:
    """Write a code as the register does: a field is a pointer, whichever way it was named."""
    if name == "missing" and not code.startswith("/"):
        return "/" + code.replace(".", "/")
    return code


class RecordList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of records, the exact total, the wanted facets, the cursor of the next page.

    `mended` are the words that were looked for where nothing has those that were given.
    """

    items: list[Annotated[msgspec.Raw, json_of("RecordItem")]]
    facets: dict[str, list[FacetCount]]
    total: int
    next: str | None
    mended: str | None


class RecordItem(RecordSummary, frozen=True, kw_only=True):
    """A line of a list: codes are `not_stated` where the record does not say.

    `match` says where the words stood first, null without words; `overdue_days` is there where what
    is overdue was asked for.
    """

    match: Match | None
    highlights: list[Highlight]
    overdue_days: int | msgspec.UnsetType = msgspec.UNSET


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """The members of an item after those of the card that it begins with."""

    match: Match | None
    highlights: list[Highlight]
    overdue_days: int | msgspec.UnsetType


@get(
    PATH,
    summary="Search the register",
    tags=["records"],
    dependencies={"sought": Provide(provide_search_filters, sync_to_thread=False)},
    responses=answers(RecordList),
    opt=describes(pages=True, follows=("list_records",), schemas=(RecordItem,)),
)
async def list_records(
    *,
    request: Request[Any, Any, Any],
    state: ApiState,
    sought: NamedDependency[SearchFilters],
    sort: Annotated[
        Sort | None,
        CodeParameter(description="The order; ties newest first", codes=lambda _: get_args(Sort)),
    ] = None,
    limit: Annotated[
        int, QueryParameter(description="Records a page, 1 to 100", ge=1, le=MOST_ITEMS)
    ] = 25,
    cursor: Annotated[str | None, QueryParameter(description="The `next` of a page")] = None,
    facets: Annotated[
        str | None,
        CodeParameter(
            description="Facets wanted, by comma", codes=lambda _: FACETS, separated=True
        ),
    ] = None,
) -> Response[bytes]:
    """Find records by words and codes. Repeating a parameter means OR, different ones AND."""
    counted = (
        parameters.codes("facets", None if facets is None else facets.split(","), FACETS) or []
    )
    context = state.context
    question = await read_query(
        context.database, state.index, sought, context.pack, now=state.clock()
    )
    if sort == "relevance" and question.text is None:
        raise InvalidParameter("sort: relevance needs words to find, in q")
    order: Sort = sort or ("newest" if question.text is None else "relevance")
    # A page goes on in the log and on the day of the first, whatever `as_of` comes to by then.
    same = [sought.pairs, order]
    before = parameters.read_cursor(same, cursor)
    after, today = None, question.today
    if before is not None:
        after, today = before.place, before.day or today
        if question.as_of is not None and question.as_of < after.size - 1:
            raise InvalidParameter(
                f"cursor: it goes on as of entry:{after.size - 1}, which is later than as_of; "
                "repeat the parameters it was given for"
            )
    found = await state.index.answer(
        msgspec.structs.replace(
            question,
            sort=order,
            limit=limit,
            after=after,
            facets=counted,
            today=today,
            highlights=True,
        )
    )
    headers = {"cache-control": "no-cache"}
    following = None
    if found.next is not None:
        following = parameters.write_cursor(same, found.next, today)
        headers["link"] = _next_link(request.scope["query_string"], following)
    page = RecordList(
        items=_items(found.hits),
        facets=found.facets,
        total=found.total,
        next=following,
        mended=found.mended,
    )
    return Response(content=_JSON.encode(page), media_type=MediaType.JSON, headers=headers)


def _items(hits: list[Hit]) -> list[msgspec.Raw]:
    """Return what was found as JSON objects: each is its card, and what belongs to the hit."""
    beside = _JSON.encode_lines(
        [
            _Found(
                match=hit.match,
                highlights=hit.highlights,
                overdue_days=msgspec.UNSET if hit.overdue_days is None else hit.overdue_days,
            )
            for hit in hits
        ]
    ).splitlines()
    return [
        msgspec.Raw(b"%b,%b" % (hit.card[:-1].encode(), more[1:]))
        for hit, more in zip(hits, beside, strict=True)
    ]


def _next_link(query: bytes, cursor: str) -> str:
    given = _UNQUOTED.sub(lambda found: quote(found[0]), query.decode())
    pairs = filter(None, given.split("&"))
    same = [pair for pair in pairs if unquote(pair.partition("=")[0]) != "cursor"]
    return f'<{PATH}?{"&".join([*same, f"cursor={cursor}"])}>; rel="next"'
