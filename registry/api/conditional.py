"""HEAD and If-None-Match for every GET, around the whole application (RFC 9110 §9.3.2, §13.1.2).

An answer that brings no tag of its own gets a weak one, the digest of its bytes. One that does not
say how long it may be kept is asked for anew each time: a cache that chose by itself could go on
showing what was withdrawn or erased.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

from litestar.types import ASGIApp, Receive, Send

_TAG = re.compile(rb'(?:W/)?("[^"]*")')
_OK = 200
_NOT_MODIFIED = 304
_HEAD = "is_head"

CODED = b'-gz"'
"""How the tag of a compressed form ends; what stands before is the tag of the plain one."""

_BODY_HEADERS = {b"content-length", b"content-type", b"content-encoding"}
"""What a 304 leaves out."""


def conditional(application: ASGIApp) -> ASGIApp:
    """Wrap an application so that its GET answers serve HEAD and conditional requests too."""

    async def wrapped(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            await application(scope, receive, send)
            return
        answer = _Answer(
            send, head=scope["method"] == "HEAD", known=_header(scope["headers"], b"if-none-match")
        )
        inner: Any = {**scope, "method": "GET", _HEAD: scope["method"] == "HEAD"}
        await application(inner, receive, answer.send)

    return wrapped


def is_unread(scope: Any, tag: str) -> bool:
    """Tell whether nobody will read the body of the answer with a tag, so that none need be made.

    What stands for it must come in more than one part, not to be taken for the whole of it.
    """
    known = _header(scope["headers"], b"if-none-match")
    named = None if known is None else named_in(known, tag.encode())
    return bool(scope.get(_HEAD)) or named is not None


class _Answer:
    """Holds an answer's head back until its first bytes are there to make a tag of."""

    def __init__(self, send: Send, *, head: bool, known: bytes | None) -> None:
        self._send = send
        self._head = head
        self._known = known
        self._start: Any = None
        self._silent = False

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        if message["type"] != "http.response.body":
            await self._send(message)
            return
        if self._start is not None:
            await self._begin(message)
        if not self._silent:
            await self._send(message)

    async def _begin(self, message: Any) -> None:
        start, self._start = self._start, None
        headers: list[tuple[bytes, bytes]] = list(start["headers"])
        body = message.get("body", b"")
        whole = not message.get("more_body", False)
        if start["status"] == _OK:
            tag = _header(headers, b"etag")
            if tag is None and whole:
                tag = b'W/"' + sha256(body).hexdigest()[:16].encode() + b'"'
                headers.append((b"etag", tag))
            if _header(headers, b"cache-control") is None:
                headers.append((b"cache-control", b"no-cache"))
            known = self._known
            named = None if tag is None or known is None else named_in(known, tag)
            if named is not None:
                start["status"] = _NOT_MODIFIED
                headers = [
                    pair if pair[0].lower() != b"etag" else (b"etag", named)
                    for pair in headers
                    if pair[0].lower() not in _BODY_HEADERS
                ]
                self._silent = True
        if self._head and not self._silent:
            self._silent = True
            if whole and _header(headers, b"content-length") is None:
                headers.append((b"content-length", str(len(body)).encode()))
        start["headers"] = headers
        await self._send(start)
        if self._silent:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def named_in(known: bytes, tag: bytes) -> bytes | None:
    """Give the tag that If-None-Match knows an answer by: its own, or that of its compressed form.

    They are compared weakly, as RFC 9110 §13.1.2 asks; None where it knows neither.
    """
    if known.strip() in {tag, b"*"}:
        return tag
    match = _TAG.fullmatch(tag)
    if match is None:
        return None
    named = _TAG.findall(known)
    if match[1] in named:
        return tag
    packed = tag[:-1] + CODED
    return packed if packed in named else None


def _header(headers: Any, name: bytes) -> bytes | None:
    for key, value in headers:
        if key.lower() == name:
            return bytes(value)
    return None
