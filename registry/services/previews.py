"""Previews: a draft as the record that it would be, if it were published now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from registry.services.access import Actor
from registry.services.context import ServiceContext
from registry.services.drafts import SavedDraft, local_agency, read_draft
from registry.store import records
from registry.store.records import Register, StoredRecord


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """A draft as the version that it would be, and the records that it names.

    `record` has neither a log entry (-1) nor a hash, and of its findings only those that do not
    prevent publication; `errors` is the number of the others.
    """

    record: StoredRecord
    related: Sequence[StoredRecord]
    tag: str
    errors: int


async def read_preview(
    context: ServiceContext, actor: Actor, record: str, *, now: dt.datetime
) -> Preview:
    """Return the preview of a draft, for whoever may read the draft."""
    return await preview_of(context, await read_draft(context, actor, record, now=now), now=now)


async def preview_of(context: ServiceContext, saved: SavedDraft, *, now: dt.datetime) -> Preview:
    """Return the preview of a draft that was read."""
    draft = saved.draft
    document = msgspec.json.decode(draft.document)
    named = [str(one["record"]) for one in document.get("related_records") or ()]
    async with context.database.transaction() as connection:
        current = (await records.read_current(connection, [draft.record])).get(draft.record)
        related = (
            [one async for one in records.read_all(connection, withdrawn=True, only=named)]
            if named
            else []
        )
    warnings = [one for one in saved.verdict.findings if one.severity != "error"]
    return Preview(
        record=StoredRecord(
            id=draft.record,
            agency=draft.agency,
            document=draft.document.encode(),
            register=Register(
                version=1 if current is None else current.version + 1,
                state="published",
                published_at=now,
                superseded_at=None,
                hash="",
                entry=-1,
                origin=None,
                fictitious=local_agency(context, draft.record).fictitious,
                completeness=saved.verdict.completeness,
                accountability=saved.verdict.accountability,
                missing=list(saved.verdict.missing),
                findings=msgspec.Raw(msgspec.json.encode(warnings)),
                redacted=[],
            ),
            versions=[],
        ),
        related=related,
        tag=draft.tag,
        errors=len(saved.verdict.findings) - len(warnings),
    )
