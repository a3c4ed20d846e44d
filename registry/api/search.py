"""Searching the register: a page of what filters find, with its total and facets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, get_args
from urllib.parse import quote, unquote

import msgspec
from litestar import MediaType, Request, Response, get
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter

from registry.api import parameters
from registry.api.operations import answers, describes, json_of
from registry.api.parameters import CodeParameter
from registry.api.request import ApiState
from registry.api.search_filters import SearchFilters, provide_search_filters, read_query
from registry.errors import InvalidParameter
from registry.record.codelists import codelists
from registry.record.dimensions import PERIODS, PUBLISHED_AT, dimensions, periods
from registry.record.facets import CHANGED_ON, COUNTRY, FACETS
from registry.record.facts import AnswerCounts, facts
from registry.record.model import LangText
from registry.record.pack import Pack
from registry.record.search_document import RecordSummary
from registry.search.filters import GROUPINGS
from registry.search.query import (
    CrossCount,
    FacetCount,
    Hit,
    Match,
    Named,
    SearchResult,
    Sort,
    Transition,
)
from registry.store.as_of import read_time
from registry.text.highlighting import Highlight

MOST_ITEMS = 100
PATH = "/api/v1/records"

COUNTED = (*dict.fromkeys((*FACETS, *facts(), *dimensions(), *periods())),)
"""What may be counted beside the results: facets, facts, and days by year or month."""

GROUPED_BY = (
    *dict.fromkeys(
        (
            *(name for name, facet in FACETS.items() if facet.stating),
            *("agency", "origin", COUNTRY),
            *dimensions(),
            *periods(),
            *(CHANGED_ON, *(f"{CHANGED_ON}:{period}" for period in PERIODS)),
        )
    ),
)
"""What a table may be grouped by."""

FOLLOWED = tuple(
    name for name in GROUPED_BY if name not in {"agency", "origin", COUNTRY, PUBLISHED_AT}
)
"""What may be followed from one value to another."""

_JSON = msgspec.json.Encoder()
_UNQUOTED = re.compile(r"[^A-Za-z0-9%&*+,./:=_~-]")


class NamedItem(msgspec.Struct, frozen=True, kw_only=True):
    """An agency or a sector that words name, and how many records in force it has."""

    kind: Literal["agency", "sector"]
    id: str
    name: LangText
    records: int


class SuggestionList(msgspec.Struct, frozen=True, kw_only=True):
    """What may be meant while words are typed: agencies and sectors, and records by their names."""

    named: list[NamedItem]
    records: list[Annotated[msgspec.Raw, json_of("RecordSummary")]]


class PartialList(msgspec.Struct, frozen=True, kw_only=True):
    """Records that have most of the words of a question, where none or few have all.

    `words` are those that they have, a question that finds `total` of them; `missing` the others.
    """

    words: str
    missing: Sequence[str]
    items: list[Annotated[msgspec.Raw, json_of("RecordItem")]]
    total: int


class RecordList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of records, the exact total, the wanted facets, the cursor of the next page.

    `named` are the agencies and sectors that the words name, on the first page. `mended` are the
    words that were looked for where nothing has those that were given, `partial` is what has most
    of them, beside `items` and `total` of what has all, and `suggestion` what may be meant where
    little has them. Where `territory` asks for regions, `whole_country` counts those that apply in
    the whole country. `kinds` has for each facet of a fact how the records that it counts answer.
    `cells` are those of the table of `by`, `transitions` those of the fact that was asked for.
    """

    items: list[Annotated[msgspec.Raw, json_of("RecordItem")]]
    facets: dict[str, list[FacetCount]]
    total: int
    next: str | None
    named: list[NamedItem]
    mended: str | None
    partial: PartialList | None
    suggestion: str | None
    whole_country: int | None
    kinds: Mapping[str, AnswerCounts]
    cells: Sequence[CrossCount]
    transitions: Sequence[Transition]


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
    reader: Annotated[
        str | None,
        CodeParameter(
            description="The reader's language: its words come first, names are in its order",
            codes=lambda pack: pack.languages,
        ),
    ] = None,
    limit: Annotated[
        int, QueryParameter(description="Records a page, 1 to 100", ge=1, le=MOST_ITEMS)
    ] = 25,
    cursor: Annotated[str | None, QueryParameter(description="The `next` of a page")] = None,
    facets: Annotated[
        str | None,
        CodeParameter(
            description="Facets wanted, by comma; of a fact, how records answer on it",
            codes=lambda _: COUNTED,
            separated=True,
        ),
    ] = None,
    by: Annotated[
        str | None,
        CodeParameter(
            description="Groupings of a table of counts, by comma, two at most",
            codes=lambda _: GROUPED_BY,
            separated=True,
        ),
    ] = None,
    transitions: Annotated[
        str | None,
        CodeParameter(
            description="A fact: from what to what it went since `changed_since`",
            codes=lambda _: FOLLOWED,
        ),
    ] = None,
) -> Response[bytes]:
    """Find records by words and codes. Repeating a parameter means OR, different ones AND."""
    wanted = [] if facets is None else facets.split(",")
    counted = parameters.codes("facets", wanted, COUNTED) or []
    found, following = await find_records(
        state,
        sought,
        sort=sort,
        reader=reader,
        limit=limit,
        cursor=cursor,
        facets=counted,
        by=_groupings(by),
    )
    headers = {"cache-control": "no-cache"}
    if following is not None:
        headers["link"] = _next_link(request.scope["query_string"], following)
    page = RecordList(
        items=_items(found.hits),
        facets=found.facets,
        total=found.total,
        next=following,
        named=[name_item(one, state.context.pack) for one in found.named],
        mended=found.mended,
        partial=None
        if found.partial is None
        else PartialList(
            words=found.partial.words,
            missing=found.partial.missing,
            items=_items(found.partial.hits),
            total=found.partial.total,
        ),
        suggestion=found.suggestion,
        whole_country=found.whole_country,
        kinds=found.kinds,
        cells=found.cells,
        transitions=[] if transitions is None else await _transitions(state, sought, transitions),
    )
    return Response(content=_JSON.encode(page), media_type=MediaType.JSON, headers=headers)


async def find_records(
    state: ApiState,
    sought: SearchFilters,
    *,
    sort: Sort | None,
    reader: str | None,
    limit: int,
    cursor: str | None,
    facets: Sequence[str],
    by: Sequence[str] = (),
) -> tuple[SearchResult, str | None]:
    """Return a page of what is sought, and the cursor of the next one, None after the last.

    Raises `InvalidParameter` for what no record could have, and for a cursor of another question.
    """
    context = state.context
    question = await read_query(
        context.database,
        state.index,
        sought,
        context.pack,
        now=state.clock(),
        facets=[*facets, *by],
    )
    if sort == "relevance" and question.text is None:
        raise InvalidParameter("sort: relevance needs words to find, in q")
    order: Sort = sort or ("newest" if question.text is None else "relevance")
    # A page goes on in the log and on the day of the first, whatever `as_of` comes to by then.
    same = [sought.pairs, order, reader]
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
            reader=reader,
            sort=order,
            limit=limit,
            after=after,
            facets=facets,
            by=by,
            today=today,
            highlights=True,
        )
    )
    following = None if found.next is None else parameters.write_cursor(same, found.next, today)
    return found, following


@get(
    "/api/v1/suggestions",
    summary="Suggest what may be meant",
    tags=["records"],
    responses=answers(SuggestionList),
    opt=describes(schemas=(RecordSummary,)),
)
async def suggest(
    *,
    state: ApiState,
    q: Annotated[
        str,
        QueryParameter(
            description="Words, of which the last may be begun; two letters at least",
            schema_extra={"max_length": parameters.LONGEST_TEXT},
        ),
    ],
    limit: Annotated[int, QueryParameter(description="Records, 1 to 20", ge=1, le=20)] = 5,
    reader: Annotated[
        str | None,
        CodeParameter(
            description="The reader's language: what has a name in it comes first",
            codes=lambda pack: pack.languages,
        ),
    ] = None,
) -> Response[bytes]:
    """Suggest agencies, sectors and records while somebody types."""
    if len(q) > parameters.LONGEST_TEXT:
        raise InvalidParameter(f"q: at most {parameters.LONGEST_TEXT} characters")
    named, cards = await state.index.suggest(q, most=limit, reader=reader)
    suggested = SuggestionList(
        named=[name_item(one, state.context.pack) for one in named],
        records=[msgspec.Raw(card.encode()) for card in cards],
    )
    return Response(
        content=_JSON.encode(suggested),
        media_type=MediaType.JSON,
        headers={"cache-control": "no-cache"},
    )


async def _transitions(state: ApiState, sought: SearchFilters, name: str) -> list[Transition]:
    """Return from what to what a fact went in the window of what is sought.

    Raises `InvalidParameter` for a question without its beginning.
    """
    if sought.changed_since is None:
        raise InvalidParameter(
            "transitions: say since when, by changed_since, and maybe until when"
        )
    context = state.context
    question = await read_query(
        context.database, state.index, sought, context.pack, now=state.clock()
    )
    if sought.changed_until is not None:
        day = read_time("changed_until", sought.changed_until).date()
        question = msgspec.structs.replace(question, today=min(question.today or day, day))
    since = read_time("changed_since", sought.changed_since, begins=True).date().isoformat()
    return await state.index.transitions(question, name, since)


def _groupings(by: str | None) -> Sequence[str]:
    """Check the groupings of a table. Raises `InvalidParameter`."""
    groups = parameters.codes("by", [] if by is None else by.split(","), GROUPED_BY) or []
    if len(groups) > GROUPINGS:
        raise InvalidParameter(
            f"by: a table has at most {GROUPINGS} groupings; ask for one table after the other"
        )
    return groups


def name_item(named: Named, pack: Pack) -> NamedItem:
    """Return an agency or a sector with its name."""
    if named.kind == "agency":
        name = pack.agencies[named.code].name
    else:
        name = codelists()["sector"][named.code].label
    return NamedItem(kind=named.kind, id=named.code, name=name, records=named.records)


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
