"""Asking a register at its address, as anybody may: many questions at once, at the pace it allows.

A register that says that there were too many questions (429), or that it is busy (503), is asked
again when it says.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import islice
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import msgspec

from registry.errors import Unavailable
from registry.exchange.remote_log import LONGEST, fetch, open_client
from registry.http_client import BoundedClient

CONNECTIONS = 4
"""How many questions are asked at once."""

T = TypeVar("T")

_AHEAD = 16
_MOST_WAIT = 120.0
_TRIES = 6
_OK = 200
_BUSY = {429, 503}
_AGENT = "registry-audit"


class RemoteAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What is answered at a path: the status and the body."""

    path: str
    status: int
    content: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; None if it is none."""
        with suppress(msgspec.DecodeError, RecursionError):
            return msgspec.json.decode(self.content)
        return None

    def read(self, kind: type[T]) -> T | None:
        """Return the body as a value of a type; None of another body, and of what is no answer."""
        if self.status == _OK:
            with suppress(msgspec.DecodeError, RecursionError):
                return msgspec.json.decode(self.content, type=kind)
        return None


class RemoteRegister:
    """A register at an address; a context manager, which closes its connections."""

    def __init__(
        self,
        url: str,
        *,
        connections: int = CONNECTIONS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the address that its paths begin after."""
        self.url = url.rstrip("/")
        self._clients: list[BoundedClient] = []
        self._own = threading.local()
        self._sleep = sleep
        self._pool = ThreadPoolExecutor(connections, thread_name_prefix="asking")
        open_client(self.url).close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ask nothing more."""
        self._pool.shutdown(cancel_futures=True)
        for client in self._clients:
            client.close()

    def get(self, path: str) -> RemoteAnswer:
        """Ask at a path, which begins with a slash. Raises `Unavailable`."""
        for attempt in range(_TRIES):
            answer = fetch(self._client(), f"{self.url}{path}")
            if answer.status not in _BUSY:
                return RemoteAnswer(path=path, status=answer.status, content=answer.content)
            self._sleep(_pause(answer.headers, attempt))
        raise Unavailable(f"{self.url}{path} answers {answer.status}, {_TRIES} times in turn")

    @contextmanager
    def stream(self, path: str) -> Iterator[tuple[int, Iterator[bytes]]]:
        """Yield the status at a path, and the lines of what is answered there, as they come.

        It may be of any length; each line is of one record's, at most. Raises `Unavailable`.
        """
        address = f"{self.url}{path}"
        with open_client(self.url, most=math.inf, agent=_AGENT) as client:
            for attempt in range(_TRIES):
                with _told(address), client.stream("GET", address) as answer:
                    if answer.status_code not in _BUSY:
                        yield answer.status_code, _lines(client, answer, address)
                        return
                self._sleep(_pause(answer.headers, attempt))
            raise Unavailable(f"{address} answers {answer.status_code}, {_TRIES} times in turn")

    def each(self, items: Iterable[T], ask: Callable[[T], Any]) -> Iterator[tuple[T, Any]]:
        """Yield what `ask` returns for each item, in order; some are asked ahead, in threads."""
        left = iter(items)
        waiting: list[tuple[T, Future[Any]]] = []
        try:
            while True:
                waiting.extend(
                    (item, self._pool.submit(ask, item))
                    for item in islice(left, _AHEAD - len(waiting))
                )
                if not waiting:
                    return
                item, answer = waiting.pop(0)
                yield item, answer.result()
        finally:
            for _, answer in waiting:
                answer.cancel()

    def _client(self) -> BoundedClient:
        known: BoundedClient | None = getattr(self._own, "client", None)
        if known is None:
            known = self._own.client = open_client(self.url, agent=_AGENT)
            self._clients.append(known)
        return known


@contextmanager
def _told(address: str) -> Iterator[None]:
    """Raise `Unavailable` for what fails in the block."""
    try:
        yield
    except httpx.RemoteProtocolError as error:
        raise Unavailable(f"{address} ended before its end: {error}") from error
    except httpx.HTTPError as error:
        raise Unavailable(f"{address} cannot be read: {error}") from error


def _lines(client: BoundedClient, answer: httpx.Response, address: str) -> Iterator[bytes]:
    """Yield the lines of an answer; the time limit is of each."""
    line = bytearray()
    with _told(address):
        for part in answer.iter_raw():
            for piece in part.splitlines(keepends=True):
                line += piece
                if len(line) > LONGEST:
                    raise Unavailable(f"{address} has a line that is longer than any can be")
                if line.endswith(b"\n"):
                    yield bytes(line)
                    line.clear()
                    client.begin()
    if line:
        yield bytes(line)


def _pause(headers: httpx.Headers, attempt: int) -> float:
    """Return how many seconds to wait before asking again."""
    later = headers.get("retry-after", "")
    return min(float(later) if later.isdecimal() else 2.0**attempt, _MOST_WAIT)
