"""Asking an application in this process, as a client asks it at its address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias
from urllib.parse import unquote

import msgspec
from litestar.types import ASGIApp

_BUSY, _TRIES = 503, 60


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What is answered at an address: status, media type, body."""

    status: int
    media_type: str
    content: bytes


Ask: TypeAlias = Callable[[str], Awaitable[Answer]]
"""Returns the answer at a path, which begins with a slash and may have a query."""


@asynccontextmanager
async def answering(application: ASGIApp) -> AsyncIterator[Ask]:
    """Start an application, and yield what asks it, until the block ends.

    What is busy, as while the index of search is made, is asked again, as at an address.
    """
    app: Any = application
    asked: asyncio.Queue[Any] = asyncio.Queue()
    answered: asyncio.Queue[Any] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    running = asyncio.create_task(app(scope, asked.get, answered.put))
    await asked.put({"type": "lifespan.startup"})
    await answered.get()

    async def ask(path: str) -> Answer:
        for _ in range(_TRIES):
            answer = await _answer(app, path)
            if answer.status != _BUSY:
                break
            await asyncio.sleep(1.0)
        return answer

    try:
        yield ask
    finally:
        await asked.put({"type": "lifespan.shutdown"})
        await running


async def _answer(app: Any, path: str) -> Answer:
    place, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(place),
        "raw_path": place.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1"), (b"accept", b"*/*")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    status, media_type = 0, ""
    parts: list[bytes] = []

    asked = asyncio.Queue[Any]()
    asked.put_nowait({"type": "http.request", "body": b"", "more_body": False})

    async def send(message: Any) -> None:
        nonlocal status, media_type
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = {name.lower(): value for name, value in message["headers"]}
            media_type = headers.get(b"content-type", b"").decode("latin-1")
        else:
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                # What streams waits for whoever reads to leave.
                asked.put_nowait({"type": "http.disconnect"})

    await app(scope, asked.get, send)
    return Answer(status=status, media_type=media_type, content=b"".join(parts))
