"""The page of an answer that is kept, which a link of the finder or of a chart leads to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter

from registry.api.receipts import KEPT, AnswerReceipt, keep
from registry.api.request import ApiRequest, ApiState
from registry.api.site import CONTENT_POLICY
from registry.errors import InvalidParameter
from registry.pages.editions import Edition
from registry.pages.site import demonstration_of, render
from registry.pages.views.receipt_page import receipt_view
from registry.record.pack import Pack
from registry.store import agencies, imports
from registry.work import in_thread


def receipt_handler(editions: Callable[[Pack], Mapping[str, Edition]]) -> HTTPRouteHandler:
    """Return the handler of `/<language>/receipt`, for the editions of a site."""

    @get("/{tag:str}/receipt", include_in_schema=False)
    async def receipt_page(
        request: ApiRequest,
        state: ApiState,
        tag: FromPath[str],
        question: Annotated[str, QueryParameter()] = "",
    ) -> Response[bytes]:
        path, _, query = question.partition("?")
        if not KEPT.fullmatch(path):
            raise InvalidParameter(
                "question: give the address of a search, of statistics, changes or an export, such "
                "as /api/v1/records?risk=high"
            )
        asked = parse_qsl(query, keep_blank_values=True)
        receipt = await keep(request.app, request.scope, path, asked)
        if not isinstance(receipt, AnswerReceipt):
            start, *parts = receipt
            headers = {name.decode(): value.decode() for name, value in start["headers"]}
            body = b"".join(one.get("body", b"") for one in parts)
            return Response(body, status_code=start["status"], headers=headers)
        named = {value for name, value in asked if name.startswith("agency")}
        async with state.context.database.connection() as connection:
            known = await agencies.read_named(connection, named)
            origins = await imports.read_origins(connection)
            kinds = await agencies.read_kinds(connection)
        edition = editions(state.context.pack)[tag]
        content = await in_thread(
            render,
            edition,
            f"receipt?{urlencode({'question': question})}",
            "receipt.html",
            partial(
                receipt_view,
                edition.reader,
                _members(receipt),
                {**state.context.pack.agencies, **known},
                origins,
            ),
            demonstration=demonstration_of(kinds),
        )
        headers = {"cache-control": "no-cache", "content-security-policy": CONTENT_POLICY}
        return Response(content, media_type="text/html", headers=headers)

    return receipt_page


def _members(receipt: AnswerReceipt) -> dict[str, Any]:
    return msgspec.structs.asdict(receipt) | {"file": receipt.file}
