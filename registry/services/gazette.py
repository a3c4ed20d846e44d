"""What is printed of the log, as it is published now."""

from __future__ import annotations

import asyncio

from registry.errors import Unavailable
from registry.ledger.published_log import read_keys
from registry.log.files import read_checkpoint
from registry.settings import Settings
from registry.store import checkpoints
from registry.store.database import Database
from registry.tlog.checkpoint import stated
from registry.verify.gazette import Gazette


async def make_gazette(database: Database, settings: Settings) -> Gazette:
    """Return the six lines of the published log; its day is that of its last entry.

    Raises `Unavailable` while nothing is published.
    """
    note = await asyncio.to_thread(read_checkpoint, settings.log_dir)
    if note is None:
        raise Unavailable("the log has not been published yet; run: registry log publish")
    checkpoint = stated(note)
    async with database.snapshot() as connection:
        chain = await read_keys(connection, checkpoint.size)
        [last] = await checkpoints.read_entries(connection, checkpoint.size - 1, checkpoint.size)
    return Gazette(
        checkpoint=checkpoint,
        verifier=chain.last,
        day=last.at.date(),
        address=f"{settings.base_url}/log",
    )
