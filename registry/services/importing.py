"""Importing: foreign records, published here under their own register's name."""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from registry.ledger.append import publish
from registry.ledger.entries import Publication, SealedDocument, seal_document
from registry.record.canonical import canonical
from registry.record.erasure import without_erased
from registry.record.model import Document
from registry.record.pack import Agency
from registry.record.validate import Verdict
from registry.search.fold import fold
from registry.services.context import ServiceContext
from registry.store import agencies, records, redactions
from registry.store.leader import leadership

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


_Batch: TypeAlias = Sequence[tuple[ForeignFiling, SealedDocument | None]]


class ImportCounts(msgspec.Struct, kw_only=True):
    """What became of the records of one import."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    withdrawn: int = 0


async def import_foreign(
    context: ServiceContext,
    filings: Sequence[ForeignFiling],
    *,
    now: Callable[[], dt.datetime],
    progress: Callable[[int, int], None] | None = None,
) -> ImportCounts:
    """Publish foreign records, a batch a transaction; what did not change is left alone.

    A record has changed when its document or its source row has. One that was withdrawn here stays
    so, whatever its source says, and what was erased here stays out. Stopped half-way, the batches
    that were finished stay, and the next import goes on from there. Imports take turns.
    """
    async with leadership(context.database, "importer"):
        # What is imported stays: to look for rubbish in it, over and over, takes a sixth longer.
        gc.freeze()
        try:
            return await _import(context, filings, now=now, progress=progress)
        finally:
            gc.unfreeze()


async def _import(
    context: ServiceContext,
    filings: Sequence[ForeignFiling],
    *,
    now: Callable[[], dt.datetime],
    progress: Callable[[int, int], None] | None,
) -> ImportCounts:
    counts = ImportCounts()
    done = 0
    known: dict[str, str] = {}
    async with context.database.connection() as connection:
        for origin in sorted({filing.agency.origin or "" for filing in filings}):
            known |= await records.latest_source_rows(connection, origin)
    async for batch in _made_ready(filings, known, context.random):
        async with context.database.transaction() as connection:
            await agencies.save(
                connection, list({one.agency.id: one.agency for one, _ in batch}.values())
            )
            ids = [one.document["id"] for one, _ in batch]
            await records.lock_records(connection, ids)
            standings = await records.read_current(connection, ids)
            erased = await redactions.read_erased(connection, ids)
            new = []
            for one, ready in batch:
                record = one.document["id"]
                gone = erased.get(record)
                document = without_erased(one.document, gone) if gone else one.document
                row = None if gone else canonical(one.source_row).decode()
                standing = standings.get(record)
                if standing is None:
                    counts.created += 1
                elif standing.state == "withdrawn":
                    counts.withdrawn += 1
                    continue
                elif standing.document == canonical(document) and row in {None, known.get(record)}:
                    counts.unchanged += 1
                    continue
                else:
                    counts.changed += 1
                new.append(
                    Publication(
                        document=document,
                        agency=one.agency,
                        actor=context.pack.code,
                        verdict=one.verdict,
                        source_row=row,
                        truncated=one.truncated,
                        sealed=None if gone else ready,
                    )
                )
            await publish(connection, new, now=now(), random=context.random)
        await fold(context.database, patience=_PATIENCE)
        if progress is not None:
            done += len(batch)
            progress(done, len(filings))
    return counts


async def _made_ready(
    filings: Sequence[ForeignFiling], known: Mapping[str, str], random: Callable[[int], bytes]
) -> AsyncIterator[_Batch]:
    """Give the filings batch by batch; while one is in the database, the next is made ready."""
    batches = [filings[start : start + _BATCH] for start in range(0, len(filings), _BATCH)]
    making: asyncio.Task[_Batch] | None = None
    try:
        for batch in [*batches, ()]:
            made = None if making is None else await making
            making = asyncio.create_task(_make_ready(batch, known, random))
            if made is not None:
                yield made
    finally:
        if making is not None:
            making.cancel()


async def _make_ready(
    batch: Sequence[ForeignFiling], known: Mapping[str, str], random: Callable[[int], bytes]
) -> _Batch:
    """Make ready what will be published; what seems to stand as it is, when that proves wrong."""
    made: list[tuple[ForeignFiling, SealedDocument | None]] = []
    for one in batch:
        same = known.get(one.document["id"]) == canonical(one.source_row).decode()
        made.append((one, None if same else seal_document(one.document, one.agency, random)))
        # What is in the database goes on between two records.
        await asyncio.sleep(0)
    return made
