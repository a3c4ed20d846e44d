"""Records in force from ready bytes, before anything else looks at the request.

Only a plain reading is answered here: GET, without a query, without a token. Whatever is not that,
or has no such answer, goes on to the application, which answers the same, only slower.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from registry.api.asked import Asked
from registry.api.conditional import BODY_HEADERS, is_named
from registry.api.edge import OF_READING, is_answered, note, request_id
from registry.api.records import tag_of, written
from registry.store.kept import read_in_force

if TYPE_CHECKING:
    from collections.abc import Callable

    from litestar.types import ASGIApp, Receive, Send

    from registry.settings import Settings
    from registry.store.database import Database
    from registry.store.kept import Kept, LastVersion

_PREFIX = "/api/v1/records/"
_PATH = re.compile(_PREFIX + "[a-z0-9.-]{1,120}/[a-z0-9-]{1,120}")
_OPERATION = "get_record"


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """The answer about a record: its tag, its headers without those of the edge, its body."""

    tag: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes


def ready_first(
    application: ASGIApp,
    settings: Settings,
    opened: Callable[[], tuple[Database, Kept[Ready]] | None],
) -> ASGIApp:
    """Wrap the application; `opened` gives where records are read from, once it has started."""
    hosts = settings.hosts
    proxies = settings.proxies
    log = structlog.get_logger().bind()

    async def wrapped(scope: Any, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        headers = _of_plain_reading(scope)
        if headers is None or not is_answered(headers.get(b"host", b""), hosts):
            await application(scope, receive, send)
            return
        found = await _found(scope["path"][len(_PREFIX) :], opened())
        if found is None:
            await application(scope, receive, send)
            return
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        seen = Asked(id=request_id(scope, given, proxies), operation=_OPERATION)
        status, own, body = 200, found.headers, found.body
        known = headers.get(b"if-none-match")
        if known is not None and is_named(known, found.tag):
            status, body = 304, b""
            own = [pair for pair in own if pair[0] not in BODY_HEADERS]
        told = [*own, (b"x-request-id", seen.id.encode()), *OF_READING]
        await send({"type": "http.response.start", "status": status, "headers": told})
        await send({"type": "http.response.body", "body": body, "more_body": False})
        # A path that has an answer holds nothing that would have to be hidden.
        seconds = time.perf_counter() - began
        note(log, seen, method="GET", path=scope["path"], status=status, seconds=seconds)

    return wrapped


def _of_plain_reading(scope: Any) -> dict[bytes, bytes] | None:
    """Give the headers of a request that may be answered here; None for any other."""
    if (
        scope["type"] != "http"
        or scope["method"] != "GET"
        or scope["query_string"]
        or not _PATH.fullmatch(scope["path"])
    ):
        return None
    headers = dict(scope["headers"])
    # Which of two of a name counts is not settled here.
    is_plain = len(headers) == len(scope["headers"]) and b"authorization" not in headers
    return headers if is_plain else None


async def _found(record: str, opened: tuple[Database, Kept[Ready]] | None) -> Ready | None:
    """Give the answer about a record from memory or from the database."""
    if opened is None:
        return None
    database, kept = opened
    try:
        found = await kept.get(record)
        if found is None:
            async with database.connection() as connection:
                stored = await read_in_force(connection, record)
            if stored is not None:
                found = _ready(stored)
                kept.keep(record, found, weight=len(found.body), as_of=stored.as_of)
    except Exception:  # noqa: BLE001  the application meets the same, and tells of it
        return None
    return found


def _ready(stored: LastVersion) -> Ready:
    body = written(stored.document, stored.register)
    tag = tag_of(stored.register).encode()
    return Ready(
        tag=tag,
        headers=[
            (b"cache-control", b"no-cache"),
            (b"etag", tag),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ],
        body=body,
    )
