"""The gate that every document passes before anything looks at it: type, size, strict JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from litestar import Request
from litestar.exceptions import InternalServerException

from registry.errors import (
    PayloadTooLarge,
    RequestTimeout,
    UnreadableDocument,
    UnsupportedMediaType,
)
from registry.record.model import Document
from registry.record.parse import MAX_BYTES
from registry.services.context import ServiceContext

BODY_SECONDS = 30.0
"""How long a body may take to arrive, so that slow ones cannot hold connections for ever."""


async def read_json(request: Request[Any, Any, Any], media_type: str = "application/json") -> Any:
    """Read a request's body as strict JSON; raises what is wrong with it."""
    require_type(request, media_type, "JSON")
    context: ServiceContext = request.app.state.context
    return await context.parse(await read_body(request))


def require_type(request: Request[Any, Any, Any], media_type: str, called: str) -> None:
    """Refuse a body that is declared as something else, in other letters, or is encoded."""
    given, parameters = request.content_type
    if given != media_type:
        raise UnsupportedMediaType(
            f"the body is declared as {given or 'nothing'}; "
            f"send {called} with Content-Type: {media_type}"
        )
    charset = parameters.get("charset", "utf-8")
    if charset.lower() != "utf-8":
        raise UnsupportedMediaType(
            f"the body is declared to be in {charset}; send it in UTF-8, "
            f"with Content-Type: {media_type}"
        )
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("send the body without a content encoding")


def require_one_of(request: Request[Any, Any, Any], media_types: Mapping[str, str]) -> None:
    """Refuse a body that is declared as none of some types, or is encoded."""
    given, _ = request.content_type
    if given not in media_types:
        known = ", ".join(f"{called}: {media_type}" for media_type, called in media_types.items())
        raise UnsupportedMediaType(
            f"the body is declared as {given or 'nothing'}; send one of these as Content-Type: "
            f"{known}"
        )
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("send the body without a content encoding")


async def read_body(request: Request[Any, Any, Any], most: int = MAX_BYTES) -> bytes:
    """Read a request's body whole, if it is small enough and comes in time."""
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > most:
        raise _too_large(most)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise _too_large(most)
    except TimeoutError as error:
        raise RequestTimeout(
            f"the body did not come whole within {BODY_SECONDS:.0f} seconds; send it again"
        ) from error
    except InternalServerException as error:
        raise UnreadableDocument("the connection ended before the body did") from error
    return bytes(body)


async def read_document(
    request: Request[Any, Any, Any], media_type: str = "application/json"
) -> Document:
    """Read a request's body as one JSON object."""
    value = await read_json(request, media_type)
    if not isinstance(value, dict):
        raise UnreadableDocument("a record is a JSON object: { … }")
    return value


def _too_large(most: int) -> PayloadTooLarge:
    what = "a document" if most == MAX_BYTES else "this body"
    return PayloadTooLarge(f"{what} has at most {most:,} bytes")
