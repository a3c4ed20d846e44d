"""Filing: from a draft that an agency saves to a version that everybody reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from registry.errors import (
    Conflict,
    Finding,
    Forbidden,
    InvalidRecord,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
)
from registry.office.examining import examine
from registry.office.ledger import Publication, Published, publish
from registry.record.canonical import canonical
from registry.record.ids import split_id
from registry.record.pack import Pack
from registry.record.validate import Verdict, validate
from registry.store import drafts, records
from registry.store.database import Database
from registry.store.drafts import Draft

if TYPE_CHECKING:
    from registry.office.access import Actor
    from registry.record.model import Document
    from registry.record.pack import Agency
    from registry.store.database import Connection
    from registry.store.records import StoredRecord

Outcome: TypeAlias = Literal["published", "unchanged"]

_TAG_DIGITS = 16


class Precondition(msgspec.Struct, frozen=True, kw_only=True):
    """Which state the caller means to change: none yet (`new`), or the one with this tag."""

    new: bool = False
    tag: str | None = None


class SavedDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A draft with what validation for publication notices in it."""

    draft: Draft
    verdict: Verdict
    created: bool


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The proof of a filing: which version it became and where it stands in the log."""

    outcome: Outcome
    id: str
    version: int
    entry: int
    hash: str
    published_at: dt.datetime


class Office(msgspec.Struct, frozen=True, kw_only=True):
    """What every filing needs: the database, the country's pack, and where chance comes from."""

    database: Database
    pack: Pack
    random: Callable[[int], bytes]


async def save_draft(
    office: Office,
    actor: Actor,
    record: str,
    document: Document,
    *,
    precondition: Precondition | None,
    now: dt.datetime,
    language: str = "en",
) -> SavedDraft:
    """Save what the agency is working on; it must be of the format, and need not be complete."""
    agency = _own_agency(office, actor, record)
    if document.get("id") != record:
        raise InvalidRecord(
            "the document and the address name different records", [_other_id(document, record)]
        )
    shape = validate(
        document, profile="draft", pack=office.pack, today=now.date(), language=language
    )
    if any(finding.severity == "error" for finding in shape.findings):
        raise InvalidRecord("the draft is not of the record format", shape.findings)
    text = canonical(document).decode()
    async with office.database.transaction() as connection:
        await records.take_turn(connection, record)
        before = await drafts.lock(connection, record)
        published = (await records.lock_latest(connection, [record])).get(record)
        base = _checked_base(precondition, before, published)
        unchanged = before is not None and before.document == text
        draft = Draft(
            record=record,
            agency=agency.id,
            document=text,
            tag=before.tag if before is not None and unchanged else office.random(8).hex(),
            base=before.base if before is not None else base,
            actor=actor.name,
            saved_at=now,
        )
        if not unchanged:
            await drafts.save(connection, draft)
        verdict = await examine(connection, office.pack, document, now=now, language=language)
    return SavedDraft(draft=draft, verdict=verdict, created=before is None)


async def read_draft(
    office: Office, actor: Actor, record: str, *, now: dt.datetime, language: str = "en"
) -> SavedDraft:
    """Read an agency's own draft with its findings."""
    actor.require("file")
    async with office.database.transaction() as connection:
        draft = await drafts.read(connection, record)
        if draft is None or not actor.files_for(draft.agency):
            raise _no_draft(record)
        document = msgspec.json.decode(draft.document)
        verdict = await examine(connection, office.pack, document, now=now, language=language)
    return SavedDraft(draft=draft, verdict=verdict, created=False)


async def list_drafts(office: Office, actor: Actor) -> list[Draft]:
    """List an agency's own drafts."""
    actor.require("file")
    if actor.agency is None:
        return []
    async with office.database.connection() as connection:
        return await drafts.read_all(connection, actor.agency)


async def delete_draft(
    office: Office, actor: Actor, record: str, *, precondition: Precondition | None
) -> None:
    """Throw a draft away; what is published stays."""
    actor.require("file")
    async with office.database.transaction() as connection:
        draft = await drafts.lock(connection, record)
        if draft is None or not actor.files_for(draft.agency):
            raise _no_draft(record)
        if precondition is not None and precondition.tag != draft.tag:
            raise _stale(draft.tag)
        await drafts.delete(connection, record)


async def submit(
    office: Office,
    actor: Actor,
    record: str,
    *,
    precondition: Precondition | None,
    now: dt.datetime,
    language: str = "en",
) -> Receipt:
    """Publish an agency's draft, or refuse it with every finding.

    Submitting again after the answer was lost gives the same receipt: without a draft, the
    latest version is what the last filing became.
    """
    agency = _own_agency(office, actor, record)
    async with office.database.transaction() as connection:
        await records.take_turn(connection, record)
        draft = await drafts.lock(connection, record)
        if draft is None:
            stored = await records.read(connection, record)
            if stored is None or stored.register.state != "published":
                raise _no_draft(record)
            return _receipt_of(stored)
        if precondition is not None and precondition.tag != draft.tag:
            raise _stale(draft.tag)
        published = (await records.lock_latest(connection, [record])).get(record)
        if (None if published is None else published.leaf) != draft.base:
            raise Conflict(
                "another version was published since this draft was begun; read the record, take "
                "over what changed, delete this draft and save it anew with the record's tag"
            )
        document = msgspec.json.decode(draft.document)
        receipt = await publish_local(
            connection,
            office,
            document,
            agency=agency,
            actor=actor.name,
            now=now,
            language=language,
        )
        await drafts.delete(connection, record)
    return receipt


async def publish_local(
    connection: Connection,
    office: Office,
    document: Document,
    *,
    agency: Agency,
    actor: str,
    now: dt.datetime,
    language: str = "en",
) -> Receipt:
    """Publish one complete document inside the caller's transaction, unless nothing changed.

    A refusal is told in `language`; what is kept with the version, in English.
    """
    record = str(document["id"])
    await records.take_turn(connection, record)
    # Two records of one agency must not take the same source_id at once.
    await records.take_turn(connection, agency.id)
    verdict = await examine(connection, office.pack, document, now=now)
    if not verdict.publishable:
        told = await examine(connection, office.pack, document, now=now, language=language)
        raise InvalidRecord(f"{record} cannot be published as it is", told.findings)
    latest = await records.latest_documents(connection, [record])
    if latest.get(record) == canonical(document):
        stored = await records.read(connection, record)
        if stored is not None:
            return _receipt_of(stored)
    [published] = await publish(
        connection,
        [Publication(document=document, agency=agency, actor=actor, verdict=verdict)],
        now=now,
        random=office.random,
    )
    return _receipt(published)


def local_agency(office: Office, record: str) -> Agency:
    """Find the pack's agency that a record's id names; raises `NotFound` with those there are."""
    code, _ = split_id(record)
    agency = office.pack.agencies.get(code)
    if agency is None:
        known = ", ".join(sorted(office.pack.agencies))
        raise NotFound(f"{code} is not an agency of this register; the agencies are {known}")
    return agency


def _own_agency(office: Office, actor: Actor, record: str) -> Agency:
    actor.require("file")
    code, _ = split_id(record)
    if not actor.files_for(code):
        raise Forbidden(f"this token files for {actor.agency}; it cannot file for {code}")
    return local_agency(office, record)


def _checked_base(
    precondition: Precondition | None, draft: Draft | None, published: records.Latest | None
) -> bytes | None:
    """Check the stated state against the real one; give the leaf of what a new draft amends."""
    in_force = published if published is not None and published.state == "published" else None
    if precondition is None:
        raise PreconditionRequired(
            "send If-None-Match: * for a new record, or If-Match with the tag of the draft or of "
            "the published version that you are changing"
        )
    if precondition.new:
        if draft is not None or in_force is not None:
            what = "a draft" if draft is not None else "a published record"
            raise PreconditionFailed(
                f"there is {what} with this id already; read it and use its tag"
            )
        return None if published is None else published.leaf
    current = None
    if draft is not None:
        current = draft.tag
    elif in_force is not None:
        current = in_force.leaf.hex()[:_TAG_DIGITS]
    if current is None:
        raise PreconditionFailed("there is no such record yet; send If-None-Match: * to begin it")
    if precondition.tag != current:
        raise _stale(current)
    return None if published is None else published.leaf


def _receipt(published: Published) -> Receipt:
    return Receipt(
        outcome="published",
        id=published.id,
        version=published.version,
        entry=published.entry,
        hash=published.hash,
        published_at=published.published_at,
    )


def _receipt_of(stored: StoredRecord) -> Receipt:
    return Receipt(
        outcome="unchanged",
        id=stored.id,
        version=stored.register.version,
        entry=stored.register.entry,
        hash=stored.register.hash,
        published_at=stored.register.published_at,
    )


def _other_id(document: Document, record: str) -> Finding:
    return Finding(
        pointer="/id",
        rule="id",
        severity="error",
        message=f"The id is {document.get('id')!r} and the address says {record!r}. "
        "Make them the same.",
    )


def _stale(current: str) -> PreconditionFailed:
    return PreconditionFailed(
        f'the tag is now "{current}": someone changed it since you read it; read it again, take '
        "over the changes, and repeat with this tag"
    )


def _no_draft(record: str) -> NotFound:
    return NotFound(f"there is no draft {record} of yours")
