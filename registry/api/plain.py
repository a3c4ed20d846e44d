"""Plain readings, answered before anything else looks at the request.

They are a record in force, from ready bytes, and a page of a search. Only GET or HEAD without a
token is answered here, and only what is asked rightly: whatever is not that, or meets an error,
goes on to the application, which answers the same, only slower and never compressed.
"""

import re
import time
from functools import lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from litestar.datastructures import State
from litestar.types import ASGIApp, Receive, Send

from registry.api import search
from registry.api.asked import Asked, request_id
from registry.api.conditional import named_in
from registry.api.edge import OF_READING, Notes, is_answered
from registry.api.ready import Form, Ready, form
from registry.api.search import Wanted
from registry.api.sought import FILTERS, ONCE, SCORES, Sought
from registry.settings import Settings
from registry.store.kept import Kept

_READS = {"GET", "HEAD"}
_OF_RECORDS = f"{search.PATH}/"
_RECORD = re.compile("[a-z0-9.-]{1,120}/[a-z0-9-]{1,120}")
_NOTHING: Any = {"type": "http.response.body", "body": b"", "more_body": False}
_NUMBERS = {*SCORES, "limit"}
_SINGLE = {*ONCE, *search.ONCE}
_SEVERAL = set(FILTERS)
_NUMBER = re.compile("0|[1-9][0-9]{0,8}")


class Opened(msgspec.Struct):
    """What answers are made from, once the application has started."""

    kept: Kept[Ready] | None = None
    state: State | None = None


def plain_first(application: ASGIApp, settings: Settings, notes: Notes, opened: Opened) -> ASGIApp:
    """Wrap the application."""
    hosts = settings.hosts
    proxies = settings.proxies

    async def wrapped(scope: Any, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        headers = _of_plain_reading(scope)
        if headers is None or not is_answered(headers.get(b"host", b""), hosts):
            await application(scope, receive, send)
            return
        answer, operation = None, "get_record"
        if scope["path"] == search.PATH:
            answer, operation = await _page(opened, scope["query_string"]), "list_records"
        elif not scope["query_string"]:
            answer = await _record(opened, scope["path"][len(_OF_RECORDS) :], headers)
        if answer is None:
            await application(scope, receive, send)
            return
        status, own, body = 200, answer.headers, answer.body
        if b"if-none-match" in headers:
            tag = named_in(headers[b"if-none-match"], answer.tag)
            if tag is not None:
                status, own, body = 304, [*answer.head, (b"etag", tag)], _NOTHING
        if scope["method"] == "HEAD":
            body = _NOTHING
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        seen = Asked(id=request_id(scope, given, proxies), operation=operation)
        told = [*own, (b"x-request-id", seen.id.encode()), *OF_READING]
        await send({"type": "http.response.start", "status": status, "headers": told})
        await send(body)
        # A path that has an answer holds nothing that would have to be hidden.
        seconds = time.perf_counter() - began
        notes.note(seen, scope["method"], scope["path"], status, seconds)

    return wrapped


def _of_plain_reading(scope: Any) -> dict[bytes, bytes] | None:
    """Give the headers of a request that may be answered here; None for any other."""
    if (
        scope["type"] != "http"
        or scope["method"] not in _READS
        or not scope["path"].startswith(search.PATH)
    ):
        return None
    headers = dict(scope["headers"])
    # Which of two of a name counts is not settled here.
    is_plain = len(headers) == len(scope["headers"]) and b"authorization" not in headers
    return headers if is_plain else None


async def _record(opened: Opened, record: str, headers: dict[bytes, bytes]) -> Form | None:
    kept = opened.kept
    if kept is None:
        return None
    found = kept.at_hand(record)
    if found is None and _RECORD.fullmatch(record):
        try:
            found = await kept.read(record)
        except Exception:  # noqa: BLE001  the application meets the same, and tells of it
            return None
    return None if found is None else found.form(headers.get(b"accept-encoding"))


async def _page(opened: Opened, query: bytes) -> Form | None:
    asked = _asked(query)
    if asked is None or opened.state is None:
        return None
    try:
        body, headers = await search.answer(opened.state, *asked, query)
    except Exception:  # noqa: BLE001  the application meets the same, and tells of it
        return None
    tag = b'W/"' + sha256(body).hexdigest()[:16].encode() + b'"'
    head = [(name.encode(), value.encode()) for name, value in headers.items()]
    return form(tag, head, body)


@lru_cache(maxsize=1024)
def _asked(query: bytes) -> tuple[Sought, Wanted] | None:
    """Read the parameters of a search as the framework does; None where that is not certain."""
    if not query.isascii():
        return None
    single: dict[str, Any] = {}
    several: dict[str, list[str]] = {}
    for name, value in parse_qsl(query.decode(), keep_blank_values=True):
        if "\x00" in value:
            return None
        if name in _SEVERAL:
            several.setdefault(name, []).append(value)
        elif name not in _SINGLE or name in single:
            return None
        elif name not in _NUMBERS:
            single[name] = value
        elif _NUMBER.fullmatch(value):
            single[name] = int(value)
        else:
            return None
    codes = {name: several[name] for name in FILTERS if name in several}
    wanted = {name: single.pop(name) for name in search.ONCE if name in single}
    return Sought(**single, codes=codes), Wanted(**wanted)
