"""Feeds that are made when asked: of a question to the finder, and of one record's history.

Those of lists are files of the site (`registry/pages/views/feeds.py`), which no query narrows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlencode

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from registry.api.parameters import AgencyPath
from registry.api.request import ApiRequest, ApiState
from registry.api.search import find_records
from registry.api.search_filters import SearchFilters, provide_search_filters
from registry.api.site import CONTENT_POLICY
from registry.errors import NotFound
from registry.pages.editions import Edition
from registry.pages.reader import Reader, say
from registry.pages.views.feeds import (
    FORMATS,
    MOST_ITEMS,
    Feed,
    Item,
    found_item,
    introduce,
    record_items,
    record_name,
)
from registry.pages.views.finder import question_words
from registry.record.facets import LOCAL
from registry.record.pack import Pack
from registry.record.search_document import RecordSummary
from registry.store import records, withdrawals
from registry.store.as_of import read_beginning
from registry.web.search import from_origins

_TYPES = {"atom": "application/xml", "json": "application/feed+json"}
_READ_CARD = msgspec.json.Decoder(RecordSummary).decode


class _Place(msgspec.Struct, frozen=True):
    """For whom a feed is written, and the address of the register."""

    edition: Edition
    base_url: str

    @property
    def reader(self) -> Reader:
        """The reader."""
        return self.edition.reader

    @property
    def address(self) -> str:
        """The address of the pages in the reader's language."""
        return f"{self.base_url}/{self.reader.tag}"


def feed_handlers(
    editions: Callable[[Pack], Mapping[str, Edition]], base_url: str
) -> list[HTTPRouteHandler]:
    """Return the handlers below `/feeds/`, for the editions of a site."""

    def place_of(tag: str, state: ApiState) -> _Place:
        known = editions(state.context.pack)
        if tag not in known:
            raise NotFound(f"there are no feeds in the language {tag}")
        return _Place(known[tag], base_url)

    @get(
        [f"/feeds/{{tag:str}}/search.{ending}" for ending in _TYPES],
        dependencies={"sought": Provide(provide_search_filters, sync_to_thread=False)},
        include_in_schema=False,
    )
    async def question_feed(
        *,
        request: ApiRequest,
        state: ApiState,
        tag: FromPath[str],
        sought: NamedDependency[SearchFilters],
    ) -> Response[bytes]:
        place = place_of(tag, state)
        asked = sought if "origin" in sought.codes else from_origins(sought, [LOCAL])
        found, _ = await find_records(
            state, asked, sort="newest", reader=tag, limit=MOST_ITEMS, cursor=None, facets=[]
        )
        pairs = [
            pair for pair in parse_qsl(request.scope["query_string"].decode()) if pair[1].strip()
        ]
        cards = [_READ_CARD(hit.card) for hit in found.hits]
        query = f"?{urlencode(pairs)}" if pairs else ""
        return await _answer(
            request,
            state,
            place,
            name=question_words(place.reader, pairs),
            home=f"search{query}",
            query=query,
            items=[found_item(place.reader, base_url, card) for card in cards],
        )

    @get("/feeds/{tag:str}/records/{agency:str}/{file:str}", include_in_schema=False)
    async def record_feed(
        *,
        request: ApiRequest,
        state: ApiState,
        tag: FromPath[str],
        agency: AgencyPath,
        file: FromPath[str],
    ) -> Response[bytes]:
        place = place_of(tag, state)
        id_ = f"{agency}/{file.rpartition('.')[0]}"
        async with state.context.database.connection() as connection:
            latest = await records.read(connection, id_)
            versions = await records.read_versions(connection, id_)
            withdrawn = await withdrawals.read_all(connection, id_)
        if latest is None:
            raise NotFound(f"there is no record {id_}")
        document = msgspec.json.decode(latest.document)
        return await _answer(
            request,
            state,
            place,
            name=record_name(place.reader, document.get("name")),
            home=f"records/{id_}",
            query="",
            items=record_items(
                place.reader,
                base_url,
                id_,
                name=document.get("name"),
                versions=versions,
                withdrawals=withdrawn,
            ),
        )

    return [question_feed, record_feed]


async def _answer(
    request: ApiRequest,
    state: ApiState,
    place: _Place,
    *,
    name: str,
    home: str,
    query: str,
    items: list[Item],
) -> Response[bytes]:
    """Answer a feed in the format that the address ends with."""
    reader = place.reader
    path, _, ending = request.scope["path"].rpartition(".")
    if ending not in _TYPES:
        raise NotFound("a feed ends in .atom or .json")
    if items:
        updated = items[0].at
    else:
        async with state.context.database.connection() as connection:
            updated = (await read_beginning(connection)).isoformat()
    own = say(reader, reader.pack.site_name)
    feed = Feed(
        title=" – ".join(filter(None, (name, own.text if own else ""))),
        lang=reader.tag,
        set_in=reader.locale.tag,
        address=f"{place.base_url}{path}",
        introduction=introduce(place.edition, place.base_url),
        query=query,
        home=f"{place.address}/{home}",
        updated=updated,
        items=items,
    )
    return Response(
        content=FORMATS[ending](feed),
        media_type=_TYPES[ending],
        headers={"cache-control": "no-cache", "content-security-policy": CONTENT_POLICY},
    )
