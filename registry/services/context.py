"""What every use case needs, read once and passed down."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal, ParamSpec, TypeAlias, TypeVar

import msgspec

from registry.ledger.guard import LogGuard, LogMemory
from registry.record.fast_validator import FastValidator
from registry.record.pack import Pack
from registry.record.parse import parse, parse_quickly
from registry.store.database import Connection, Database
from registry.work import WorkProcess

P = ParamSpec("P")
T = TypeVar("T")

QUICK_BYTES = 8 * 1024
"""Up to this size a document is validated in 5 ms, whatever is wrong with it."""

LARGE_BYTES = 32 * 1024
"""Up to this size one is in 5 ms that the fast validator accepts."""

Review: TypeAlias = Literal["none", "required", "authority"]


class ServiceContext(msgspec.Struct, frozen=True, kw_only=True):
    """The database, the country's pack, the source of random bytes, and the review policy.

    `review` says who approves what an agency submits (`four_eyes`); `fast` may accept a document's
    shape. `guard` locks the log for those who append. An agency may publish so many
    versions a day, and keep so many bytes of drafts; 0 is no limit. A process that serves others
    has a `large`, in which large documents are worked on.
    """

    database: Database
    pack: Pack
    random: Callable[[int], bytes]
    review: Review = "none"
    fast: FastValidator = msgspec.field(default_factory=FastValidator)
    guard: LogGuard = msgspec.field(default_factory=lambda: LogGuard(LogMemory()))
    publications_a_day: int = 0
    draft_bytes: int = 0
    large: WorkProcess | None = None

    async def by_size(
        self, size: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return what a function makes of a document of `size` bytes: of a large one in `large`."""
        if self.large is None or size <= LARGE_BYTES:
            return function(*args, **kwargs)
        return await self.large.run(function, *args, **kwargs)

    async def parse(self, raw: bytes) -> Any:
        """Return a document as `parse` does; what is wrong with it takes long to say."""
        value = parse_quickly(raw) if len(raw) <= LARGE_BYTES else msgspec.UNSET
        return await self.by_size(_slow(len(raw)), parse, raw) if value is msgspec.UNSET else value

    async def examine(
        self, size: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return what a function finds in a document, its first argument, by validating it."""
        is_middle = QUICK_BYTES < size <= LARGE_BYTES
        if not (is_middle and self.fast.is_quick(args[0], self.pack)):
            size = _slow(size)
        return await self.by_size(size, function, *args, **kwargs)

    @property
    def takes_review(self) -> bool:
        """Whether what an agency submits waits for somebody else."""
        return self.review != "none"

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Borrow a connection with a transaction that may append; the guard remembers what did."""
        lent: Connection = None
        is_committed = False
        try:
            async with self.database.transaction() as lent:
                yield lent
            is_committed = True
        finally:
            self.guard.end(lent, committed=is_committed)


def _slow(size: int) -> int:
    """Return the size by which work goes that takes long also of what is not large."""
    return size if size <= QUICK_BYTES else size + LARGE_BYTES
