"""Fetching what another's host serves: over https, with limits on size and time."""

from __future__ import annotations

import math
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

from registry.errors import ConfigurationError, Unavailable
from registry.settings import is_loopback

_LONGEST = 64 << 20
_SECONDS = 30.0
"""The time limit of connecting, and of each read."""
_LONGEST_SECONDS = 120.0
"""The time limit of a whole exchange: connecting, head and content."""
_AT_ONCE = 1 << 16
_OK, _NOT_FOUND = 200, 404
_HEADERS = {"Accept-Encoding": "identity"}
_PORTS = {"http": 80, "https": 443}

_CARRYING = tuple(
    IPv6Network(text)
    for text in ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0/96", "2002::/16", "2001::/32")
)
"""Networks whose addresses lead to an IPv4 address within them: NAT64, mapped, 6to4, Teredo."""


@contextmanager
def reader(
    url: str,
    *,
    only_public: bool = False,
    seconds: float = math.inf,
    most: float = math.inf,
) -> Iterator[Callable[[str], bytes]]:
    """Yield a function that reads files below an address, for some seconds and `most` bytes in all.

    That raises `FileNotFoundError` for one that is not there, and `Unavailable` for any other
    failure. One connection serves many files. Redirects are errors, and so is what is compressed.
    With `only_public` the host must have public addresses, and is asked over https at one of these.
    """
    connection, base = open_connection(url, only_public=only_public)
    connection.ends_at = time.monotonic() + seconds
    left = most

    def read(path: str) -> bytes:
        nonlocal left
        address = f"{url.rstrip('/')}/{path}"
        answer, content = fetch(connection, f"{base}/{path}", address, _HEADERS)
        left -= len(content)
        if left < 0:
            raise Unavailable(f"{url} answers with more than may be read of it at a time")
        if answer.getheader("content-encoding", "identity").lower() != "identity":
            raise Unavailable(f"{address} answers what is compressed, and was not asked to")
        if answer.status == _NOT_FOUND:
            raise FileNotFoundError(address)
        if answer.status != _OK:
            raise Unavailable(f"{address} answers {answer.status}")
        return content

    try:
        yield read
    finally:
        connection.close()


def open_connection(url: str, *, only_public: bool = False) -> tuple[RemoteConnection, str]:
    """Return a connection to the host of an address, and the path that files lie below.

    With `only_public` it goes to a public address of the host. Raises `ConfigurationError` for an
    address without https, unless it is this machine's and may be.
    """
    parts = urlsplit(url)
    host = parts.hostname
    is_here = is_loopback(host or "") and not only_public
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_here)
    if not is_safe or host is None or parts.query or parts.fragment or parts.username:
        raise ConfigurationError(f"{url}: give an address that begins with https://")
    try:
        port = parts.port or _PORTS[parts.scheme]
        connection = RemoteConnection(
            host, port, is_encrypted=parts.scheme == "https", only_public=only_public
        )
    except ValueError as error:
        raise ConfigurationError(f"{url}: {error}") from error
    return connection, parts.path.rstrip("/")


def fetch(
    connection: RemoteConnection, target: str, address: str, headers: Mapping[str, str]
) -> tuple[HTTPResponse, bytes]:
    """Return the answer at a target and its content, as far as its size and its time allow.

    Raises `Unavailable` with the address.
    """
    connection.begin()
    try:
        # A server may have closed an idle connection; then a new one is opened, once.
        try:
            return _ask(connection, target, address, headers)
        except (ConnectionError, HTTPException):
            connection.close()
            return _ask(connection, target, address, headers)
    except (OSError, HTTPException) as error:
        connection.close()
        raise Unavailable(f"{address} cannot be read: {error}") from error
    except Unavailable:
        connection.close()
        raise


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address is one of the public internet, and leads nowhere else."""
    if isinstance(address, IPv6Address) and any(address in network for network in _CARRYING):
        return False
    return address.is_global and not address.is_multicast


class _TimedSocket(socket.socket):
    """A socket of which each read ends when the exchange must; `left` are the seconds until then.

    A head that comes byte by byte is many reads, none of which is slow.
    """

    left: Callable[[], float]

    def recv_into(self, *args: Any) -> int:
        """Read as `socket.socket` does. Raises `TimeoutError`."""
        self.settimeout(self.left())
        return super().recv_into(*args)


class _TimedTLSSocket(_TimedSocket, ssl.SSLSocket):
    """The same, encrypted."""


class RemoteConnection(HTTPConnection):
    """A connection to a host whose addresses are looked up, vetted and connected to by us.

    So a name that means another address a moment later leads nowhere else. Each exchange over it
    has a time limit as a whole.
    """

    def __init__(self, host: str, port: int, *, is_encrypted: bool, only_public: bool) -> None:
        """Take the host, and connect to it no earlier than it is asked."""
        super().__init__(host, port, timeout=_SECONDS)
        self._only_public = only_public
        self._until = 0.0
        self.ends_at = math.inf
        """The time of the monotonic clock by which every exchange ends."""
        self._tls = ssl.create_default_context() if is_encrypted else None
        if self._tls is not None:
            self._tls.sslsocket_class = _TimedTLSSocket
        # What names the host without the port, as the port is the scheme's own.
        self.default_port = _PORTS["https" if is_encrypted else "http"]

    def begin(self) -> None:
        """Begin an exchange, or the next part of one that may be of any length."""
        self._until = min(time.monotonic() + _LONGEST_SECONDS, self.ends_at)

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("it takes longer than an answer may")
        return min(left, _SECONDS)

    def connect(self) -> None:
        """Connect to the first address of the host that answers; raises `OSError`."""
        failed: OSError = OSError("the host has no address")
        for family, kind, protocol, _, place in socket.getaddrinfo(
            self.host, self.port, type=socket.SOCK_STREAM
        ):
            address = ip_address(str(place[0]).partition("%")[0])
            if self._only_public and not is_public(address):
                failed = OSError(f"{self.host} is at {address}, which is no public address")
                continue
            lent = _TimedSocket(family, kind, protocol)
            try:
                lent.settimeout(self._left())
                lent.connect(place)
                timed: Any = lent
                if self._tls is not None:
                    timed = self._tls.wrap_socket(lent, server_hostname=self.host)
                timed.left = self._left
                self.sock = timed
            except OSError as error:
                lent.close()
                failed = error
            else:
                return
        raise failed


def _ask(
    connection: RemoteConnection, target: str, address: str, headers: Mapping[str, str]
) -> tuple[HTTPResponse, bytes]:
    connection.request("GET", target, headers=headers)
    content = bytearray()
    with connection.getresponse() as answer:
        while part := answer.read1(_AT_ONCE):
            content += part
            if len(content) > _LONGEST:
                raise Unavailable(f"{address} is larger than an answer may be")
        if answer.length:
            raise ConnectionError("the answer ended before its end")
        return answer, bytes(content)
