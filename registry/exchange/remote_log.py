"""Fetching the files of another's log: over https, from one host, with limits on size and time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from registry.errors import ConfigurationError, Unavailable
from registry.settings import is_loopback

_LONGEST = 64 << 20
_SECONDS = 30.0
_OK, _NOT_FOUND = 200, 404


@contextmanager
def reader(url: str) -> Iterator[Callable[[str], bytes]]:
    """Yield a function that reads files below an address.

    That raises `FileNotFoundError` for one that is not there, and `Unavailable` for any other
    failure. One connection serves many files. Redirects are errors.
    """
    connection, base = open_connection(url)

    def read(path: str) -> bytes:
        address = f"{url.rstrip('/')}/{path}"
        try:
            # A server may have closed an idle connection; then a new one is opened, once.
            try:
                return _get(connection, f"{base}/{path}", address)
            except (ConnectionError, HTTPException):
                connection.close()
                return _get(connection, f"{base}/{path}", address)
        except FileNotFoundError:
            raise
        except (OSError, HTTPException) as error:
            connection.close()
            raise Unavailable(f"{address} cannot be read: {error}") from error

    try:
        yield read
    finally:
        connection.close()


def open_connection(url: str) -> tuple[HTTPConnection, str]:
    """Return a connection to the host of an address, and the path that files lie below.

    Raises `ConfigurationError` for an address without https, unless it is this machine's.
    """
    parts = urlsplit(url)
    host = parts.hostname
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host or ""))
    if not is_safe or host is None or parts.query or parts.fragment:
        raise ConfigurationError(f"{url}: give an address that begins with https://")
    make = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    try:
        return make(host, parts.port, timeout=_SECONDS), parts.path.rstrip("/")
    except ValueError as error:
        raise ConfigurationError(f"{url}: {error}") from error


def _get(connection: HTTPConnection, target: str, address: str) -> bytes:
    connection.request("GET", target, headers={"Accept-Encoding": "identity"})
    with connection.getresponse() as answer:
        content = answer.read(_LONGEST + 1)
        if answer.status == _NOT_FOUND:
            raise FileNotFoundError(address)
        if answer.status != _OK:
            raise Unavailable(f"{address} answers {answer.status}")
        if len(content) > _LONGEST:
            connection.close()
            raise Unavailable(f"{address} is larger than a file of a log can be")
    return content
