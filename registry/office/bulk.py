"""Many at once: records filed in groups, each for itself, whatever becomes of the others.

A group is one transaction, since most of what a filing costs is the same for one and for fifty.
What breaks a rule is left out before anything is written. Should the transaction fail all the
same, the filings of the group are tried again alone, so that none suffers for another.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from registry.errors import Conflict, InvalidRecord, RegistryError, Unavailable
from registry.office import audit
from registry.office.examining import Surroundings, surroundings
from registry.office.filing import Office
from registry.office.ledger import Publication, publish
from registry.office.steps import DraftReceipt, Ending, Filing, Step, Version
from registry.office.submitting import Outcome, Receipt, unchanged
from registry.office.withdrawing import append_withdrawal
from registry.record.validate import validate, with_remarks
from registry.store import drafts, records
from registry.store.database import retried
from registry.store.drafts import Draft
from registry.store.records import Standing
from registry.text.catalogues import SOURCE

if TYPE_CHECKING:
    from registry.office.audit import Action
    from registry.store.audit import Act

GROUP = 50
"""Filings a transaction: large enough to be fast, short enough that others do not wait."""

Receipts: TypeAlias = Sequence[Receipt]


async def file_group(
    office: Office, filings: Sequence[Filing], *, now: dt.datetime, language: str = "en"
) -> list[Receipts | Exception]:
    """File different records with one purpose; give for each its receipts, or why it was refused.

    When the database is gone, the filings that are left are not tried.
    """
    try:
        return await _file(office, filings, now=now, language=language)
    except Exception as error:  # noqa: BLE001  whatever it is, it is one filing's affair
        if len(filings) == 1:
            return [error]
    results: list[Receipts | Exception] = []
    for one in filings:
        try:
            results += await _file(office, [one], now=now, language=language)
        except Unavailable as error:
            return [*results, *[error] * (len(filings) - len(results))]
        except Exception as error:  # noqa: BLE001  the same
            results.append(error)
    return results


@retried
async def _file(
    office: Office, filings: Sequence[Filing], *, now: dt.datetime, language: str
) -> list[Receipts | Exception]:
    ids = [filing.record for filing in filings]
    purpose = filings[0].purpose
    versions = [one for filing in filings for one in filing.steps if isinstance(one, Version)]
    async with office.database.transaction() as connection:
        # Two records of one agency must not take the same source_id at once.
        await records.take_turns(connection, [*ids, *{filing.agency.id for filing in filings}])
        group = _Group(
            office=office,
            connection=connection,
            around=await surroundings(connection, office, [one.document for one in versions]),
            drafts={} if purpose == "load" else await drafts.lock_many(connection, ids),
            now=now,
            language=language,
        )
        if purpose == "draft" or (purpose == "submit" and office.review == "required"):
            return [await group.keep(filing) for filing in filings]
        return await group.publish(filings)


class _Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A filing that nothing speaks against: the steps to take, and the receipts of those taken."""

    filing: Filing
    before: Standing | None
    steps: Sequence[Step]
    receipts: list[Receipt]


class _Group(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction: what it has read of a group's records, and what it does with them."""

    office: Office
    connection: Any
    around: Surroundings
    drafts: dict[str, Draft]
    now: dt.datetime
    language: str

    async def publish(self, filings: Sequence[Filing]) -> list[Receipts | Exception]:
        """Publish what may be: each record's first step together, then the second ones."""
        plans = [self._plan(filing) for filing in filings]
        good = [plan for plan in plans if isinstance(plan, _Plan)]
        await drafts.delete_many(
            self.connection, [one.filing.record for one in good if one.filing.record in self.drafts]
        )
        acts = []
        for depth in range(max((len(plan.steps) for plan in good), default=0)):
            due = [(plan, plan.steps[depth]) for plan in good if depth < len(plan.steps)]
            await self._publish_versions(due)
            for plan, step in due:
                if isinstance(step, Ending):
                    await self._withdraw(plan, step)
                acts.append(self._act(plan, step))
        await audit.note_all(self.connection, acts)
        for plan in good:
            if plan.before is not None and not plan.receipts:
                plan.receipts.append(unchanged(plan.filing.record, plan.before))
        return [plan.receipts if isinstance(plan, _Plan) else plan for plan in plans]

    async def keep(self, filing: Filing) -> Receipts | Exception:
        """Save a draft over what is there, and put it into review if it is submitted."""
        [step] = filing.steps
        record, draft = filing.record, self.drafts.get(filing.record)
        try:
            version = self._examined(filing, step)
        except (Conflict, InvalidRecord) as error:
            return error
        if not isinstance(version, Version):
            await drafts.delete_many(self.connection, [record])
            return [unchanged(record, self.around.standings[record])]
        outcome: Outcome = "changed" if draft is not None else "created"
        if draft is not None and draft.document == version.content.decode():
            outcome = "unchanged"
        else:
            draft = await self._save(filing, version, draft)
        if filing.purpose == "draft":
            return [
                DraftReceipt(
                    outcome=outcome,
                    id=record,
                    tag=draft.tag,
                    saved_at=draft.saved_at,
                    publishable=version.verdict.publishable,
                    completeness=version.verdict.completeness,
                )
            ]
        at = draft.submitted_at
        if draft.state == "draft":
            at = self.now
            await drafts.submit(self.connection, record, by=filing.actor.name, at=at)
            await audit.note(
                self.connection, filing.actor, "submit", record, before=draft.tag, now=at
            )
        return [Receipt(outcome="in_review", id=record, tag=draft.tag, submitted_at=at)]

    def _plan(self, filing: Filing) -> _Plan | RegistryError:
        """Examine a filing beside those planned before it; give why not where it cannot be."""
        record = filing.record
        before = self.around.standings.get(record)
        try:
            steps = [self._examined(filing, step) for step in filing.left(before)]
        except (Conflict, InvalidRecord) as error:
            self.around.put_back(record, before)
            return error
        taken = [step for step in steps if step is not None]
        return _Plan(filing=filing, before=before, steps=taken, receipts=[])

    def _examined(self, filing: Filing, step: Step) -> Step | None:
        """Give a step with its verdict, None where it is taken; raises with every finding."""
        if isinstance(step, Ending):
            self.around.withdraw(filing.record)
            return step
        draft, pack = self.drafts.get(filing.record), self.office.pack
        if (
            draft is not None
            and draft.state == "in_review"
            and draft.document != step.content.decode()
        ):
            raise Conflict(
                "this draft is in review; delete it to take it back, or wait for the review"
            )
        if filing.purpose != "draft" and self.around.is_in_force(filing.record, step.content):
            return None
        remarks = self.around.remarks(step.document, step.content, pack)
        verdict = with_remarks(step.verdict, remarks, pack, SOURCE)
        if filing.purpose != "draft":
            if not verdict.publishable:
                own = validate(
                    step.document,
                    profile="publication",
                    pack=pack,
                    today=self.now.date(),
                    language=self.language,
                )
                told = with_remarks(own, remarks, pack, self.language)
                raise InvalidRecord(f"{filing.record} cannot be published as it is", told.findings)
            self.around.publish(step.document, step.content, at=self.now)
        return msgspec.structs.replace(step, verdict=verdict)

    async def _publish_versions(self, due: Sequence[tuple[_Plan, Step]]) -> None:
        versions = [(plan, step) for plan, step in due if isinstance(step, Version)]
        published = await publish(
            self.connection,
            [
                Publication(
                    document=step.document,
                    agency=plan.filing.agency,
                    actor=plan.filing.actor.name,
                    verdict=step.verdict,
                    ready=step.ready,
                )
                for plan, step in versions
            ],
            now=self.now,
            random=self.office.random,
        )
        for (plan, _), one in zip(versions, published, strict=True):
            plan.receipts.append(Receipt(outcome="published", **msgspec.structs.asdict(one)))

    async def _withdraw(self, plan: _Plan, step: Ending) -> None:
        record = plan.filing.record
        latest = await records.read_latest(self.connection, [record])
        plan.receipts.append(
            await append_withdrawal(
                self.connection,
                self.office,
                plan.filing.actor,
                record,
                step.statement,
                latest=latest[record],
                now=self.now,
            )
        )

    async def _save(self, filing: Filing, version: Version, before: Draft | None) -> Draft:
        """Write a draft in place of the one before, as if begun now."""
        record = filing.record
        latest = (await records.read_latest(self.connection, [record])).get(record)
        await drafts.delete_many(self.connection, [record])
        draft = await drafts.save(
            self.connection,
            Draft(
                record=record,
                agency=filing.agency.id,
                document=version.content.decode(),
                tag=self.office.random(8).hex(),
                base=None if latest is None else latest.leaf,
                actor=filing.actor.name,
                saved_at=self.now,
            ),
        )
        await audit.note(
            self.connection,
            filing.actor,
            "save_draft",
            record,
            before=None if before is None else before.tag,
            now=self.now,
        )
        return draft

    def _act(self, plan: _Plan, step: Step) -> Act:
        action: Action = "publish" if plan.filing.purpose == "load" else "submit"
        return audit.done(
            plan.filing.actor,
            "withdraw" if isinstance(step, Ending) else action,
            plan.filing.record,
            before=None if plan.before is None else str(plan.before.version),
            now=self.now,
        )
