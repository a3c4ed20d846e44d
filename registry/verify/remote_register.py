"""Reading the files of a log at its address."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from registry.errors import ConfigurationError, Unavailable
from registry.http_client import BoundedClient, HttpAnswer
from registry.settings import is_loopback

LONGEST = 64 << 20
"""Bytes of an answer, or of one of its lines."""

LONGEST_SECONDS = 120.0
"""The time limit of a whole exchange: connecting, head and content."""

_STATUS_OK, _NOT_FOUND = 200, 404


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
    left = most

    def read(path: str) -> bytes:
        nonlocal left
        address = f"{url.rstrip('/')}/{path}"
        answer = fetch(client, address)
        left -= len(answer.content)
        if left < 0:
            raise Unavailable(f"{url} answers with more than may be read of it at a time")
        if answer.headers.get("content-encoding", "identity").lower() != "identity":
            raise Unavailable(f"{address} answers what is compressed, and was not asked to")
        if answer.status == _NOT_FOUND:
            raise FileNotFoundError(address)
        if answer.status != _STATUS_OK:
            raise Unavailable(f"{address} answers {answer.status}")
        return answer.content

    with open_client(url, only_public=only_public) as client:
        client.end_within(seconds)
        yield read


def open_client(
    url: str, *, only_public: bool = False, most: float | None = None, agent: str = "registry"
) -> BoundedClient:
    """Return a client for the host of an address, for `most` bytes of an answer.

    With `only_public` it connects to public addresses alone. Raises `ConfigurationError` for an
    address without https, unless it is this machine's and may be.
    """
    try:
        parts = urlsplit(url)
        is_here = is_loopback(parts.hostname or "") and not only_public
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_here)
        # A port that is no number raises.
        is_whole = bool(parts.hostname and (parts.port or httpx.URL(url).is_absolute_url))
    except (ValueError, httpx.InvalidURL) as error:
        raise ConfigurationError(f"{url}: {error}") from error
    if not is_safe or not is_whole or parts.query or parts.fragment or parts.username:
        raise ConfigurationError(f"{url}: give an address that begins with https://")
    return BoundedClient(
        seconds=LONGEST_SECONDS,
        most=LONGEST if most is None else most,
        only_public=only_public,
        headers={"accept-encoding": "identity", "user-agent": agent},
    )


def fetch(client: BoundedClient, address: str, method: str = "GET", **request: Any) -> HttpAnswer:
    """Return the answer at an address. Raises `Unavailable`, with the address."""
    try:
        return client.read(address, method, **request)
    except httpx.HTTPError as error:
        raise Unavailable(f"{address} cannot be read: {error}") from error
