"""The page of an answer that is kept, which a link of the finder or of a chart leads to.

A question that has no answer gets a page too, which leads to where it is mended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from registry.api.problems import problem
from registry.api.receipts import KEPT, AnswerReceipt, keep, read_question
from registry.api.request import ApiRequest, ApiState, request_context
from registry.errors import InvalidParameter, RegistryError
from registry.pages.editions import Edition
from registry.pages.reader import Reader
from registry.pages.site import Demonstration, demonstration_of, render
from registry.pages.views.receipt_page import receipt_view, unkept_view
from registry.record.pack import Pack
from registry.store import agencies, imports
from registry.web.search import html_response
from registry.work import in_thread


def receipt_handler(editions: Callable[[Pack], Mapping[str, Edition]]) -> HTTPRouteHandler:
    """Return the handler of `/<language>/receipt`, for the editions of a site."""

    def page(
        request: ApiRequest,
        view: Callable[[Reader], dict[str, Any]],
        demonstration: Demonstration = "",
    ) -> bytes:
        state: Any = request.app.state
        edition = editions(state.context.pack)[request.path_params["tag"]]
        address = f"receipt?{urlencode({'question': request.query_params.get('question', '')})}"
        made = partial(view, edition.reader)
        return render(edition, address, "receipt.html", made, demonstration=demonstration)

    def refuse(request: ApiRequest, error: RegistryError) -> Response[bytes]:
        status, headers, _ = problem(error, request_context(request.scope).id)
        return refused(request, status, headers)

    def refused(request: ApiRequest, status: int, headers: Mapping[str, str]) -> Response[bytes]:
        path, _, query = request.query_params.get("question", "").partition("?")
        asked = parse_qsl(query) if KEPT.fullmatch(path) else None
        content = page(request, lambda _: unkept_view(asked, status))
        return html_response(content, status, headers)

    @get("/{tag:str}/receipt", exception_handlers={RegistryError: refuse}, include_in_schema=False)
    async def receipt_page(
        request: ApiRequest,
        state: ApiState,
        question: Annotated[str, QueryParameter()] = "",
    ) -> Response[bytes]:
        path, _, query = question.partition("?")
        if not KEPT.fullmatch(path):
            raise InvalidParameter(
                "question: give the address of a search, of statistics, changes or an export, such "
                "as /api/v1/records?risk=high"
            )
        asked = parse_qsl(query, keep_blank_values=True)
        kept = await read_question(request.app, path, asked)
        receipt = await keep(request.app, request.scope, kept)
        if not isinstance(receipt, AnswerReceipt):
            return refused(request, receipt[0]["status"], {})
        named = {value for name, value in asked if name.startswith("agency")}
        async with state.context.database.connection() as connection:
            known = await agencies.read_named(connection, named)
            origins = await imports.read_origins(connection)
            kinds = await agencies.read_kinds(connection)
        view = partial(
            receipt_view,
            receipt=receipt.members() | {"file": receipt.file},
            agencies={**state.context.pack.agencies, **known},
            origins=origins,
        )
        content = await in_thread(page, request, view, demonstration_of(kinds))
        return html_response(content, 200, {})

    return receipt_page
