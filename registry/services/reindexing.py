"""Making the search rows anew from the versions, when what analyses their words has changed."""

from __future__ import annotations

from collections.abc import Sequence

from registry.record.search_document import SearchDocument, build, tokenize
from registry.store import agencies, search_rows
from registry.store.database import Connection, Database
from registry.text.tokens import ANALYSIS

_BATCH = 200


async def reindex_if_needed(database: Database) -> None:
    """Make the rows anew unless they were made by this very analysis.

    Nothing is published meanwhile.
    """
    async with database.connection() as connection:
        state = await search_rows.read_state(connection)
    if state.analysis != ANALYSIS:
        async with database.transaction() as connection:
            state = await search_rows.lock_state(connection)
            if state.analysis != ANALYSIS:
                await rebuild_index(connection)


async def rebuild_index(connection: Connection) -> None:
    """Write the index's rows of every version there ever was, in the caller's transaction."""
    await search_rows.begin_epoch(connection, ANALYSIS)
    await index_versions(connection)


async def index_versions(connection: Connection, entries: Sequence[int] | None = None) -> None:
    """Write the index's rows of versions that have none, of some or of all."""
    known = {one.agency.id: one.agency for one in await agencies.read_all(connection)}
    batch: list[SearchDocument] = []
    async for version in search_rows.read_versions(connection, entries):
        agency = known[version.agency]
        words = tokenize(version.document, agency)
        batch.append(build(version.document, agency, words, version))
        if len(batch) == _BATCH:
            await search_rows.write(connection, batch)
            batch = []
    await search_rows.write(connection, batch)
