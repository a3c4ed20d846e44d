"""Changing a draft by a part of it, and what a draft changes of the published version."""

from __future__ import annotations

import datetime as dt

import msgspec

from registry.errors import PreconditionRequired
from registry.record.diff import Difference, differences
from registry.record.merge_patch import merge_patch
from registry.record.model import Document, LangText
from registry.services.access import Actor
from registry.services.context import ServiceContext
from registry.services.drafts import (
    Precondition,
    SavedDraft,
    draft_not_found,
    own_agency,
    read_draft,
    save_draft,
)
from registry.store import drafts, records


class DraftChanges(msgspec.Struct, frozen=True, kw_only=True, rename={"earlier": "from"}):
    """How a draft differs from the version that was published last, of which `from` is the number.

    Null, and everything added, for a record that was never published. `state` is that of the
    record; the note is the draft's.
    """

    id: str
    tag: str
    earlier: int | None
    state: str | None
    change_note: LangText | None
    items: list[Difference]


async def patch_draft(
    context: ServiceContext,
    actor: Actor,
    record: str,
    patch: Document,
    *,
    precondition: Precondition | None,
    now: dt.datetime,
    language: str = "en",
    idempotency_key: str | None = None,
) -> SavedDraft:
    """Save a draft, or the published version as the draft of an amendment, with a patch applied.

    The precondition names what is patched. Patching again, because the answer was lost, changes
    nothing: the draft has those members already.
    """
    own_agency(context, actor, record)
    if precondition is None or precondition.new:
        raise PreconditionRequired(
            "send If-Match with the tag of the draft or of the published version that you patch"
        )
    async with context.database.connection() as connection:
        draft = await drafts.read(connection, record, state=None)
        current = (await records.read_current(connection, [record])).get(record)
    if draft is not None:
        content = draft.document.encode()
    elif current is not None and current.state == "published":
        content = current.document
    else:
        raise draft_not_found(record)
    document = merge_patch(msgspec.json.decode(content), patch)
    return await save_draft(
        context,
        actor,
        record,
        document,
        precondition=precondition,
        now=now,
        language=language,
        idempotency_key=idempotency_key,
    )


async def read_changes(
    context: ServiceContext, actor: Actor, record: str, *, now: dt.datetime
) -> DraftChanges:
    """Compare a draft with what was published last; for whoever may read the draft."""
    draft = (await read_draft(context, actor, record, now=now)).draft
    async with context.database.connection() as connection:
        current = (await records.read_current(connection, [record])).get(record)
    document = msgspec.json.decode(draft.document)
    before = {} if current is None else msgspec.json.decode(current.document)
    return DraftChanges(
        id=record,
        tag=draft.tag,
        earlier=None if current is None else current.version,
        state=None if current is None else current.state,
        change_note=document.get("publication", {}).get("change_note"),
        items=await context.by_size(len(draft.document), differences, before, document),
    )
