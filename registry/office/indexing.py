"""Making the search index anew from the versions, when what analyses their words has changed."""

from __future__ import annotations

from collections.abc import Sequence

from registry.office.listing import Standing, index_row
from registry.store import agencies
from registry.store.database import Connection, Database
from registry.store.index import rows
from registry.store.index.fold import fold
from registry.store.index.rows import IndexRow
from registry.text.analysis import ANALYSIS

_BATCH = 200


async def keep_index(database: Database) -> None:
    """Make the index anew unless it was made by this very analysis; then fold what is new.

    Nothing is published meanwhile.
    """
    async with database.connection() as connection:
        state = await rows.read_state(connection)
    if state.analysis != ANALYSIS:
        async with database.transaction() as connection:
            state = await rows.lock_state(connection)
            if state.analysis != ANALYSIS:
                await index_anew(connection)
    await fold(database)


async def index_anew(connection: Connection) -> None:
    """Write the index's rows of every version there ever was, in the caller's transaction."""
    await rows.begin_anew(connection, ANALYSIS)
    await index_versions(connection)


async def index_versions(connection: Connection, entries: Sequence[int] | None = None) -> None:
    """Write the index's rows of versions that have none, of some or of all."""
    known = {one.agency.id: one.agency for one in await agencies.read_all(connection)}
    batch: list[IndexRow] = []
    async for version in rows.read_versions(connection, entries):
        row = index_row(
            version.document,
            known[version.agency],
            Standing(
                version=version.version,
                entry=version.entry,
                published_at=version.published_at,
                completeness=version.completeness,
                missing=version.missing,
                findings=version.findings,
                risk_changes=version.risk_changes,
            ),
        )
        batch.append(row)
        if len(batch) == _BATCH:
            await rows.write(connection, batch)
            batch = []
    await rows.write(connection, batch)
