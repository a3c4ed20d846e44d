"""The gate that every document passes before anything looks at it: type, size, strict JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from registry.errors import PayloadTooLarge, UnreadableDocument, UnsupportedMediaType
from registry.record.parse import MAX_BYTES, parse

if TYPE_CHECKING:
    from litestar import Request

    from registry.record.model import Document


async def read_json(request: Request[Any, Any, Any]) -> Any:
    """Read a request's body as strict JSON; raises what is wrong with it."""
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaType(
            f"the body is declared as {media_type or 'nothing'}; "
            "send JSON with Content-Type: application/json"
        )
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("send the body without a content encoding")
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > MAX_BYTES:
        raise _too_large()
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise _too_large()
    return parse(bytes(body))


async def read_document(request: Request[Any, Any, Any]) -> Document:
    """Read a request's body as one JSON object."""
    value = await read_json(request)
    if not isinstance(value, dict):
        raise UnreadableDocument("a record is a JSON object: { … }")
    return value


def _too_large() -> PayloadTooLarge:
    return PayloadTooLarge(f"a document has at most {MAX_BYTES:,} bytes")
