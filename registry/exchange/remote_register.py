"""Asking a register at its address, as anybody may: many questions at once, at the pace it allows.

A register that says that there were too many questions (429), or that it is busy (503), is asked
again when it says.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPException, HTTPResponse
from itertools import islice
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from registry.errors import Unavailable
from registry.exchange.remote_log import RemoteConnection, fetch, open_connection

CONNECTIONS = 4
"""How many questions are asked at once."""

T = TypeVar("T")

_LONGEST = 64 << 20
_AHEAD = 16
_MOST_WAIT = 120.0
_TRIES = 6
_OK = 200
_BUSY = {429, 503}
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "registry-audit"}


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
        self._connections: list[RemoteConnection] = []
        self._own = threading.local()
        self._sleep = sleep
        self._pool = ThreadPoolExecutor(connections, thread_name_prefix="asking")
        open_connection(self.url)

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
        for connection in self._connections:
            connection.close()

    def get(self, path: str) -> RemoteAnswer:
        """Ask at a path, which begins with a slash. Raises `Unavailable`."""
        for attempt in range(_TRIES):
            connection = self._connection()
            answer, content = fetch(
                connection, f"{self._own.base}{path}", f"{self.url}{path}", _HEADERS
            )
            status = answer.status
            if status not in _BUSY:
                return RemoteAnswer(path=path, status=status, content=content)
            self._sleep(_pause(answer, attempt))
        raise Unavailable(f"{self.url}{path} answers {status}, {_TRIES} times in turn")

    @contextmanager
    def stream(self, path: str) -> Iterator[tuple[int, Iterator[bytes]]]:
        """Yield the status at a path, and the lines of what is answered there, as they come.

        It may be of any length; each line is of one record's, at most. Raises `Unavailable`.
        """
        connection, base = open_connection(self.url)
        try:
            for attempt in range(_TRIES):
                connection.begin()
                try:
                    connection.request("GET", f"{base}{path}", headers=_HEADERS)
                    answer = connection.getresponse()
                    if answer.status in _BUSY:
                        answer.read(_LONGEST)
                except (OSError, HTTPException) as error:
                    raise Unavailable(f"{self.url}{path} cannot be read: {error}") from error
                if answer.status not in _BUSY:
                    yield answer.status, self._lines(connection, path, answer)
                    return
                connection.close()
                self._sleep(_pause(answer, attempt))
            raise Unavailable(f"{self.url}{path} answers {answer.status}, {_TRIES} times in turn")
        finally:
            connection.close()

    def _lines(
        self, connection: RemoteConnection, path: str, answer: HTTPResponse
    ) -> Iterator[bytes]:
        try:
            connection.begin()
            while line := answer.readline(_LONGEST + 1):
                if len(line) > _LONGEST:
                    raise Unavailable(f"{self.url}{path} has a line that is longer than any can be")
                yield line
                connection.begin()
        except (OSError, HTTPException) as error:
            raise Unavailable(f"{self.url}{path} cannot be read: {error}") from error
        if answer.length:
            raise Unavailable(f"{self.url}{path} ended before its end")

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

    def _connection(self) -> RemoteConnection:
        known: RemoteConnection | None = getattr(self._own, "connection", None)
        if known is None:
            known, self._own.base = open_connection(self.url)
            self._own.connection = known
            self._connections.append(known)
        return known


def _pause(answer: HTTPResponse, attempt: int) -> float:
    """Return how many seconds to wait before asking again."""
    later = answer.headers.get("retry-after", "")
    return min(float(later) if later.isdecimal() else 2.0**attempt, _MOST_WAIT)
