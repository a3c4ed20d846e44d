"""The outermost middleware: ids, hosts, addresses, cross-origin reading, the access log."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
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
from registry.work import MeasuredWork, WorkMeter

LONGEST_ADDRESS = 8192

LARGEST_HEADERS = 32 * 1024
"""Bytes of all names and values; what proxies pass on is no more."""

_LONGEST_HOST = 255

_READS = {"GET", "HEAD", "OPTIONS"}
_READ_BY_POST = "/api/v1/reconcile"
"""Where a form asks a question that is too long for an address, and changes nothing."""
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
        reads = scope["method"] in _READS or scope["path"] == _READ_BY_POST
        more = _headers(headers, context.id, reads=reads, api=api, private=private)
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
    headers: dict[bytes, str], request: str, *, reads: bool, api: bool, private: bool
) -> list[tuple[bytes, bytes]]:
    readable = not private and reads and b"authorization" not in headers
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
