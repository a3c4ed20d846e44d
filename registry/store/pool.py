"""A pool of connections: lent to one block after the other, the one given back last first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg

_RESET_SECONDS = 5.0

_IDLE_SECONDS = 300.0
"""After so long, a connection that was not needed is closed when another is given back."""


class ConnectionPool:
    """Up to `size` connections, opened when they are needed.

    Ours, because asyncpg's pool spends a task, two timers and a proxy on each loan, three times the
    work of sending a statement; here the usual loan does not even suspend.
    """

    def __init__(self, connect: Callable[[], Awaitable[Any]], size: int) -> None:
        """Take what opens a connection."""
        self.size = size
        self._connect = connect
        self._places = asyncio.Semaphore(size)
        self._idle: list[tuple[Any, float]] = []
        self._cleaning: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def lent(self) -> int:
        """Return how many connections are lent now."""
        return self.size - self._places._value  # noqa: SLF001  it is shown nowhere else

    async def open_first(self) -> None:
        """Open a connection, to be lent first."""
        self._idle.append((await self._connect(), asyncio.get_running_loop().time()))

    async def acquire(self, patience: float) -> Any:
        """Borrow a connection.

        Raises `TimeoutError` if there is none for `patience` seconds, and what opening one raises.
        """
        if self._closed:
            raise asyncpg.InterfaceError("the pool is closed")
        if not self._places.locked() and (connection := self._take_idle()) is not None:
            # There is a place, so this does not wait, and needs no time limit.
            await self._places.acquire()
            return connection
        async with asyncio.timeout(patience):
            await self._places.acquire()
            try:
                return self._take_idle() or await self._connect()
            except BaseException:
                self._places.release()
                raise

    def release(self, connection: Any, *, stopped: bool) -> None:
        """Take a connection back; reset it first where its block was stopped amid a statement."""
        # Asked first: a connection that was terminated does not know of transactions.
        if connection.is_closed() or not (stopped or connection.is_in_transaction()):
            self._give_back(connection)
            return
        task = asyncio.create_task(self._clean(connection))
        self._cleaning.add(task)
        task.add_done_callback(self._cleaning.discard)

    async def close(self) -> None:
        """Wait until all connections are given back, and close them."""
        self._closed = True
        for _ in range(self.size):
            await self._places.acquire()
        await asyncio.gather(*(one.close() for one, _ in self._idle), return_exceptions=True)
        self._idle.clear()

    def _take_idle(self) -> Any | None:
        while self._idle:
            connection, _ = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None

    def _give_back(self, connection: Any) -> None:
        now = asyncio.get_running_loop().time()
        if connection.is_closed():
            # The idle ones lead to the same server: the next one has to be new.
            ending, self._idle = self._idle, []
        else:
            self._idle.append((connection, now))
            is_old = len(self._idle) > 1 and self._idle[0][1] < now - _IDLE_SECONDS
            ending = [self._idle.pop(0)] if is_old else []
        for one, _ in ending:
            one.terminate()
        self._places.release()

    async def _clean(self, connection: Any) -> None:
        try:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                async with asyncio.timeout(_RESET_SECONDS):
                    await reset(connection)
        finally:
            self._give_back(connection)


async def reset(connection: Any) -> None:
    """End what a session holds: transaction, locks, settings; close it where that fails."""
    try:
        await connection.reset()
    except BaseException:
        # It must not be lent again with its locks.
        connection.terminate()
        raise
