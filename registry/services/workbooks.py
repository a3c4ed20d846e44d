"""What workbooks are made of, and compared with: the newest states of records."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from registry.errors import NotFound
from registry.record.model import Document, LangText
from registry.services.access import Actor
from registry.services.context import ServiceContext
from registry.services.drafts import tag_of
from registry.store import drafts, records


class RecordState(msgspec.Struct, frozen=True, kw_only=True):
    """The newest state of a record that an actor may read: of its draft, or as it is published.

    `published` is the content in force, in canonical bytes, with `published_tag`.
    """

    content: bytes
    tag: str
    is_draft: bool
    published: bytes | None = None
    published_tag: str | None = None

    @property
    def document(self) -> Document:
        """The document."""
        document: Document = msgspec.json.decode(self.content)
        return document


async def read_states(
    context: ServiceContext, actor: Actor | None, ids: Sequence[str]
) -> dict[str, RecordState]:
    """Return the newest state of each record that is there; drafts are those of the actor's agency.

    Without an actor it is what is published.
    """
    found: dict[str, RecordState] = {}
    wanted = list(dict.fromkeys(ids))
    async with context.database.connection() as connection:
        current = await records.read_current(connection, wanted)
        own = {}
        if actor is not None and "file" in actor.scopes and actor.agency is not None:
            kept = await drafts.read_all(connection, actor.agency)
            own = {draft.record: draft for draft in kept}
    for record in wanted:
        last, draft = current.get(record), own.get(record)
        in_force = last is not None and last.state == "published"
        published = last.document if last is not None and in_force else None
        published_tag = tag_of(last.leaf) if last is not None and in_force else None
        if draft is not None:
            content, tag = draft.document.encode(), draft.tag
        elif published is not None and published_tag is not None:
            content, tag = published, published_tag
        else:
            continue
        found[record] = RecordState(
            content=content,
            tag=tag,
            is_draft=draft is not None,
            published=published,
            published_tag=published_tag,
        )
    return found


async def require_states(
    context: ServiceContext, actor: Actor | None, ids: Sequence[str]
) -> list[RecordState]:
    """Return the newest state of each record. Raises `NotFound` for one that is not there."""
    found = await read_states(context, actor, ids)
    for record in ids:
        if record not in found:
            raise NotFound(f"there is no record {record} in force, nor a draft that you may read")
    return [found[record] for record in ids]


async def list_agency_records(context: ServiceContext, agency: str) -> dict[str, LangText]:
    """Return the names of an agency's drafts and records in force, by id."""
    async with context.database.connection() as connection:
        filed = await records.read_of_agency(connection, agency)
        begun = await drafts.read_all(connection, agency)
    found: dict[str, LangText] = {one.id: one.name for one in filed if one.state == "published"}
    for draft in begun:
        found[draft.record] = msgspec.json.decode(draft.document).get("name") or {}
    return dict(sorted(found.items()))
