"""HEAD, If-None-Match and gzip for every GET (RFC 9110 §9.3.2, §13.1.2 and §8.4)."""

from __future__ import annotations

import re
import zlib
from functools import lru_cache
from hashlib import sha256
from typing import Any

from litestar.types import ASGIApp, Receive, Send

from registry.work import in_thread

_TAG = re.compile(r'(?:W/)?("[^"]*")')
_OK = 200
_NOT_MODIFIED = 304
IS_HEAD = "is_head"
"""What a scope says where its GET stands for HEAD."""

_BODY_HEADERS = (b"content-length", b"content-type")
"""What a 304 leaves out."""

_COMPRESSIBLE = re.compile(rb"text/|image/svg\+xml|application/([a-z.]+\+)?(json|xml)\b")
_CODING = re.compile(r"([\w*-]+)\s*(?:;\s*q\s*=\s*([01](?:\.\d*)?))?", re.ASCII)
_GZIP = 16 + zlib.MAX_WBITS
_LEVEL = 5
_LEAST = 500
"""Fewer bytes are sent as they are: the head of the answer weighs as much."""

_MOST_KEPT = 64 * 2**10
"""Compressed forms of shorter bodies are kept, those asked for last, up to 10 MB."""


class ConditionalRequests:
    """Serves HEAD, conditional requests and gzip out of the GET answers of an application.

    Ours, because litestar answers HEAD with 405, knows no conditional requests, gives both codings
    of an answer the same tag, and does not reach the site's files. An answer without a tag gets a
    weak one, the digest of its bytes; one that states no age is asked for anew each time, since a
    cache that chose by itself could go on showing what was withdrawn or erased.
    """

    def __init__(self, application: ASGIApp) -> None:
        """Wrap an application."""
        self._application = application

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            await self._application(scope, receive, send)
            return
        inner: Any = {**scope, "method": "GET", IS_HEAD: scope["method"] == "HEAD"}
        await self._application(inner, receive, _Answer(scope, send).send)


def is_unread(scope: Any, tag: str) -> bool:
    """Return whether nobody will read the body of the answer with a tag, so none need be made.

    What stands for it must come in more than one part, not to be taken for the whole of it.
    """
    known = _request_header(scope, b"if-none-match")
    return bool(scope.get(IS_HEAD)) or _named_in(known, tag) is not None


class _Answer:
    """Holds an answer's head back until its first bytes are there to make a tag of."""

    def __init__(self, scope: Any, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._start: Any = None
        self._silent = False

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        if message["type"] == "http.response.body" and self._start is not None:
            await self._begin(self._start, message)
            self._start = None
        if not self._silent:
            await self._send(message)

    async def _begin(self, start: Any, message: Any) -> None:
        """Send the head; the message with the first part of the body may be changed."""
        headers = dict(start["headers"])
        body = message.get("body", b"")
        whole = not message.get("more_body", False)
        is_head = self._scope["method"] == "HEAD"
        tag = headers.get(b"etag", b"").decode("latin-1")
        named = None
        if start["status"] == _OK:
            if not tag and whole:
                tag = f'W/"{sha256(body).hexdigest()[:16]}"'
            headers.setdefault(b"cache-control", b"no-cache")
            named = _named_in(_request_header(self._scope, b"if-none-match"), tag)
        varies = whole and len(body) >= _LEAST and _is_compressible(headers)
        if varies:
            vary = headers.get(b"vary")
            headers[b"vary"] = b"accept-encoding" if vary is None else vary + b",accept-encoding"
        if named is not None:
            start["status"] = _NOT_MODIFIED
            tag = named
            for name in _BODY_HEADERS:
                headers.pop(name, None)
        elif varies and takes_gzip(_request_header(self._scope, b"accept-encoding")):
            body = message["body"] = await _compressed(body)
            headers[b"content-encoding"] = b"gzip"
            headers[b"content-length"] = str(len(body)).encode()
            tag = tag and _coded(tag)
        elif is_head and whole:
            headers.setdefault(b"content-length", str(len(body)).encode())
        if tag:
            headers[b"etag"] = tag.encode("latin-1")
        start["headers"] = list(headers.items())
        self._silent = is_head or named is not None
        await self._send(start)
        if self._silent:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def _request_header(scope: Any, name: bytes) -> str:
    """Return a header of a request, the values of several joined."""
    return b",".join([value for given, value in scope["headers"] if given == name]).decode(
        "latin-1"
    )


def _named_in(known: str, tag: str) -> str | None:
    """Return the tag that If-None-Match knows an answer by, its own or its compressed form's.

    They are compared weakly, as RFC 9110 §13.1.2 asks; None where it knows neither.
    """
    if not tag or not known:
        return None
    if known.strip() in {tag, "*"}:
        return tag
    named = set(_TAG.findall(known))
    return next((one for one in (tag, _coded(tag)) if _TAG.findall(one)[0] in named), None)


def _coded(tag: str) -> str:
    """Return the tag of an answer's compressed form."""
    return f'{tag[:-1]}-gz"'


def _is_compressible(headers: dict[bytes, bytes]) -> bool:
    """Return whether an answer is a text that anybody may read."""
    return (
        b"content-encoding" not in headers
        and b"no-store" not in headers.get(b"cache-control", b"")
        and _COMPRESSIBLE.match(headers.get(b"content-type", b"")) is not None
    )


async def _compressed(body: bytes) -> bytes:
    if len(body) <= _MOST_KEPT:
        return _kept(body)
    # It would hold up everybody else.
    return await in_thread(_gzip, body)


@lru_cache(maxsize=128)
def _kept(body: bytes) -> bytes:
    return _gzip(body)


def _gzip(body: bytes) -> bytes:
    press = zlib.compressobj(_LEVEL, wbits=_GZIP)
    return press.compress(body) + press.flush()


@lru_cache(maxsize=100)
def takes_gzip(accepted: str) -> bool:
    """Return whether gzip may be sent, and is preferred no less than identity (§12.5.3)."""
    liked = {name.lower(): float(quality or 1) for name, quality in _CODING.findall(accepted)}
    gzip = liked.get("gzip", liked.get("x-gzip", liked.get("*", 0)))
    return gzip > 0 and gzip >= liked.get("identity", 0)
