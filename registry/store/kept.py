"""Answers about records in force, kept by one process as long as there is room, and never stale.

What such an answer says changes only with an entry of the log, or when something is erased, so
whoever has looked at these knows which are right. (Whether an agency is fictitious comes with the
country pack, which a process reads once.)
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from registry.store.bounded import Bounded
from registry.store.generation import LOOK_SECONDS
from registry.store.records import Register, document_of, register_of
from registry.store.sql import statement

if TYPE_CHECKING:
    from collections.abc import Callable

    from registry.store.database import Connection
    from registry.store.generation import Generation
    from registry.store.index.lookup import Borrow

T = TypeVar("T")

_OVERHEAD = 1_000
"""Bytes that an answer takes in memory beside what it says."""

_WAIT_SECONDS = 5.0

_MOST_NEW = 1_000
"""New entries of the log that are told apart; of more, everything is read anew."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far the register has come: the log's size, and a number that grows when it erases."""

    size: int
    epoch: int


class LastVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A published record's last version: canonical JSON, and what the register says beside it.

    `as_of` is the progress by which it was in force.
    """

    document: bytes
    register: Register
    as_of: Progress


async def read_in_force(connection: Connection, record: str) -> LastVersion | None:
    """Read a record's last version; None where it is not published."""
    row = await connection.fetchrow(statement("kept", "in_force"), record)
    if row is None:
        return None
    register = register_of(row)
    document = document_of(row, [one.pointer for one in register.redacted])
    return LastVersion(document=document, register=register, as_of=_progress(row))


class Kept(Generic[T]):
    """Answers by record, those asked for last; a publication anywhere drops its record's."""

    def __init__(
        self,
        borrow: Borrow,
        generation: Generation,
        *,
        room: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what lends connections, and what tells that something was written on this host.

        `room` is in bytes.
        """
        self._borrow = borrow
        self._generation = generation
        self._clock = clock
        self._answers: Bounded[str, T] = Bounded(room)
        # Up to here it was looked at what changed.
        self._seen = Progress(size=0, epoch=0)
        self._looked_in = b""
        self._looked_at = float("-inf")
        self._turn = asyncio.Lock()

    async def get(self, record: str) -> T | None:
        """Give the answer about a record, if it is here and still right.

        Raises `Unavailable` or `TimeoutError` where nothing can tell whether it is.
        """
        if (
            self._generation.read() != self._looked_in
            or self._clock() - self._looked_at >= LOOK_SECONDS
        ):
            await self._look()
        return self._answers.get(record)

    def keep(self, record: str, answer: T, *, weight: int, as_of: Progress) -> None:
        """Keep an answer of so many bytes that is right as of some progress, if there is room."""
        if as_of.size >= self._seen.size and as_of.epoch == self._seen.epoch:
            self._answers.put(record, answer, weight + _OVERHEAD)

    async def _look(self) -> None:
        """Drop what is not right any more; raises `TimeoutError` where that cannot be told soon."""
        came = self._clock()
        async with asyncio.timeout(_WAIT_SECONDS), self._turn:
            if self._looked_at > came:
                # Somebody has looked since.
                return
            # Before the database is asked: what is written meanwhile is looked for again.
            looked_in, looked_at = self._generation.read(), self._clock()
            async with self._borrow() as connection:
                now = _progress(await connection.fetchrow(statement("kept", "progress")))
                new = now.size - self._seen.size
                if now.epoch != self._seen.epoch or not 0 <= new <= _MOST_NEW:
                    self._answers.clear()
                elif new:
                    rows = await connection.fetch(statement("kept", "changed"), self._seen.size)
                    for row in rows:
                        self._answers.drop(row["record"])
            self._seen, self._looked_in, self._looked_at = now, looked_in, looked_at


def _progress(row: Any) -> Progress:
    return Progress(size=row["size"], epoch=row["epoch"])
