"""The outermost middleware: ids, hosts, cross-origin reading, access log, HEAD, tags, gzip."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import Any

from litestar.datastructures import State
from litestar.types import ASGIApp, Receive, Send
from structlog.contextvars import bound_contextvars

from registry.api.metrics import process_metrics
from registry.api.problems import problem_messages, report_fault
from registry.api.request import (
    AccessLogEntry,
    RequestContext,
    host_name,
    path_for_logs,
    request_context,
    request_id,
    worker_of,
)
from registry.clock import utc_now
from registry.errors import (
    AddressTooLong,
    HeadersTooLarge,
    MisdirectedRequest,
    RegistryError,
)
from registry.settings import Settings, is_loopback
from registry.work import MeasuredWork, WorkMeter, in_thread

LONGEST_ADDRESS = 8192

LARGEST_HEADERS = 32 * 1024
"""Bytes of all names and values; what proxies pass on is no more."""

_LONGEST_HOST = 255

_READS = {"GET", "HEAD", "OPTIONS"}
_ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    # Else the server says which one it is.
    (b"server", b"registry"),
]
_NO_CONTENT = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_PAGES = [
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
_CLOSED = (b"cross-origin-resource-policy", b"same-origin")
_OPEN = [
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        (
            b"ETag, Link, Retry-After, X-Request-Id, X-Register-Size, X-Register-Mended, "
            b"Content-Disposition, Location"
        ),
    ),
]
_PREFLIGHT = [
    (b"access-control-allow-methods", b"GET, HEAD"),
    (b"access-control-allow-headers", b"If-None-Match, Accept-Language"),
    (b"access-control-max-age", b"86400"),
]


class EdgeMiddleware:
    """Names a request, checks its host and address, sets headers, counts and logs the answer.

    Ours, because litestar's hosts, CORS and logging answer a wrong host without a problem, open an
    application to other origins whatever a request shows, and see nothing of the site's files.
    """

    def __init__(
        self,
        application: ASGIApp,
        settings: Settings,
        state: State,
        tell: Callable[[AccessLogEntry], None] | None,
        *,
        is_api: Callable[[str], bool],
        is_private: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Wrap the application; `is_api` is true of the paths of the API, not the site's.

        Those that `is_private` is true of are pages that no other origin reads. Each answer of both
        is counted in the metrics, and `tell` writes its line of the access log.
        """
        self._application = application
        self._hosts, self._proxies = settings.hosts, settings.proxies
        self._state = state
        self._tell = tell
        self._is_api = is_api
        self._is_private = is_private

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        began = time.perf_counter()
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        context = scope["request_context"] = RequestContext(
            id=request_id(scope, headers.get(b"x-request-id", ""), self._proxies)
        )
        api, private = self._is_api(scope["path"]), self._is_private(scope["path"])
        more = _headers(scope["method"], headers, context.id, api=api, private=private)
        answer = _Answer(send, more)
        with bound_contextvars(request=context.id):
            try:
                refusal = _refusal(scope, self._hosts)
                if refusal is not None:
                    await answer.problem(refusal, scope)
                elif scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
                    await answer.preflight(headers, private=private)
                else:
                    meter = WorkMeter()
                    try:
                        await MeasuredWork(self._application(scope, receive, answer.send), meter)
                    finally:
                        await self._charge(context, scope, meter.seconds)
            except Exception as error:  # noqa: BLE001  nothing leaves without an answer
                # What answers beside the framework raises its refusals here.
                fault = error if isinstance(error, RegistryError) else report_fault(error, scope)
                if answer.status:
                    # It has begun; only a broken connection shows that it is not whole.
                    raise ConnectionAbortedError("the answer broke off") from None
                await answer.problem(fault, scope)
            finally:
                if api or private:
                    self._note(context, scope, answer.status, time.perf_counter() - began)

    async def _charge(self, context: RequestContext, scope: Any, seconds: float) -> None:
        # The description is also read of an application that has not begun.
        served = self._state.get("context")
        if served is not None and self._state.work.counts(seconds):
            who = worker_of(context.actor, scope, self._proxies)
            await self._state.work.charge(served.database, who, seconds)

    def _note(self, context: RequestContext, scope: Any, status: int, seconds: float) -> None:
        process_metrics().count_request(context.operation, status, seconds)
        if self._tell is not None:
            name, token = (
                (None, None) if context.actor is None else (context.actor.name, context.actor.token)
            )
            self._tell(
                AccessLogEntry(
                    method=scope["method"],
                    path=path_for_logs(scope),
                    status=status,
                    ms=round(seconds * 1000, 1),
                    actor=name,
                    token=token,
                    request=context.id,
                    timestamp=utc_now(),
                )
            )


class _Answer:
    """Adds the edge's headers to an answer, and remembers its status; 0 while there is none."""

    def __init__(self, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        self._send = send
        self._headers = headers
        self.status = 0

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], *self._headers]
        await self._send(message)

    async def problem(self, error: RegistryError, scope: Any) -> None:
        start, body = problem_messages(error, request_context(scope).id)
        await self.send(start)
        await self.send(body | {"body": b""} if scope["method"] == "HEAD" else body)

    async def preflight(self, headers: dict[bytes, str], *, private: bool) -> None:
        open_to_all = (
            not private
            and headers[b"access-control-request-method"] in {"GET", "HEAD"}
            and ("authorization" not in headers.get(b"access-control-request-headers", "").lower())
        )
        if not open_to_all:
            self._headers = [pair for pair in self._headers if pair not in _OPEN] + [_CLOSED]
        more = _PREFLIGHT if open_to_all else []
        await self.send({"type": "http.response.start", "status": 204, "headers": more})
        await self.send({"type": "http.response.body", "body": b"", "more_body": False})


def _headers(
    method: str, headers: dict[bytes, str], request: str, *, api: bool, private: bool
) -> list[tuple[bytes, bytes]]:
    readable = not private and method in _READS and b"authorization" not in headers
    return [
        (b"x-request-id", request.encode()),
        *_ALWAYS,
        *([_NO_CONTENT] if api else _PAGES),
        *(_OPEN if readable else [_CLOSED]),
    ]


def _refusal(scope: Any, hosts: frozenset[str] | None) -> RegistryError | None:
    size = len(scope.get("raw_path") or scope["path"].encode()) + len(scope["query_string"])
    if size > LONGEST_ADDRESS:
        return AddressTooLong(
            f"path and query have {size:,} bytes; at most {LONGEST_ADDRESS:,} are read"
        )
    size = sum(len(name) + len(value) for name, value in scope["headers"])
    if size > LARGEST_HEADERS:
        return HeadersTooLarge(
            f"the header fields have {size:,} bytes; at most {LARGEST_HEADERS:,} are read"
        )
    # Whoever watches the process asks by any address that it has.
    if hosts is None or scope["path"].startswith("/health/"):
        return None
    given = {value for name, value in scope["headers"] if name == b"host"}
    if given and all(len(value) <= _LONGEST_HOST and _is_answered(value, hosts) for value in given):
        return None
    named = {host_name(value[:_LONGEST_HOST]) for value in given}
    return MisdirectedRequest(
        f"this register does not answer for the host {' and '.join(sorted(named)) or '(none)'}; "
        "use the address that its links have"
    )


@lru_cache(maxsize=1000)
def _is_answered(given: bytes, hosts: frozenset[str] | None) -> bool:
    """Return whether the register answers for the host of a Host header; `hosts` None for any."""
    if hosts is None:
        return True
    host = host_name(given)
    return host in hosts or is_loopback(host)


_TAG = re.compile(r'(?:W/)?("[^"]*")')
_OK = 200
_NOT_MODIFIED = 304
_HEAD = "is_head"

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
        inner: Any = {**scope, "method": "GET", _HEAD: scope["method"] == "HEAD"}
        await self._application(inner, receive, _ConditionalAnswer(scope, send).send)


def is_unread(scope: Any, tag: str) -> bool:
    """Return whether nobody will read the body of the answer with a tag, so none need be made.

    What stands for it must come in more than one part, not to be taken for the whole of it.
    """
    known = _request_header(scope, b"if-none-match")
    return bool(scope.get(_HEAD)) or _named_in(known, tag) is not None


class _ConditionalAnswer:
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
        elif varies and _takes_gzip(_request_header(self._scope, b"accept-encoding")):
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
def _takes_gzip(accepted: str) -> bool:
    """Return whether gzip may be sent, and is preferred no less than identity (§12.5.3)."""
    liked = {name.lower(): float(quality or 1) for name, quality in _CODING.findall(accepted)}
    gzip = liked.get("gzip", liked.get("x-gzip", liked.get("*", 0)))
    return gzip > 0 and gzip >= liked.get("identity", 0)
