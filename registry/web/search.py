"""The finder answered by the server: the question and the answer of the API, as a page.

Who runs no script can search so, and for everybody else the first answer stands in the page. The
parameters are the filters of search, `sort` and `cursor`, taken as literally as by the API.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, get_args
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter

from registry.api.parameters import CodeParameter
from registry.api.problems import problem
from registry.api.request import ApiRequest, ApiState, request_context
from registry.api.search import find_records
from registry.api.search_filters import SearchFilters, provide_search_filters
from registry.api.site import CONTENT_POLICY
from registry.errors import RegistryError
from registry.pages.editions import Edition
from registry.pages.reader import Reader
from registry.pages.site import Demonstration, demonstration_of, render
from registry.pages.views.finder import (
    COUNTED,
    SearchAnswer,
    facts_asked,
    refusal_view,
    search_view,
)
from registry.record.facets import LOCAL, stated_values
from registry.record.pack import Agency, Pack
from registry.record.short_code import read_code
from registry.search.query import SearchResult, Sort
from registry.store import agencies, codes, imports
from registry.work import in_thread

PAGE = 20
"""Records a page, as many as the script shows."""


def search_handler(editions: Callable[[Pack], Mapping[str, Edition]]) -> HTTPRouteHandler:
    """Return the handler of `/<language>/search` with a query, for the editions of a site."""

    def page(
        request: ApiRequest,
        view: Callable[[Reader, str], dict[str, Any]],
        demonstration: Demonstration = "",
    ) -> bytes:
        state: Any = request.app.state
        edition = editions(state.context.pack)[request.path_params["tag"]]
        address = f"search?{urlencode(_asked(request))}".removesuffix("?")
        day = state.clock().date().isoformat()
        return render(
            edition,
            address,
            "search.html",
            lambda: view(edition.reader, day),
            demonstration=demonstration,
        )

    def refuse(request: ApiRequest, error: RegistryError) -> Response[bytes]:
        status, headers, _ = problem(error, request_context(request.scope).id)
        content = page(request, partial(refusal_view, asked=_asked(request), error=error))
        return html_response(content, status, headers)

    @get(
        "/{tag:str}/search",
        dependencies={"sought": Provide(provide_search_filters, sync_to_thread=False)},
        exception_handlers={RegistryError: refuse},
        include_in_schema=False,
    )
    async def search_page(
        *,
        request: ApiRequest,
        state: ApiState,
        tag: FromPath[str],
        sought: NamedDependency[SearchFilters],
        sort: Annotated[
            str | None,
            CodeParameter(codes=lambda _: ("", *get_args(Sort))),
        ] = None,
        cursor: Annotated[str | None, QueryParameter()] = None,
    ) -> Response[bytes]:
        asked = _asked(request)
        given = [pair for pair in asked if not _is_open(*pair)]
        if given != asked:
            query = f"?{urlencode(given)}".removesuffix("?")
            return _lead(state, f"/{tag}/search{query}")
        if [name for name, _ in asked if name != "sort"] == ["q"]:
            coded = await _coded(state, tag, sought.q or "")
            if coded is not None:
                return coded
        order: Any = sort if ("sort", sort) in asked else None
        ask = partial(
            find_records,
            state,
            sort=order,
            reader=tag,
            limit=PAGE,
            cursor=cursor,
            facets=[*COUNTED, *facts_asked(asked)],
        )
        answer = await _grouped(sought, ask)
        async with state.context.database.connection() as connection:
            kinds = await agencies.read_kinds(connection)
            origins = await imports.read_origins(connection)
        searched = SearchAnswer(
            asked=asked,
            goes_on=cursor is not None,
            agencies=await _agencies(state, answer["result"]),
            origins=origins,
            **answer,
        )
        content = await in_thread(
            page,
            request,
            partial(search_view, searched=searched),
            demonstration_of(kinds),
        )
        return html_response(content, 200, {})

    return search_page


async def _coded(state: ApiState, tag: str, words: str) -> Response[bytes] | None:
    """Lead to the record whose short code the words are, whole; None for other words."""
    code = read_code(words).code
    if code is None:
        return None
    async with state.context.database.connection() as connection:
        found = await codes.read(connection, code)
    if found is None:
        return None
    return _lead(state, f"/{tag}/records/{found.id}")


def _lead(state: ApiState, path: str) -> Response[bytes]:
    prefix = urlsplit(state.settings.base_url).path.rstrip("/")
    return html_response(b"", 303, {"location": f"{prefix}{path}"})


def _is_open(name: str, value: str) -> bool:
    """Return whether a form sends this for an end of a range that was left empty."""
    of = stated_values(name)
    return of is not None and bool(of.end) and not value.strip()


async def _grouped(sought: SearchFilters, ask: Callable[..., Any]) -> dict[str, Any]:
    """Ask for what was filed here first, and where that is nothing, for what others have."""
    if "origin" in sought.codes:
        result, following = await ask(sought)
        return {"result": result, "next": following, "origin": [], "elsewhere": {}}
    origins = [LOCAL]
    result, following = await ask(from_origins(sought, origins))
    elsewhere = {one.code: one.count for one in result.facets["origin"] if one.code != LOCAL}
    if result.total == 0 and elsewhere:
        origins = [*elsewhere]
        result, following = await ask(from_origins(sought, origins))
    return {"result": result, "next": following, "origin": origins, "elsewhere": elsewhere}


def from_origins(sought: SearchFilters, origins: list[str]) -> SearchFilters:
    """Return a question narrowed to the records of some registers."""
    return msgspec.structs.replace(sought, codes={**sought.codes, "origin": origins})


async def _agencies(state: ApiState, result: SearchResult) -> Mapping[str, Agency]:
    """Return the agencies in an answer; the database is asked for those of other registers."""
    known = state.context.pack.agencies
    codes = {one.code for one in result.facets["agency"]} - known.keys()
    if not codes:
        return known
    async with state.context.database.connection() as connection:
        return {**known, **await agencies.read_named(connection, codes)}


def _asked(request: ApiRequest) -> list[tuple[str, str]]:
    """Return the parameters of an address, each once, without those that ask for nothing."""
    query = request.scope["query_string"].decode()
    given = dict.fromkeys(parse_qsl(query, keep_blank_values=True))
    nothing = {("q", ""), ("sort", "")}
    if not any(name == "q" and value.strip() for name, value in given):
        # The form sends the order that it shows, also when the words were taken out of it.
        nothing.add(("sort", "relevance"))
    return [
        (name, value)
        for name, value in given
        if name != "cursor" and (name, value.strip()) not in nothing
    ]


def html_response(content: bytes, status: int, headers: Mapping[str, str]) -> Response[bytes]:
    """Return a page that was made when asked."""
    return Response(
        content=content,
        status_code=status,
        media_type="text/html",
        headers={**headers, "cache-control": "no-cache", "content-security-policy": CONTENT_POLICY},
    )
