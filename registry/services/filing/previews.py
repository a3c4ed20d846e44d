"""Previews: a draft as the record that it would be, if it were published now.

Who may read the draft may read its preview. To somebody without an account (a supplier, a lawyer)
the agency gives a link, which shows the draft as it stands until the link expires or is ended, or
the draft goes. Of its secret only the SHA-256 is kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from registry.errors import Conflict, Forbidden, InvalidParameter, NotFound
from registry.log.register import Register, StoredRecord
from registry.record.ids import agency_of
from registry.services import policy
from registry.services.context import ServiceContext
from registry.services.filing.drafts import SavedDraft, draft_not_found, local_agency, read_draft
from registry.services.filing.register_context import validate_in_register
from registry.services.operations import audit_trail
from registry.services.people.access import Actor
from registry.services.people.members import digest_of, make_secret
from registry.store import drafts, previews, records
from registry.store.database import Database, retried
from registry.store.previews import PreviewLink

MOST_DAYS = 7
MOST_LINKS = 20
"""Links of one draft that are in force at a time."""


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
                code=None if current is None else current.code,
            ),
            versions=[],
        ),
        related=related,
        tag=draft.tag,
        errors=len(saved.verdict.findings) - len(warnings),
    )


class NewLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link with the secret of its address, which is shown once."""

    id: int
    secret: str
    expires_at: dt.datetime


class OpenedPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a link shows, and until when."""

    preview: Preview
    expires_at: dt.datetime


@retried
async def make_link(
    context: ServiceContext, actor: Actor, record: str, *, days: int, now: dt.datetime
) -> NewLink:
    """Make a link to the preview of a draft of the actor's own agency, for 1 to 7 days."""
    member = _require_own(actor, record)
    if not 1 <= days <= MOST_DAYS:
        raise InvalidParameter(f"days: a link lasts 1 to {MOST_DAYS} days")
    secret, expires_at = make_secret(context.random), now + dt.timedelta(days=days)
    async with context.database.transaction() as connection:
        draft = await drafts.lock(connection, record)
        if draft is None:
            raise draft_not_found(record)
        if len(await previews.read_in_force(connection, record, now)) >= MOST_LINKS:
            raise Conflict(f"this draft has {MOST_LINKS} links already; end one of them first")
        number = await previews.insert(
            connection,
            digest_of(secret),
            record,
            member=member,
            made_at=now,
            expires_at=expires_at,
        )
        await audit_trail.note(
            connection, actor, "make_preview_link", record, before=draft.tag, now=now
        )
    return NewLink(id=number, secret=secret, expires_at=expires_at)


async def list_links(
    context: ServiceContext, actor: Actor, record: str, *, now: dt.datetime
) -> list[PreviewLink]:
    """Return the links in force to the preview of a draft of the actor's own agency."""
    _require_own(actor, record)
    async with context.database.connection() as connection:
        if await drafts.read(connection, record) is None:
            raise draft_not_found(record)
        return await previews.read_in_force(connection, record, now)


@retried
async def end_link(
    context: ServiceContext, actor: Actor, record: str, link: int, *, now: dt.datetime
) -> None:
    """End a link before its time; one that has ended stays so."""
    _require_own(actor, record)
    async with context.database.transaction() as connection:
        draft = await drafts.lock(connection, record)
        if draft is None:
            raise draft_not_found(record)
        if await previews.end(connection, link, record, now):
            await audit_trail.note(
                connection, actor, "end_preview_link", record, before=draft.tag, now=now
            )


async def open_link(context: ServiceContext, secret: str, *, now: dt.datetime) -> OpenedPreview:
    """Return what a link shows; an unknown, ended or expired one is equally not found."""
    async with context.database.connection() as connection:
        link = await previews.read_opened(connection, digest_of(secret), now)
        draft = None if link is None else await drafts.read(connection, link.record)
        if link is None or draft is None:
            raise NotFound("there is no preview at this address, or there is none any more")
    document = msgspec.json.decode(draft.document)
    verdict = await validate_in_register(context, document, now=now)
    saved = SavedDraft(draft=draft, verdict=verdict)
    return OpenedPreview(
        preview=await preview_of(context, saved, now=now), expires_at=link.expires_at
    )


async def delete_expired(database: Database, *, now: dt.datetime) -> None:
    """Forget the links that have expired."""
    async with database.transaction() as connection:
        await previews.drop_expired(connection, now)


def _require_own(actor: Actor, record: str) -> int:
    """Return the member's number; raises `NotFound` where the draft is not her own agency's."""
    if not policy.allows(actor, "file", agency_of(record)):
        raise draft_not_found(record)
    if actor.member is None:
        raise Forbidden("a preview link is made by a member who is signed in, not by a token")
    return actor.member
