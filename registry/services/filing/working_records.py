"""What an agency works on: the draft of a record, or else its version in force."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from registry.errors import NotFound
from registry.record.canonical import canonical
from registry.record.ids import agency_of
from registry.record.model import Document, LangText
from registry.record.pointers import dig
from registry.record.validate import Verdict
from registry.services import policy
from registry.services.context import ServiceContext
from registry.services.filing.drafts import SavedDraft, draft_not_found, tag_of
from registry.services.filing.register_context import RegisterContext, read_register_context
from registry.services.people.access import Actor
from registry.store import audit_trail, drafts, records
from registry.store.drafts import Draft
from registry.store.records import AgencyRecord

EVERY_FINDING = 1000
"""As many as a form can show beside its fields: all of them."""

_OF_THE_CHANGE = ("change_note", "changed_on")


class DraftRenamed(NotFound):
    """The draft that had this address was given another one."""

    def __init__(self, record: str, renamed: str) -> None:
        """Take the id that it had and the one that it has."""
        super().__init__(f"the draft {record} is now {renamed}")
        self.record, self.renamed = record, renamed


class WorkingRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record as its agency works on it, with everything that publication would notice.

    `document` is the draft's, or else that of the version in force without its change note, which
    is of that version; the verdict is on that version as it stands. `tag` is what a change of it
    names. `around` is what the register holds.
    """

    record: str
    document: Document
    tag: str
    draft: Draft | None
    register_context: RegisterContext
    verdict: Verdict

    @property
    def amends(self) -> bool:
        """Return whether a version is in force already."""
        current = self.register_context.current
        return current is not None and current.state == "published"


async def read_working_record(
    context: ServiceContext, actor: Actor, record: str, *, now: dt.datetime, language: str
) -> WorkingRecord:
    """Return what an agency works on; for others, and where there is nothing, `NotFound`.

    Raises `DraftRenamed` where the draft has another address since.
    """
    if not policy.allows(actor, "file", agency_of(record)):
        raise draft_not_found(record)
    async with context.database.connection() as connection:
        draft = await drafts.read(connection, record)
        if draft is not None:
            judged = document = msgspec.json.decode(draft.document)
            tag = draft.tag
        else:
            current = (await records.read_current(connection, [record])).get(record)
            if current is None and (renamed := await audit_trail.read_renamed(connection, record)):
                raise DraftRenamed(record, renamed)
            if current is None or current.state != "published":
                raise draft_not_found(record)
            judged, tag = msgspec.json.decode(current.document), tag_of(current.leaf)
            document = without_change_note(judged)
        register_context = await read_register_context(connection, judged)
    return WorkingRecord(
        record=record,
        document=document,
        tag=tag,
        draft=draft,
        register_context=register_context,
        verdict=await examine(context, register_context, judged, now=now, language=language),
    )


async def examine(
    context: ServiceContext,
    register_context: RegisterContext,
    document: Document,
    *,
    now: dt.datetime,
    language: str,
) -> Verdict:
    """Return the verdict on publishing a document now, with every finding."""
    return await register_context.examine(
        document, canonical(document), context, context.pack.day(now), language, most=EVERY_FINDING
    )


async def read_agency_work(
    context: ServiceContext, agency: str, *, now: dt.datetime, language: str
) -> tuple[list[SavedDraft], list[AgencyRecord]]:
    """Return an agency's drafts, and its records in force or withdrawn, both by id."""
    async with context.database.connection() as connection:
        filed = await records.read_of_agency(connection, agency)
        begun = []
        for draft in await drafts.read_all(connection, agency):
            document = msgspec.json.decode(draft.document)
            begun.append((draft, document, await read_register_context(connection, document)))
    found = []
    for draft, document, register_context in begun:
        verdict = await examine(context, register_context, document, now=now, language=language)
        found.append(SavedDraft(draft=draft, verdict=verdict))
    return found, filed


def without_change_note(document: Document) -> Document:
    """Return a document without the note and the day of its last change: no other has them."""
    publication = dig(document, "publication")
    if not isinstance(publication, dict):
        return document
    kept = {name: value for name, value in publication.items() if name not in _OF_THE_CHANGE}
    return {**document, "publication": kept}


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
        if actor is not None and policy.allows(actor, "file", actor.agency):
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
