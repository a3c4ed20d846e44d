"""Asking an application in this process, as a client asks it at its address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeAlias
from urllib.parse import unquote

import msgspec
from litestar.types import ASGIApp

_BUSY, _TRIES = 503, 60
_PLAIN = {"accept": "*/*"}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What is answered at an address: status, media type, body, and the headers by small names.

    Of a header that came twice the values are joined by commas.
    """

    status: int
    media_type: str
    content: bytes
    headers: Mapping[str, str] = {}


Ask: TypeAlias = Callable[[str], Awaitable[Answer]]
"""Returns the answer at a path, which begins with a slash and may have a query."""


class AskInForm(Protocol):
    """Asks as `Ask` does, with some headers and, by POST, a body."""

    def __call__(
        self, path: str, headers: Mapping[str, str] = ..., body: bytes | None = None
    ) -> Awaitable[Answer]:
        """Return the answer."""


@asynccontextmanager
async def answering(application: ASGIApp) -> AsyncIterator[AskInForm]:
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

    async def ask(
        path: str, headers: Mapping[str, str] = _PLAIN, body: bytes | None = None
    ) -> Answer:
        for _ in range(_TRIES):
            answer = await _answer(app, path, headers, body)
            if answer.status != _BUSY:
                break
            await asyncio.sleep(1.0)
        return answer

    try:
        yield ask
    finally:
        await asked.put({"type": "lifespan.shutdown"})
        await running


async def _answer(app: Any, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
    place, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET" if body is None else "POST",
        "scheme": "http",
        "path": unquote(place),
        "raw_path": place.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [
            (name.encode(), value.encode())
            for name, value in {"host": "127.0.0.1", **_PLAIN, **headers}.items()
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    status, said = 0, dict[str, str]()
    parts: list[bytes] = []

    asked = asyncio.Queue[Any]()
    asked.put_nowait({"type": "http.request", "body": body or b"", "more_body": False})

    async def send(message: Any) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            for name, value in message["headers"]:
                key, text = name.decode().lower(), value.decode("latin-1")
                said[key] = f"{said[key]}, {text}" if key in said else text
        else:
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                # What streams waits for whoever reads to leave.
                asked.put_nowait({"type": "http.disconnect"})

    await app(scope, asked.get, send)
    return Answer(
        status=status,
        media_type=said.get("content-type", ""),
        content=b"".join(parts),
        headers=said,
    )
