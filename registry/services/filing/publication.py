"""Publishing: a draft that was submitted or approved, or a given document, becomes a version."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import ClassVar, Literal, TypeAlias

import msgspec

from registry.errors import Conflict, PreconditionRequired
from registry.ledger.publication import Publication, seal_document
from registry.record.ids import agency_of
from registry.record.pack import Agency
from registry.services.context import ServiceContext
from registry.services.filing.drafts import (
    Precondition,
    draft_not_found,
    receipt_of_latest,
    require_base,
    require_not_in_review,
    submitter_of,
)
from registry.services.filing.pipeline import Command, Decision
from registry.services.filing.receipts import Receipt, unchanged_receipt
from registry.services.filing.register_context import (
    CheckedDocument,
    check_draft,
    read_register_context,
)
from registry.services.operations import limits
from registry.services.operations.audit_trail import Action
from registry.services.people import notices
from registry.services.people.four_eyes import require_second, side_of, submitting_person
from registry.store import codes, drafts, records
from registry.store.database import Connection
from registry.store.drafts import Draft
from registry.store.log import Entry

PublishPurpose: TypeAlias = Literal["submit", "approve", "load"]


class _Checked(msgspec.Struct, frozen=True, kw_only=True):
    """A document that is ready to be published, and the draft that goes with it."""

    made: CheckedDocument
    draft: Draft | None
    submitter: str | None = None


class Publish(Command[Receipt], frozen=True, kw_only=True):
    """Publish the draft of the record, or the document that is `given` over it.

    Loading leaves drafts alone. A `precondition` is of the draft's tag. `code` is the short code
    that the record had in the log that this one continues, for its first version.
    """

    receipt: ClassVar[type[Receipt]] = Receipt
    agency: Agency
    purpose: PublishPurpose
    given: CheckedDocument | None = None
    precondition: Precondition | None = None
    code: str | None = None

    @property
    def action(self) -> Action:
        """The name of the act in the audit trail."""
        return "publish" if self.purpose == "load" else self.purpose

    async def check(
        self, connection: Connection, context: ServiceContext, *, now: dt.datetime
    ) -> _Checked | None:
        """Validate and seal the document; None where there is no draft to be published."""
        draft = None if self.purpose == "load" else await drafts.lock(connection, self.subject)
        if self.given is not None:
            if draft is not None:
                require_not_in_review(draft, self.given.content)
            return _Checked(made=await self._sealed(self.given, context), draft=draft)
        if draft is None:
            return None
        submitter = None
        if self.purpose == "approve":
            submitter = submitter_of(draft)
            if self.precondition is None:
                # It may have been taken back, and another text submitted, since it was read.
                raise PreconditionRequired(
                    "say which text you approve: the tag of the draft that you have read, in "
                    "If-Match or by --tag"
                )
        if self.precondition is not None:
            self.precondition.require(draft.tag)
        made = await check_draft(draft, context, context.pack.day(now))
        return _Checked(made=await self._sealed(made, context), draft=draft, submitter=submitter)

    async def decide(
        self,
        connection: Connection,
        context: ServiceContext,
        checked: _Checked | None,
        *,
        now: dt.datetime,
    ) -> Decision[Receipt]:
        """Ask the rules of the register; what is in force as it stands is not published again."""
        if checked is None:
            receipt = await self._published_before(connection)
            return Decision(answer=lambda _: receipt, is_act=False)
        made, draft = checked.made, checked.draft
        register_context = await read_register_context(connection, made.document)
        current = register_context.current
        before = None if current is None else str(current.version)
        if checked.submitter is not None and draft is not None:
            await require_second(
                connection,
                self.actor,
                asked_by=submitting_person(draft),
                did="submitted this draft",
                decision="approved",
                review=context.review,
                risks=register_context.risks(made.document),
            )
        if draft is not None and self.given is None:
            require_base(draft, current)
            before = draft.tag
        if current is not None and register_context.is_in_force(made.content):
            receipt = unchanged_receipt(self.subject, current)
            return Decision(
                answer=lambda _: receipt,
                before=before,
                is_act=self.given is None,
                ends_draft=draft is not None,
            )
        verdict = await register_context.publishable(
            made, context, context.pack.day(now), self.language
        )
        if self.purpose != "load":
            await limits.spend_publication(
                connection, agency_of(self.subject), per_day=context.publications_a_day, now=now
            )
        predecessor = register_context.lowered_from
        entry = Publication(
            document=made.document,
            agency=self.agency,
            actor=checked.submitter or self.actor.name,
            approved_by=side_of(self.actor) if checked.submitter else None,
            verdict=verdict,
            sealed=made.sealed,
            current=current,
            keys=register_context.keys,
            lowered_from=None if predecessor is None else predecessor.risk,
            code=await self._code(connection) if current is None else None,
        )
        return Decision(
            entry=entry,
            answer=partial(_published, entry),
            before=before,
            ends_draft=draft is not None,
            tell=partial(
                notices.tell,
                actor=self.actor,
                kind="published",
                subject=self.subject,
                about=str(entry.version),
                now=now,
            )
            if checked.submitter
            else None,
        )

    async def _code(self, connection: Connection) -> str:
        """Return the code that a new record gets; raises `Conflict` where its old one is taken."""
        if self.code is None:
            return await codes.find_free(connection, self.subject)
        if await codes.read_taken(connection, [self.code]):
            raise Conflict(f"the short code {self.code} of {self.subject} is another record's")
        return self.code

    async def _sealed(self, made: CheckedDocument, context: ServiceContext) -> CheckedDocument:
        if made.sealed is not None or not made.verdict.publishable:
            return made
        sealed = await context.by_size(
            len(made.content), seal_document, made.document, self.agency, context.random
        )
        return msgspec.structs.replace(made, sealed=sealed)

    async def _published_before(self, connection: Connection) -> Receipt:
        """Return the receipt of what the actor's side, or the agency, has published already."""
        if self.purpose == "approve":
            approved_by = await records.read_approved_by(connection, self.subject)
            if approved_by != side_of(self.actor):
                raise draft_not_found(self.subject)
        return await receipt_of_latest(connection, self.subject)


def _published(entry: Publication, at: Entry) -> Receipt:
    return Receipt(
        outcome="published",
        id=entry.record,
        version=entry.version,
        entry=at.index,
        hash=at.leaf.hex(),
        published_at=at.at,
        code=entry.code if entry.current is None else entry.current.code,
    )
