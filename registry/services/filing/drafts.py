"""Drafts: what an agency works on until it is published, changed as a whole or by a part."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from registry.errors import (
    Conflict,
    Finding,
    InvalidRecord,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
)
from registry.record.canonical import canonical
from registry.record.diff import Difference, differences
from registry.record.field_descriptions import quoted
from registry.record.ids import agency_of, split_id
from registry.record.messages import message, to_finding
from registry.record.model import Document, LangText
from registry.record.pack import Agency, Pack
from registry.record.rule_context import remark
from registry.record.validate import Verdict, draft_findings, validate, with_remarks
from registry.services import policy
from registry.services.context import ServiceContext
from registry.services.filing import idempotency
from registry.services.filing.receipts import Receipt, unchanged_receipt
from registry.services.filing.register_context import (
    examine_alone,
    read_register_context,
    validate_in_register,
)
from registry.services.operations import audit_trail, limits
from registry.services.people.access import Actor
from registry.store import drafts, records
from registry.store.database import Connection, retried
from registry.store.drafts import Draft, DraftState
from registry.store.records import CurrentVersion

_TAG_DIGITS = 16


class Precondition(msgspec.Struct, frozen=True, kw_only=True):
    """Which state the caller means to change: none yet (`new`), or the one with this tag."""

    new: bool = False
    tag: str | None = None

    def require(self, current: str) -> None:
        """Refuse, by `PreconditionFailed`, when the state that is meant is not the current one.

        A hyphen and what follows it tell of what is not the document's: erasures, the source.
        """
        if self.tag != current and not (self.tag or "").startswith(f"{current}-"):
            raise PreconditionFailed(
                f'the tag is now "{current}": someone changed it since you read it; read it '
                "again, take over the changes, and repeat with this tag"
            )


class RecordTaken(Conflict):
    """There is a draft or a record of this id already."""


class SavedDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A draft with what validation for publication notices in it; `created` just now, or before."""

    draft: Draft
    verdict: Verdict
    created: bool = False

    @property
    def document(self) -> Document:
        """The document, decoded each time."""
        return msgspec.json.decode(self.draft.document, type=Document)


@retried
async def save_draft(
    context: ServiceContext,
    actor: Actor,
    record: str,
    document: Document,
    *,
    precondition: Precondition | None,
    now: dt.datetime,
    language: str = "en",
    idempotency_key: str | None = None,
) -> SavedDraft:
    """Save what the agency is working on; it must be of the format, and need not be complete.

    What is saved already is not saved again, whatever tag comes with it: the answer was lost.
    """
    own_agency(context, actor, record)
    content = canonical(document)
    require_id(document, record, context.pack, context.pack.day(now), language)
    findings, total = await context.examine(
        len(content),
        draft_findings,
        document,
        pack=context.pack,
        language=language,
        fast=context.fast,
    )
    if any(finding.severity == "error" for finding in findings):
        raise InvalidRecord("the draft is not of the record format", findings, total)
    stated = require_stated(precondition)
    # Before anything is saved: it may be refused.
    own = await examine_alone(document, content, context, context.pack.day(now), language)
    request = b"save_draft " + content
    async with context.database.transaction() as connection:
        known = await idempotency.replay(connection, actor, idempotency_key, request)
        await records.lock_record(connection, record)
        before = draft = await drafts.lock(connection, record)
        register_context = await read_register_context(connection, document)
        if draft is None or draft.document != content.decode():
            if draft is not None:
                require_not_in_review(draft, content)
            tag = check_precondition(stated, draft, register_context.current)
            base = None if register_context.current is None else register_context.current.leaf
            draft = await write_draft(
                connection, context, actor, record, content, base=base, now=now
            )
            await audit_trail.note(connection, actor, "save_draft", record, before=tag, now=now)
        if known is None:
            await idempotency.store_response(
                connection, context, actor, idempotency_key, request, b"", now=now
            )
    remarks = register_context.remarks(document, content, context.pack)
    verdict = with_remarks(own, remarks, context.pack, language)
    return SavedDraft(draft=draft, verdict=verdict, created=before is None)


async def write_draft(
    connection: Connection,
    context: ServiceContext,
    actor: Actor,
    record: str,
    content: bytes,
    *,
    base: bytes | None,
    now: dt.datetime,
) -> Draft:
    """Write a draft that amends the leaf `base`; where there is one, its base and review stay."""
    agency = agency_of(record)
    await limits.require_draft_room(
        connection, agency, record, len(content), most=context.draft_bytes
    )
    return await drafts.save(
        connection,
        Draft(
            record=record,
            agency=agency,
            document=content.decode(),
            tag=context.random(8).hex(),
            base=base,
            actor=actor.name,
            saved_at=now,
        ),
    )


async def read_draft(
    context: ServiceContext, actor: Actor, record: str, *, now: dt.datetime, language: str = "en"
) -> SavedDraft:
    """Read a draft with its findings: an agency its own, a reviewer what is in review."""
    policy.require_scope(actor, "read_draft")
    if not policy.allows(actor, "read_draft", agency_of(record)):
        raise draft_not_found(record)
    own = policy.allows(actor, "file", agency_of(record))
    async with context.database.connection() as connection:
        draft = await drafts.read(connection, record, state=None if own else "in_review")
        if draft is None:
            raise draft_not_found(record)
    document = msgspec.json.decode(draft.document)
    verdict = await validate_in_register(context, document, now=now, language=language)
    return SavedDraft(draft=draft, verdict=verdict)


async def list_drafts(
    context: ServiceContext, actor: Actor, *, state: DraftState | None = None
) -> list[Draft]:
    """List an agency's own drafts, or, for a reviewer, those in review."""
    policy.require_scope(actor, "read_draft")
    own = policy.allows(actor, "file", actor.agency)
    if not own and state == "draft":
        return []
    async with context.database.connection() as connection:
        return await drafts.read_all(connection, actor.agency, state=state if own else "in_review")


@retried
async def delete_draft(
    context: ServiceContext,
    actor: Actor,
    record: str,
    *,
    precondition: Precondition | None,
    now: dt.datetime,
) -> None:
    """Throw a draft away, also one in review; what is published stays."""
    require_own_draft(actor, record)
    async with context.database.transaction() as connection:
        draft = await drafts.lock(connection, record)
        if draft is None:
            raise draft_not_found(record)
        if precondition is not None:
            precondition.require(draft.tag)
        await drafts.delete(connection, record)
        await audit_trail.note(connection, actor, "delete_draft", record, before=draft.tag, now=now)


@retried
async def rename_draft(
    context: ServiceContext,
    actor: Actor,
    record: str,
    renamed: str,
    *,
    precondition: Precondition,
    now: dt.datetime,
) -> str:
    """Move a draft to another id of its agency, while nothing was ever published under its own.

    Return its new tag. Raises `RecordTaken` where there is a draft or a record of that id.
    """
    own_agency(context, actor, renamed)
    require_own_draft(actor, record)
    async with context.database.transaction() as connection:
        for one in sorted((record, renamed)):
            await records.lock_record(connection, one)
        draft = await drafts.lock(connection, record)
        if draft is None:
            raise draft_not_found(record)
        precondition.require(draft.tag)
        published = await records.read_latest(connection, [record, renamed])
        if record in published or draft.state == "in_review":
            raise Conflict(f"{record} was published or is in review, and keeps its address")
        if renamed in published or await drafts.lock(connection, renamed) is not None:
            raise RecordTaken(f"there is a record {renamed} already; choose another address")
        document = {**msgspec.json.decode(draft.document), "id": renamed}
        content, tag = canonical(document).decode(), context.random(8).hex()
        await drafts.rename(connection, record, renamed, document=content, tag=tag, at=now)
        await audit_trail.note(connection, actor, "rename_draft", renamed, before=record, now=now)
    return tag


def own_agency(
    context: ServiceContext, actor: Actor, record: str, act: policy.Permission = "file"
) -> Agency:
    """Find the agency of a record for which the actor may do this.

    Another agency's is refused by `Forbidden` from the address alone, whether there is one or not.
    """
    policy.require(actor, act, agency_of(record))
    return local_agency(context, record)


def local_agency(context: ServiceContext, record: str) -> Agency:
    """Find the pack's agency that a record's id names; raises `NotFound` with those there are."""
    code, _ = split_id(record)
    agency = context.pack.agencies.get(code)
    if agency is None:
        known = ", ".join(sorted(context.pack.agencies))
        raise NotFound(f"{code} is not an agency of this register; the agencies are {known}")
    return agency


def require_not_in_review(draft: Draft, content: bytes) -> None:
    """Refuse to change a draft while somebody else reads it."""
    if draft.state == "in_review" and draft.document != content.decode():
        raise Conflict("this draft is in review; delete it to take it back, or wait for the review")


def require_base(draft: Draft, current: CurrentVersion | None) -> None:
    """Refuse a draft of a state that has been overtaken, by publication or by withdrawal."""
    if (None if current is None else current.leaf) == draft.base:
        return
    if current is not None and current.state == "withdrawn":
        raise Conflict(
            "the record was withdrawn since this draft was begun; to file it again, delete this "
            "draft and save it anew with If-None-Match: *"
        )
    raise Conflict(
        "another version was published since this draft was begun; read the record, take "
        "over what changed, delete this draft and save it anew with the record's tag"
    )


def submitter_of(draft: Draft) -> str:
    """Name who submitted a draft that is in review; raises `Conflict` where it is not."""
    if draft.state != "in_review" or draft.submitted_by is None:
        raise Conflict("this draft is not in review; its agency is still working on it")
    return draft.submitted_by


async def receipt_of_latest(connection: Connection, record: str) -> Receipt:
    """Return the receipt of the version in force: of what a draft has become that is gone."""
    current = (await records.read_current(connection, [record])).get(record)
    if current is None or current.state != "published":
        raise draft_not_found(record)
    return unchanged_receipt(record, current)


def require_own_draft(actor: Actor, record: str) -> None:
    """Refuse who does not file for the agency of a draft; raises `NotFound` for another's."""
    policy.require_scope(actor, "file")
    if not policy.allows(actor, "file", agency_of(record)):
        raise draft_not_found(record)


def draft_not_found(record: str) -> NotFound:
    """Return the error for a draft that is not there, or that the actor may not know of."""
    return NotFound(f"there is no draft {record} that you may read")


def tag_of(leaf: bytes) -> str:
    """Make the tag of a published version from its leaf hash."""
    return leaf.hex()[:_TAG_DIGITS]


def require_stated(precondition: Precondition | None) -> Precondition:
    """Return the state that a caller means to change. Raises `PreconditionRequired` without one."""
    if precondition is None:
        raise PreconditionRequired(
            "send If-None-Match: * for a new record, or If-Match with the tag of the draft or of "
            "the published version that you are changing"
        )
    return precondition


def check_precondition(
    precondition: Precondition, draft: Draft | None, latest: CurrentVersion | None
) -> str | None:
    """Check the stated state against the real one; give the tag of the real one."""
    current = None
    if draft is not None:
        current = draft.tag
    elif latest is not None and latest.state == "published":
        current = tag_of(latest.leaf)
    if precondition.new:
        if current is not None:
            what = "a draft" if draft is not None else "a published record"
            raise PreconditionFailed(
                f"there is {what} with this id already; read it and use its tag"
            )
    elif current is None:
        what = "there is no such record yet" if latest is None else "this record was withdrawn"
        anew = "begin it" if latest is None else "file it anew, as its next version"
        raise PreconditionFailed(f"{what}; send If-None-Match: * to {anew}")
    elif draft is not None and latest is not None and precondition.tag == tag_of(latest.leaf):
        raise PreconditionFailed(
            "this is the tag of the published version, and there is a draft of its amendment "
            f'already; read the draft, and use its tag "{current}"'
        )
    else:
        precondition.require(current)
    return current


def require_id(document: Document, record: str, pack: Pack, today: dt.date, language: str) -> None:
    """Refuse a document that names another record than the address does."""
    if document.get("id") != record:
        raise InvalidRecord(
            "the document and the address name different records",
            id_findings(document, pack, today, language)
            or [_other_id(document, record, pack, language)],
        )


def id_findings(
    document: Document, pack: Pack, today: dt.date, language: str = "en"
) -> list[Finding]:
    """Return the findings on the identifier of a document, which follow from nothing else."""
    named = {name: document[name] for name in ("id", "schema_version") if name in document}
    verdict = validate(named, profile="publication", pack=pack, today=today, language=language)
    return [finding for finding in verdict.findings if finding.pointer == "/id"]


def _other_id(document: Document, record: str, pack: Pack, language: str) -> Finding:
    saying = message(
        "The id is {given} and the address says {record}. Make them the same.",
        given=quoted(document.get("id")),
        record=quoted(record),
    )
    return to_finding(remark("id", "/id", saying), language, pack.fallback)


def merge_patch(document: Any, patch: Any) -> Any:
    """Return a document with the members of a patch; `null` removes one, lists are replaced."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


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
