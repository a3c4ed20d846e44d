"""Importing: foreign records, published here under their own register's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from registry.office.ledger import Publication, publish
from registry.record.canonical import canonical
from registry.record.model import Document
from registry.record.pack import Agency
from registry.record.validate import Verdict
from registry.store import agencies, records
from registry.store.index.fold import fold
from registry.store.leader import leadership

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    from registry.office.filing import Office

_PATIENCE = 4
"""The background runner folds the search index, if there is one; this is for when there is not."""

_BATCH = 250
"""Records a transaction: large enough to be fast, short enough that filings do not wait."""


class ForeignFiling(msgspec.Struct, frozen=True, kw_only=True):
    """A foreign record that its profile accepts, with the row it was made from."""

    document: Document
    agency: Agency
    verdict: Verdict
    source_row: Mapping[str, Any]
    truncated: Sequence[str] = ()


class ImportCounts(msgspec.Struct, kw_only=True):
    """What became of the records of one import."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    withdrawn: int = 0


async def import_foreign(
    office: Office,
    filings: Sequence[ForeignFiling],
    *,
    now: Callable[[], dt.datetime],
    progress: Callable[[int, int], None] | None = None,
) -> ImportCounts:
    """Publish foreign records, a batch a transaction; what did not change is left alone.

    A record has changed when its document or its source row has. One that was withdrawn here stays
    so, whatever its source says. Stopped half-way, the batches that were finished stay, and the
    next import goes on from there. Imports take turns.
    """
    async with leadership(office.database, "importer"):
        return await _import(office, filings, now=now, progress=progress)


async def _import(
    office: Office,
    filings: Sequence[ForeignFiling],
    *,
    now: Callable[[], dt.datetime],
    progress: Callable[[int, int], None] | None,
) -> ImportCounts:
    counts = ImportCounts()
    done = 0
    known: dict[str, str] = {}
    async with office.database.connection() as connection:
        for origin in sorted({filing.agency.origin or "" for filing in filings}):
            known |= await records.latest_source_rows(connection, origin)
    for batch in _batches(filings):
        async with office.database.transaction() as connection:
            await agencies.save(
                connection, list({one.agency.id: one.agency for one in batch}.values())
            )
            ids = [one.document["id"] for one in batch]
            await records.take_turns(connection, ids)
            standings = await records.read_standings(connection, ids)
            new = []
            for one in batch:
                record = one.document["id"]
                row = canonical(one.source_row).decode()
                standing = standings.get(record)
                if standing is None:
                    counts.created += 1
                elif standing.state == "withdrawn":
                    counts.withdrawn += 1
                    continue
                elif standing.document == canonical(one.document) and known.get(record) == row:
                    counts.unchanged += 1
                    continue
                else:
                    counts.changed += 1
                new.append(
                    Publication(
                        document=one.document,
                        agency=one.agency,
                        actor=office.pack.code,
                        verdict=one.verdict,
                        source_row=row,
                        truncated=one.truncated,
                    )
                )
            await publish(connection, new, now=now(), random=office.random, standing=standings)
        await fold(office.database, patience=_PATIENCE)
        if progress is not None:
            done += len(batch)
            progress(done, len(filings))
    return counts


def _batches(filings: Sequence[ForeignFiling]) -> Iterator[Sequence[ForeignFiling]]:
    for start in range(0, len(filings), _BATCH):
        yield filings[start : start + _BATCH]
