"""What every use case needs, read once and passed down."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Literal, TypeAlias

import msgspec

from registry.ledger.guard import LogGuard, LogMemory
from registry.record.fast_validator import FastValidator
from registry.record.pack import Pack
from registry.store.database import Connection, Database

Review: TypeAlias = Literal["none", "required", "authority"]


class ServiceContext(msgspec.Struct, frozen=True, kw_only=True):
    """The database, the country's pack, the source of random bytes, and the review policy.

    `review` says who approves what an agency submits (`four_eyes`); `fast` may accept a document's
    shape. `guard` locks the log for those who append. An agency may publish so many
    versions a day, and keep so many bytes of drafts; 0 is no limit.
    """

    database: Database
    pack: Pack
    random: Callable[[int], bytes]
    review: Review = "none"
    fast: FastValidator = msgspec.field(default_factory=FastValidator)
    guard: LogGuard = msgspec.field(default_factory=lambda: LogGuard(LogMemory()))
    publications_a_day: int = 0
    draft_bytes: int = 0

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
