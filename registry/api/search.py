"""Searching the register: a page of what words and codes find, with its total and facets."""

import re
from typing import Annotated, Any
from urllib.parse import quote, unquote

import msgspec
from litestar import MediaType, Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter

from registry.api import parameters
from registry.api.search_filters import SearchFilters, provide_search_filters, read_query
from registry.errors import InvalidParameter
from registry.record.facets import FACETS
from registry.search.query import FacetCount, Hit, Match, PagePosition, SearchQuery, Sort
from registry.services.context import ServiceContext
from registry.text.highlighting import Highlight

SORTS: tuple[Sort, ...] = ("relevance", "newest", "name", "completeness", "review_due")
MOST_ITEMS = 100
PATH = "/api/v1/records"

_JSON = msgspec.json.Encoder()
_UNQUOTED = re.compile(r"[^A-Za-z0-9%&*+,./:=_~-]")


class RecordList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of records, the exact total, the wanted facets, the cursor of the next page.

    `mended` are the words that were looked for where nothing has those that were given.
    """

    items: list[msgspec.Raw]
    facets: dict[str, list[FacetCount]]
    total: int
    next: str | None
    mended: str | None


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """What an item says beside the card that it begins with."""

    match: Match | None
    highlights: list[Highlight]
    overdue_days: int | msgspec.UnsetType


@get(
    PATH,
    summary="Search the register",
    tags=["records"],
    dependencies={"sought": Provide(provide_search_filters, sync_to_thread=False)},
)
async def list_records(
    *,
    request: Request[Any, Any, Any],
    state: State,
    sought: NamedDependency[SearchFilters],
    sort: Annotated[str | None, QueryParameter(description="The order; ties newest first")] = None,
    limit: Annotated[int, QueryParameter(description="Records a page, 1 to 100")] = 25,
    cursor: Annotated[str | None, QueryParameter(description="The `next` of a page")] = None,
    facets: Annotated[str | None, QueryParameter(description="Facets wanted, by comma")] = None,
) -> Response[bytes]:
    """Find records by words and codes. Repeating a parameter means OR, different ones AND."""
    parameters.once(request, "sort", "limit", "cursor", "facets")
    # Several dependencies would each be a task, which takes as long as the search.
    context: ServiceContext = state.context
    parameters.within("limit", limit, 1, MOST_ITEMS)
    named = [] if facets is None else facets.split(",")
    counted = parameters.codes("facets", named, FACETS) or []
    question = await read_query(
        context.database, state.index, sought, context.pack, now=state.clock()
    )
    order = _sort(sort, question.text)
    # A page goes on in the log and on the day of the first, whatever `as_of` comes to by then.
    same = [sought.pairs, order]
    before = parameters.read_cursor(same, cursor)
    after, today = None, question.today
    if before is not None:
        _check_as_of(question, before.place)
        after, today = before.place, before.day or today
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
    """Write what was found as JSON objects: each is its card, and what is said beside it."""
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


def _check_as_of(question: SearchQuery, place: PagePosition) -> None:
    if question.as_of is not None and question.as_of < place.size - 1:
        raise InvalidParameter(
            f"cursor: it goes on as of entry:{place.size - 1}, which is later than as_of; "
            "repeat the parameters it was given for"
        )


def _sort(sort: str | None, text: str | None) -> Sort:
    if sort is None:
        return "newest" if text is None else "relevance"
    parameters.codes("sort", [sort], SORTS)
    if sort == "relevance" and text is None:
        raise InvalidParameter("sort: relevance needs words to find, in q")
    return next(known for known in SORTS if known == sort)


def _next_link(query: bytes, cursor: str) -> str:
    given = _UNQUOTED.sub(lambda found: quote(found[0]), query.decode())
    same = [pair for pair in given.split("&") if unquote(pair.partition("=")[0]) != "cursor"]
    return f'<{PATH}?{"&".join([*same, f"cursor={cursor}"])}>; rel="next"'
