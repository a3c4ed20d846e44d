"""Answers about records in force, kept by one process as long as there is room, and never stale.

What such an answer says changes only with an entry of the log, or when something is erased, so
whoever has looked at these knows which are right. (Whether an agency is fictitious comes with the
country pack, which a process reads once.)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from itertools import chain, islice
from typing import Any, Generic, TypeVar

import msgspec

from registry.store.bounded import Bounded
from registry.store.database import Borrow, Connection
from registry.store.generation import LOOK_SECONDS, Generation
from registry.store.records import Register, document_of, register_of
from registry.store.sql import statement

T = TypeVar("T")

_OVERHEAD = 1_000
"""Bytes that an answer takes in memory beside what it says."""

_WAIT_SECONDS = 5.0

_TOGETHER = 50
"""Records that one question asks for at most."""

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


async def read_in_force(connection: Connection, records: Sequence[str]) -> dict[str, LastVersion]:
    """Read the last versions of records; those that are not published are not in it."""
    rows = await connection.fetch(statement("kept", "in_force"), records, timeout=_WAIT_SECONDS)
    return {row["record"]: _last_version(row) for row in rows}


def _last_version(row: Any) -> LastVersion:
    register = register_of(row)
    document = document_of(row, [one.pointer for one in register.redacted])
    return LastVersion(document=document, register=register, as_of=_progress(row))


class Kept(Generic[T]):
    """Answers by record, those asked for last; a publication anywhere drops its record's.

    What is not here is read from the database, all that is asked for meanwhile at once.
    """

    def __init__(
        self,
        borrow: Borrow,
        generation: Generation,
        make: Callable[[LastVersion], tuple[T, int]],
        *,
        room: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what lends connections, and what tells that something was written on this host.

        `make` gives an answer and its bytes, of which there is `room` for so many.
        """
        self._borrow = borrow
        self._generation = generation
        self._make = make
        self._clock = clock
        self._answers: Bounded[str, T] = Bounded(room)
        # Up to here it was looked at what changed.
        self._seen = Progress(size=0, epoch=0)
        self._looked_in = b""
        self._looked_at = float("-inf")
        self._turn = asyncio.Lock()
        self._waiting: dict[str, list[asyncio.Future[T | None]]] = {}
        self._reader: asyncio.Task[None] | None = None

    def at_hand(self, record: str) -> T | None:
        """Give the answer about a record, if it is here and known to be right."""
        return self._answers.get(record) if self._is_right() else None

    async def read(self, record: str) -> T | None:
        """Give the answer about a record, from here or from the database; None if there is none.

        Raises `Unavailable` or `TimeoutError` where nothing can tell.
        """
        if not self._is_right():
            await self._look()
        found = self._answers.get(record)
        if found is not None:
            return found
        # Who comes later than a question does not share its answer, which may be from before a
        # receipt.
        answer: asyncio.Future[T | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(record, []).append(answer)
        if self._reader is None:
            self._reader = asyncio.create_task(self._read_waiting())
        return await answer

    def _is_right(self) -> bool:
        return (
            self._generation.read() == self._looked_in
            and self._clock() - self._looked_at < LOOK_SECONDS
        )

    async def _read_waiting(self) -> None:
        """Answer all who wait, with one question at a time, until nobody does."""
        asked: dict[str, list[asyncio.Future[T | None]]] = {}
        try:
            async with self._borrow() as connection:
                while self._waiting:
                    asked = dict(islice(self._waiting.items(), _TOGETHER))
                    for record in asked:
                        del self._waiting[record]
                    found = await read_in_force(connection, list(asked))
                    for record, answers in asked.items():
                        stored = found.get(record)
                        _give(answers, None if stored is None else self._keep(record, stored))
                # Who comes while the connection is given back has another reader.
                self._reader = None
        except Exception as error:  # noqa: BLE001  who has asked is told
            everybody = [*asked.values(), *self._waiting.values()]
            self._waiting, self._reader = {}, None
            for answer in chain.from_iterable(everybody):
                if not answer.done():
                    answer.set_exception(error)

    def _keep(self, record: str, stored: LastVersion) -> T:
        """Make an answer, and keep it if it is right by now and there is room."""
        answer, weight = self._make(stored)
        if stored.as_of.size >= self._seen.size and stored.as_of.epoch == self._seen.epoch:
            self._answers.put(record, answer, weight + _OVERHEAD)
        return answer

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


def _give(answers: list[asyncio.Future[T | None]], found: T | None) -> None:
    for answer in answers:
        # Who has gone meanwhile does not wait any more.
        if not answer.done():
            answer.set_result(found)


def _progress(row: Any) -> Progress:
    return Progress(size=row["size"], epoch=row["epoch"])
