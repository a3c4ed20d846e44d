"""Records in force from ready bytes, before anything else looks at the request.

Only a plain reading is answered here: GET or HEAD, without a query, without a token. Whatever is
not that, or has no such answer, goes on to the application, which answers the same, only slower and
never compressed.
"""

from __future__ import annotations

import re
import time
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from registry.api.asked import Asked, request_id
from registry.api.conditional import CODED, named_in
from registry.api.edge import OF_READING, is_answered
from registry.api.records import tag_of, written
from registry.store.kept import Kept

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Receive, Send

    from registry.api.edge import Notes
    from registry.settings import Settings
    from registry.store.kept import LastVersion

_PREFIX = "/api/v1/records/"
_RECORD = re.compile("[a-z0-9.-]{1,120}/[a-z0-9-]{1,120}")
_OPERATION = "get_record"
_CODINGS = re.compile(r"([\w*-]+)\s*(?:;\s*q\s*=\s*([01](?:\.\d*)?))?", re.ASCII)
_GZIP = 16 + zlib.MAX_WBITS
_COMPRESSED = 1.5
"""What an answer takes with its compressed form, times its body; it is mostly less."""
_READS = {"GET", "HEAD"}
_HEAD = [(b"cache-control", b"no-cache"), (b"vary", b"accept-encoding")]
_NOTHING: Any = {"type": "http.response.body", "body": b"", "more_body": False}


class Form(msgspec.Struct, frozen=True):
    """An answer in one coding: its tag, its headers but for those of the edge, its body."""

    tag: bytes
    headers: list[tuple[bytes, bytes]]
    body: Any


class Ready(msgspec.Struct):
    """The answer about a record, and its compressed form once somebody has asked for that."""

    plain: Form
    packed: Form | None = None


class Opened(msgspec.Struct):
    """Where answers are read from, once the application has started."""

    kept: Kept[Ready] | None = None


def ready_first(application: ASGIApp, settings: Settings, notes: Notes, opened: Opened) -> ASGIApp:
    """Wrap the application."""
    hosts = settings.hosts
    proxies = settings.proxies

    async def wrapped(scope: Any, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        headers = _of_plain_reading(scope)
        kept = opened.kept
        if headers is None or kept is None or not is_answered(headers.get(b"host", b""), hosts):
            await application(scope, receive, send)
            return
        record = scope["path"][len(_PREFIX) :]
        found = kept.at_hand(record) or await _read(kept, record)
        if found is None:
            await application(scope, receive, send)
            return
        form = found.plain
        if b"accept-encoding" in headers and _takes_gzip(headers[b"accept-encoding"]):
            form = found.packed = found.packed or _packed(form)
        status, own, body = 200, form.headers, form.body
        if b"if-none-match" in headers:
            tag = named_in(headers[b"if-none-match"], found.plain.tag)
            if tag is not None:
                status, own, body = 304, [*_HEAD, (b"etag", tag)], _NOTHING
        if scope["method"] == "HEAD":
            body = _NOTHING
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        seen = Asked(id=request_id(scope, given, proxies), operation=_OPERATION)
        told = [*own, (b"x-request-id", seen.id.encode()), *OF_READING]
        await send({"type": "http.response.start", "status": status, "headers": told})
        await send(body)
        # A path that has an answer holds nothing that would have to be hidden.
        seconds = time.perf_counter() - began
        notes.note(seen, scope["method"], scope["path"], status, seconds)

    return wrapped


def ready(stored: LastVersion) -> tuple[Ready, int]:
    """Make the answer about a record, and say how many bytes it takes."""
    body = written(stored.document, stored.register)
    plain = _form(tag_of(stored.register).encode(), body)
    return Ready(plain), int(len(body) * _COMPRESSED)


def _of_plain_reading(scope: Any) -> dict[bytes, bytes] | None:
    """Give the headers of a request that may be answered here; None for any other."""
    if (
        scope["type"] != "http"
        or scope["method"] not in _READS
        or scope["query_string"]
        or not scope["path"].startswith(_PREFIX)
    ):
        return None
    headers = dict(scope["headers"])
    # Which of two of a name counts is not settled here.
    is_plain = len(headers) == len(scope["headers"]) and b"authorization" not in headers
    return headers if is_plain else None


async def _read(kept: Kept[Ready], record: str) -> Ready | None:
    if not _RECORD.fullmatch(record):
        return None
    try:
        return await kept.read(record)
    except Exception:  # noqa: BLE001  the application meets the same, and tells of it
        return None


def _form(tag: bytes, body: bytes, *more: tuple[bytes, bytes]) -> Form:
    length = (b"content-length", str(len(body)).encode())
    return Form(
        tag=tag,
        headers=[*_HEAD, (b"etag", tag), (b"content-type", b"application/json"), *more, length],
        body={"type": "http.response.body", "body": body, "more_body": False},
    )


def _packed(plain: Form) -> Form:
    press = zlib.compressobj(wbits=_GZIP)
    body = press.compress(plain.body["body"]) + press.flush()
    return _form(plain.tag[:-1] + CODED, body, (b"content-encoding", b"gzip"))


@lru_cache(maxsize=100)
def _takes_gzip(accepted: bytes) -> bool:
    """Tell whether gzip may be sent, and is liked no less than plain bytes (RFC 9110 §12.5.3)."""
    liked = {
        name.lower(): float(quality or 1)
        for name, quality in _CODINGS.findall(accepted.decode("latin-1"))
    }
    gzip = liked.get("gzip", liked.get("x-gzip", liked.get("*", 0)))
    return gzip > 0 and gzip >= liked.get("identity", 0)
