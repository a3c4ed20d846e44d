"""What an agency works on: the draft of a record, or else its version in force."""

from __future__ import annotations

import datetime as dt

import msgspec

from registry.record.canonical import canonical
from registry.record.model import Document
from registry.record.pointers import dig
from registry.record.validate import Verdict
from registry.services.access import Actor
from registry.services.context import ServiceContext
from registry.services.drafts import SavedDraft, draft_not_found, tag_of
from registry.services.register_context import RegisterContext, read_register_context
from registry.store import drafts, records
from registry.store.drafts import Draft
from registry.store.records import AgencyRecord

EVERY_FINDING = 1000
"""As many as a form can show beside its fields: all of them."""


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
    around: RegisterContext
    verdict: Verdict

    @property
    def amends(self) -> bool:
        """Return whether a version is in force already."""
        current = self.around.current
        return current is not None and current.state == "published"


async def read_working_record(
    context: ServiceContext, actor: Actor, record: str, *, now: dt.datetime, language: str
) -> WorkingRecord:
    """Return what an agency works on; for others, and where there is nothing, `NotFound`."""
    if "file" not in actor.scopes or not actor.files_for(record.partition("/")[0]):
        raise draft_not_found(record)
    async with context.database.connection() as connection:
        draft = await drafts.read(connection, record)
        if draft is not None:
            judged = document = msgspec.json.decode(draft.document)
            tag = draft.tag
        else:
            current = (await records.read_current(connection, [record])).get(record)
            if current is None or current.state != "published":
                raise draft_not_found(record)
            judged, tag = msgspec.json.decode(current.document), tag_of(current.leaf)
            document = without_change_note(judged)
        around = await read_register_context(connection, judged)
    return WorkingRecord(
        record=record,
        document=document,
        tag=tag,
        draft=draft,
        around=around,
        verdict=examine(context, around, judged, now=now, language=language),
    )


def examine(
    context: ServiceContext,
    around: RegisterContext,
    document: Document,
    *,
    now: dt.datetime,
    language: str,
) -> Verdict:
    """Return the verdict on publishing a document now, with every finding."""
    return around.examine(
        document, canonical(document), context, now.date(), language, most=EVERY_FINDING
    )


async def read_agency_work(
    context: ServiceContext, agency: str, *, now: dt.datetime, language: str
) -> tuple[list[SavedDraft], list[AgencyRecord]]:
    """Return an agency's drafts, and its records in force or withdrawn, both by id."""
    async with context.database.connection() as connection:
        filed = await records.read_of_agency(connection, agency)
        found = []
        for draft in await drafts.read_all(connection, agency):
            document = msgspec.json.decode(draft.document)
            around = await read_register_context(connection, document)
            verdict = examine(context, around, document, now=now, language=language)
            found.append(SavedDraft(draft=draft, verdict=verdict))
    return found, filed


_OF_THE_CHANGE = ("change_note", "changed_on")


def without_change_note(document: Document) -> Document:
    """Return a document without the note and the day of its last change: no other has them."""
    publication = dig(document, "publication")
    if not isinstance(publication, dict):
        return document
    kept = {name: value for name, value in publication.items() if name not in _OF_THE_CHANGE}
    return {**document, "publication": kept}
