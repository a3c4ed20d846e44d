"""Folding: merging newly published versions into the stored bitmaps."""

from __future__ import annotations

from registry.search.facets import Facets, save_facets
from registry.search.postings import NewTerms, save_postings
from registry.store.database import Connection, Database
from registry.store.search_rows import lock_state, read_new, read_state
from registry.store.sql import statement

_LEAST = 500
_SHARE = 200
"""A merge rewrites most bitmaps, so its size grows with them."""

_MOST = 250_000
"""Versions merged in one transaction; at 11 KB each, the bitmaps of their terms take 200 MB."""

_BLOCK = 1_000


def worthwhile(folded: int) -> int:
    """Return how many new entries justify a merge, with so many merged.

    A process reads 500 unmerged ones in a quarter of a second when it starts.
    """
    return max(_LEAST, folded // _SHARE)


async def fold(database: Database, *, least: int | None = None, patience: int = 1) -> int:
    """Merge all new versions if there are at least `least`, by default enough; return their number.

    `patience` multiplies that default. Any process may merge at any time, one at a time; no answer
    changes by it.
    """
    async with database.connection() as connection:
        state = await read_state(connection)
    done = 0
    wanted = worthwhile(state.folded) * patience if least is None else least
    if state.size - 1 - state.folded >= wanted:
        while folded := await _fold_some(database):
            done += folded
    return done


async def _fold_some(database: Database) -> int:
    async with database.transaction() as connection:
        state = await lock_state(connection)
        facets, terms = Facets(), NewTerms()
        since, done = state.folded, 0
        while done < _MOST and (
            rows := await read_new(connection, since=since, size=state.size, limit=_BLOCK)
        ):
            for row in rows:
                facets.add(row.ord, row.codes)
                terms.add(row.ord, row.words)
            since, done = rows[-1].ord, done + len(rows)
        # Entries of other kinds have nothing to merge.
        last = since if done >= _MOST else state.size - 1
        await save(connection, facets, terms, last=last)
    return done


async def save(connection: Connection, facets: Facets, terms: NewTerms, *, last: int) -> None:
    """Merge the versions after the merged ones, up to an entry, into the stored bitmaps.

    The caller holds the lock of the index's state.
    """
    await save_facets(connection, facets)
    await save_postings(connection, terms)
    await connection.execute(statement("index", "save_folded"), last)
