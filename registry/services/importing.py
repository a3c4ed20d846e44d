"""Importing: foreign records, published here under their own register's name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from registry.ledger.append import publish
from registry.ledger.entries import Publication
from registry.record.canonical import canonical
from registry.record.erasure import without_erased
from registry.record.model import Document
from registry.record.pack import Agency
from registry.record.validate import Verdict
from registry.services.context import ServiceContext
from registry.store import agencies, records, redactions
from registry.store.database import Connection
from registry.store.leader import leadership

_BATCH = 250
"""Records a transaction: large enough to be fast, short enough that filings do not wait."""


class ForeignFiling(msgspec.Struct, frozen=True, kw_only=True):
    """A foreign record that its profile accepts, with the row it was made from.

    `source_id` is the source's own id, or empty. `of` is what identifies a row without one, and
    `telling_apart` decides where these are equal: texts of the document, see `exchange.identity`.
    `whole` has, by JSON Pointer, the whole text where the document has it cut. `changed_on` is the
    source's own date of the row's last change: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    """

    document: Document
    agency: Agency
    verdict: Verdict
    source_row: Mapping[str, Any]
    source_id: str = ""
    of: tuple[str, ...] = ()
    telling_apart: tuple[str, ...] = ()
    whole: Mapping[str, str] = {}
    changed_on: str | None = None


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
    counts = ImportCounts()
    async with leadership(context.database, "importer"):
        known: dict[str, str] = {}
        async with context.database.connection() as connection:
            for origin in sorted({filing.agency.origin or "" for filing in filings}):
                known |= await records.latest_source_rows(connection, origin)
        for start in range(0, len(filings), _BATCH):
            batch = filings[start : start + _BATCH]
            async with context.database.transaction() as connection:
                await _import(connection, context, batch, known, counts, now=now())
            if progress is not None:
                progress(start + len(batch), len(filings))
    return counts


async def _import(
    connection: Connection,
    context: ServiceContext,
    batch: Sequence[ForeignFiling],
    known: Mapping[str, str],
    counts: ImportCounts,
    *,
    now: dt.datetime,
) -> None:
    """Publish what has changed of a batch, and count what became of it.

    `known` are the source rows, as JSON text, from which records were last made.
    """
    await agencies.save(connection, list({one.agency.id: one.agency for one in batch}.values()))
    ids = [one.document["id"] for one in batch]
    await records.lock_records(connection, ids)
    current = await records.read_current(connection, ids)
    erased = await redactions.read_erased(connection, ids)
    new = []
    for one in batch:
        record = one.document["id"]
        gone = erased.get(record)
        document = without_erased(one.document, gone) if gone else one.document
        row = None if gone else canonical(one.source_row).decode()
        before = current.get(record)
        if before is None:
            counts.created += 1
        elif before.state == "withdrawn":
            counts.withdrawn += 1
            continue
        elif before.document == canonical(document) and row in {None, known.get(record)}:
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
                truncated=tuple(one.whole),
            )
        )
    await publish(connection, new, now=now, random=context.random)
