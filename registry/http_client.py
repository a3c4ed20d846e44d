"""Asking others over HTTP: every exchange has a time limit and a bound of bytes as a whole.

httpx limits each read alone, so that a head or a content that drips would never end.
"""

from __future__ import annotations

import asyncio
import math
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

import httpcore
import httpx
import msgspec

LONGEST_READ = 30.0
"""The seconds that connecting, and each read, may take."""

MOST_BYTES = 16 << 20
"""The bytes of an answer's content, where nothing else is said."""

_TOO_SLOW = "it takes longer than an answer may"
_TOO_LARGE = "it is larger than an answer may be"

_CARRYING = tuple(
    IPv6Network(text)
    for text in ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0/96", "2002::/16", "2001::/32")
)
"""Networks whose addresses lead to an IPv4 address within them: NAT64, mapped, 6to4, Teredo."""


class HttpAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that was read to its end; the content is as it came, compressed or not."""

    status: int
    headers: httpx.Headers
    content: bytes


class BoundedClient(httpx.Client):
    """A client of threads, for one exchange at a time, through no proxy and without redirects.

    It trusts the authorities of this machine. What an exchange may not do raises `httpx.HTTPError`.
    """

    def __init__(
        self, *, seconds: float, most: float = MOST_BYTES, only_public: bool = False, **options: Any
    ) -> None:
        """Take the seconds of a whole exchange, and the most bytes of its content.

        With `only_public` a host is connected to at an address of the public internet alone, at
        the one that was looked at: a name may mean another a moment later.
        """
        self._bounds = _BoundedTransport(seconds, most, only_public=only_public)
        super().__init__(
            transport=self._bounds,
            timeout=min(seconds, LONGEST_READ),
            trust_env=False,
            follow_redirects=False,
            **options,
        )

    def begin(self) -> None:
        """Begin to count the time anew, for the next part of what may be of any length."""
        self._bounds.begin()

    def end_within(self, seconds: float) -> None:
        """Have every exchange from now on end within some seconds."""
        self._bounds.ends_at = time.monotonic() + seconds

    def read(self, url: str, method: str = "GET", **request: Any) -> HttpAnswer:
        """Return the answer at an address. Raises `httpx.HTTPError`."""
        try:
            return self._read(method, url, request)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            # A server may have closed an idle connection; then a new one is opened, once.
            return self._read(method, url, request)

    def _read(self, method: str, url: str, request: dict[str, Any]) -> HttpAnswer:
        with self.stream(method, url, **request) as answer:
            content = b"".join(answer.iter_raw())
        return HttpAnswer(status=answer.status_code, headers=answer.headers, content=content)


async def exchange(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    seconds: float,
    most: int = MOST_BYTES,
    **request: Any,
) -> HttpAnswer:
    """Return an answer that comes within some seconds, and has no more than `most` bytes.

    Raises `httpx.HTTPError`, also for an address that is none.
    """
    headers = {"accept-encoding": "identity", **request.pop("headers", {})}
    content = b""
    try:
        async with (
            asyncio.timeout(seconds),
            client.stream(method, url, headers=headers, **request) as answer,
        ):
            async for part in answer.aiter_raw():
                content += part
                if len(content) > most:
                    raise httpx.DecodingError(_TOO_LARGE)
    except TimeoutError as error:
        raise httpx.ReadTimeout(_TOO_SLOW) from error
    except httpx.InvalidURL as error:
        raise httpx.UnsupportedProtocol(str(error)) from error
    return HttpAnswer(status=answer.status_code, headers=answer.headers, content=content)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address is one of the public internet, and leads nowhere else."""
    if isinstance(address, IPv6Address) and any(address in network for network in _CARRYING):
        return False
    return address.is_global and not address.is_multicast


class _BoundedTransport(httpx.HTTPTransport):
    def __init__(self, seconds: float, most: float, *, only_public: bool) -> None:
        trusted = ssl.create_default_context()
        super().__init__(verify=trusted)
        self._pool = httpcore.ConnectionPool(
            ssl_context=trusted, network_backend=_Backend(self.left, only_public=only_public)
        )
        self._seconds, self._most = seconds, most
        self._until = 0.0
        self.ends_at = math.inf

    def begin(self) -> None:
        self._until = min(time.monotonic() + self._seconds, self.ends_at)

    def left(self, timeout: float | None) -> float:
        """Return the seconds that a step may take."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout(_TOO_SLOW)
        return left if timeout is None else min(left, timeout)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.begin()
        answer = super().handle_request(request)
        answer.stream = _BoundedStream(answer.stream, self._most)
        return answer


class _BoundedStream(httpx.SyncByteStream):
    def __init__(self, stream: Any, most: float) -> None:
        self._stream, self._most = stream, most

    def __iter__(self) -> Iterator[bytes]:
        left = self._most
        for part in self._stream:
            left -= len(part)
            if left < 0:
                raise httpx.DecodingError(_TOO_LARGE)
            yield part

    def close(self) -> None:
        self._stream.close()


class _Backend(httpcore.SyncBackend):
    """Connects to hosts whose addresses are looked up and vetted here."""

    def __init__(self, left: Callable[[float | None], float], *, only_public: bool) -> None:
        self._left = left
        self._only_public = only_public

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of the host that answers."""
        failed: Exception = httpcore.ConnectError("the host has no address")
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        for *_, place in found:
            address = str(place[0])
            vetted = ip_address(address.partition("%")[0])
            if self._only_public and not is_public(vetted):
                failed = httpcore.ConnectError(f"{host} is at {vetted}, which is no public address")
                continue
            try:
                connected = super().connect_tcp(
                    address, port, self._left(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
            else:
                return _TimedStream(connected, self._left)
        raise failed


class _TimedStream(httpcore.NetworkStream):
    """A connection of which each step ends when the exchange must."""

    def __init__(
        self, stream: httpcore.NetworkStream, left: Callable[[float | None], float]
    ) -> None:
        self._stream = stream
        self._left = left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        encrypted = self._stream.start_tls(ssl_context, server_hostname, self._left(timeout))
        return _TimedStream(encrypted, self._left)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
