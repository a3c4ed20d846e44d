"""One background runner among many processes: the one that holds an advisory lock."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from registry.store.database import Database

# Any constant will do, as long as it is the same in every process.
_LOCK = 0x7265_6769_776F
_RETRY_SECONDS = 1.0
_TRY = "select pg_try_advisory_lock($1)"


@asynccontextmanager
async def leadership(database: Database) -> AsyncIterator[None]:
    """Wait to become the leader; it ends with the block, or with the process."""
    async with database.connection() as connection:
        # Waiting inside PostgreSQL would run into the time limit of a command.
        while not await connection.fetchval(_TRY, _LOCK):  # noqa: ASYNC110
            await asyncio.sleep(_RETRY_SECONDS)
        try:
            yield
        finally:
            await connection.execute("select pg_advisory_unlock($1)", _LOCK)
