"""Leader election: one process at a time has a role, by an advisory lock.

The lock is a transaction's, so that it is held through a pooler of transactions too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Literal, TypeAlias, TypeVar

from registry.store.database import Connection, Database

T = TypeVar("T")

Role: TypeAlias = Literal["runner", "importer", "publisher", "harvester", "store"]

# Any constants will do, as long as they are the same in every process.
_LOCKS: dict[Role, int] = {
    "runner": 0x7265_6769_776F,
    "importer": 0x7265_6769_696D,
    "publisher": 0x7265_6769_7075,
    "harvester": 0x7265_6769_6861,
    "store": 0x7265_6769_7374,
}
_RETRY_SECONDS = 0.5
_LOOK_SECONDS = 0.5
_TRY = "select pg_try_advisory_xact_lock($1)"


@asynccontextmanager
async def leadership(
    database: Database, role: Role
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Wait for the role, which ends with the block, the process or the connection.

    Yield a function that raises `Unavailable` once the connection, and the role with it, is lost.
    """
    # Waiting inside PostgreSQL would reach the time limit of a statement.
    while True:
        async with database.held() as connection:
            if await connection.fetchval(_TRY, _LOCKS[role]):

                async def still_leads(lent: Connection = connection) -> None:
                    await lent.execute("select")

                yield still_leads
                return
        await asyncio.sleep(_RETRY_SECONDS)


async def while_leading(
    still_leads: Callable[[], Awaitable[None]], act: Coroutine[None, None, T]
) -> T:
    """Return what an act of a role returns, and wait for it no longer than the role is held.

    An act may take minutes. Whoever asked for the role again only after it would leave the role to
    nobody until then. Raises what `still_leads` raises.
    """
    task = asyncio.ensure_future(act)
    try:
        while not (await asyncio.wait({task}, timeout=_LOOK_SECONDS))[0]:
            await still_leads()
        return task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
