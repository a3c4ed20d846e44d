"""Joining records of another register that stand here twice.

Registers from before records were recognised by their ids at the source gave a system whose agency
was renamed a second record. Of two such, the older one goes on, with what the newer one says, and
the newer one is withdrawn in favour of it.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from registry.ledger.append import append, publish
from registry.ledger.entries import WithdrawalEntry
from registry.ledger.publication import Publication
from registry.record.codelists import codelists
from registry.record.entry import Imported
from registry.record.erasure import without_erased
from registry.record.sections import seal
from registry.record.validate import validate
from registry.services.context import ServiceContext
from registry.services.import_matching import find_twins
from registry.store import agencies, imports, records, redactions
from registry.store.database import Connection
from registry.store.leader import leadership

_REASON = "merged_into"


class DoubledRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Two records of one system: `kept`, the older one, and `dropped`, which the source still has.

    `name` is what the dropped one is called; the agencies are those of the two.
    """

    kept: str
    dropped: str
    name: str
    kept_agency: str
    dropped_agency: str


async def find_doubled(connection: Connection, origin: str) -> list[DoubledRecord]:
    """Return the records of an origin that stand twice; needs a transaction.

    They are `find_twins` of what the last import met: nothing is found before an import by this
    release.
    """
    known = await imports.read_known(connection, origin)
    last = max((one.run or 0 for one in known), default=0)
    met = {one.id for one in known if last and one.run == last}
    first = await records.read_first_entries(connection, [one.id for one in known])
    found = [
        DoubledRecord(
            kept=kept.id,
            dropped=dropped.id,
            name=next(iter(dropped.document.get("name", {"": dropped.id}).values())),
            kept_agency=kept.agency,
            dropped_agency=dropped.agency,
        )
        for kept, dropped in find_twins(known, met)
        if first[kept.id] < first[dropped.id]
    ]
    return sorted(found, key=lambda one: one.kept)


async def join(context: ServiceContext, doubled: DoubledRecord, *, now: dt.datetime) -> None:
    """Publish what the newer of two records says as a version of the older, and withdraw it.

    What was erased of the older stays out.
    """
    kept, dropped = doubled.kept, doubled.dropped
    async with (
        leadership(context.database, "importer"),
        context.transaction() as connection,
    ):
        await records.lock_records(connection, [kept, dropped])
        current = await records.read_current(connection, [kept, dropped])
        if any(one.state != "published" for one in current.values()):
            return
        homes = await agencies.read_named(connection, [doubled.dropped_agency])
        row = await imports.read_source_row(connection, dropped)
        home = homes[doubled.dropped_agency]
        erased = (await redactions.read_erased(connection, [kept])).get(kept, {})
        document = msgspec.json.decode(current[dropped].document) | {"id": kept}
        document = without_erased(document, erased)
        moved = doubled.kept_agency != doubled.dropped_agency
        publication = Publication(
            document=document,
            agency=home,
            actor=context.pack.code,
            verdict=validate(
                document, profile="foreign", pack=context.pack, today=now.date(), fast=context.fast
            ),
            source_row=row.content if row and not erased else None,
            whole=msgspec.json.decode(row.whole) if row and not erased else {},
            imported=Imported(
                origin=home.origin or "",
                run=row.run if row else None,
                moved_from=doubled.kept_agency if moved else None,
                changed_on=row.changed_on if row else None,
            ),
        )
        await publish(
            connection, [publication], guard=context.guard, now=now, random=context.random
        )
        label = codelists()["withdrawal_reason"][_REASON].label
        note = {tag: f"{label.get(tag, _REASON)}: {kept}" for tag in context.pack.languages}
        withdrawal = WithdrawalEntry(
            actor=context.pack.code,
            id=dropped,
            current=current[dropped],
            reason=_REASON,
            sections=seal({"note": note, "successor": kept}, context.random),
        )
        state = await context.guard.lock(connection, now=now)
        await append(connection, context.guard, state, [withdrawal])
