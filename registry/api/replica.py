"""Reading from a replica: by `REGISTRY_READ_URL`, with the primary where that lags or is away.

A reader who has written names the size of the register that the answer must have at least, with
`X-Register-Size`: the entry of a receipt, and one.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from typing import Any

import structlog

from registry.errors import ConfigurationError, Unavailable
from registry.store import log
from registry.store.database import Connection, Database, connect

HEADER = b"x-register-size"

_AS_OF = re.compile(rb"(?:^|&)as_of=entry(?::|%3[Aa])([0-9]{1,18})(?:&|$)")
_SIZE = re.compile(rb"[0-9]{1,18}")
_POLL_SECONDS = 0.05
_PATIENCE_SECONDS = 1.0
_STATEMENT_SECONDS = 4.5
_AGAIN_SECONDS = 5.0
_WANTED: ContextVar[int] = ContextVar("wanted", default=0)

_log = structlog.get_logger()


def note_wanted(scope: Any) -> None:
    """Note the size that a request asks for, by header or as of an entry."""
    given = next((value for name, value in scope["headers"] if name == HEADER), b"")
    wanted = int(given) if _SIZE.fullmatch(given) else 0
    as_of = _AS_OF.search(scope["query_string"])
    _WANTED.set(max(wanted, int(as_of[1]) + 1 if as_of else 0))


class Reads:
    """Where reads go: the replica while there is one that answers, else the primary."""

    def __init__(self, primary: Database, replica_url: str | None) -> None:
        """Take the primary's pool, and the address of a replica."""
        self._primary = primary
        self._url = replica_url
        self._replica: Database | None = None
        self._again_at = 0.0

    async def keep_connected(self) -> None:
        """Connect to the replica, and wait until it is there; return without one."""
        while self._url is not None and self._replica is None:
            try:
                self._replica = await connect(self._url, patience=_STATEMENT_SECONDS)
            except (Unavailable, ConfigurationError) as error:
                _log.warning("the replica is not reached", why=error.detail)
                await asyncio.sleep(_AGAIN_SECONDS)

    async def close(self) -> None:
        """Close the connections to the replica."""
        if self._replica is not None:
            await self._replica.close()

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """Borrow a connection for reading. Raises `Unavailable` if there is none."""
        return self._borrow(Database.connection)

    def snapshot(self) -> AbstractAsyncContextManager[Connection]:
        """Borrow a connection that reads one state of the register for the whole block."""
        return self._borrow(Database.snapshot)

    def _borrow(
        self, way: Callable[[Database], AbstractAsyncContextManager[Connection]]
    ) -> AbstractAsyncContextManager[Connection]:
        if self._replica is None:
            return way(self._primary)
        return self._borrow_either(self._replica, way)

    @asynccontextmanager
    async def _borrow_either(
        self, replica: Database, way: Callable[[Database], AbstractAsyncContextManager[Connection]]
    ) -> AsyncIterator[Connection]:
        async with AsyncExitStack() as borrowed:
            connection: Connection = None
            if time.monotonic() >= self._again_at:
                try:
                    async with asyncio.timeout(_PATIENCE_SECONDS * 2):
                        if await _has(replica, _WANTED.get()):
                            connection = await borrowed.enter_async_context(way(replica))
                except (Unavailable, TimeoutError):
                    # Nobody else waits for one that has fallen silent.
                    self._again_at = time.monotonic() + _AGAIN_SECONDS
            if connection is None:
                connection = await borrowed.enter_async_context(way(self._primary))
            yield connection


async def _has(replica: Database, wanted: int) -> bool:
    """Return whether a replica has so many entries, or gets them within a second."""
    until = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
    while wanted:
        async with replica.connection() as connection:
            if (await log.read_state(connection)).range.size >= wanted:
                return True
        if asyncio.get_running_loop().time() > until:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return True
