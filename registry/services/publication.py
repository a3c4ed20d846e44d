"""Many at once: records filed in groups, each for itself, whatever becomes of the others.

A group is published with one statement, since most of what a filing costs is the same for one and
for fifty. It stands on what was read before without a lock, and does nothing if that is not so any
more; the second time the log is locked before. What breaks a rule is left out before anything is
written. Should the group fail all the same, its filings are tried again alone, so that none suffers
for another.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec

from registry.errors import Conflict, InvalidRecord, Unavailable
from registry.ledger.append import Publication, Published, publish, publish_after, seal_document
from registry.services import audit, idempotency
from registry.services.audit import Action
from registry.services.commands import (
    Change,
    Filing,
    NewVersion,
    StaleDraft,
    Withdrawal,
    require_base,
)
from registry.services.context import ServiceContext
from registry.services.draft_upsert import upsert_draft
from registry.services.publishable import check_publishable
from registry.services.receipts import Receipt, Receipts, unchanged_receipt
from registry.services.register_context import RegisterContext, read_register_context
from registry.services.withdrawal import append_withdrawal
from registry.store import drafts, log, records
from registry.store.audit import Act
from registry.store.database import Connection, retried, transaction
from registry.store.drafts import Draft
from registry.store.idempotency import StoredResponse
from registry.store.records import CurrentDocument
from registry.store.versions import SideEffects

BATCH_SIZE = 50
"""Filings a transaction: large enough to be fast, short enough that others do not wait."""

_TRIES = 3


async def file_batch(
    context: ServiceContext, filings: Sequence[Filing], *, now: dt.datetime
) -> list[Receipts | Exception]:
    """File different records with one purpose; give for each its receipts, or why it was refused.

    When the database is gone, the filings that are left are not tried.
    """
    try:
        return await _file(context, filings, now=now)
    except Unavailable as error:
        return [error] * len(filings)
    except Exception as error:  # noqa: BLE001  whatever it is, it is one filing's affair
        if len(filings) == 1:
            return [error]
    results: list[Receipts | Exception] = []
    for one in filings:
        try:
            results += await _file(context, [one], now=now)
        except Unavailable as error:
            return [*results, *[error] * (len(filings) - len(results))]
        except Exception as error:  # noqa: BLE001  the same
            results.append(error)
    return results


@retried
async def _file(
    context: ServiceContext, filings: Sequence[Filing], *, now: dt.datetime
) -> list[Receipts | Exception]:
    purpose = filings[0].purpose
    if purpose == "draft" or (purpose == "submit" and context.review == "required"):
        async with context.database.transaction() as connection:
            ids = [filing.record for filing in filings]
            await records.lock_records(connection, ids)
            await drafts.lock_many(connection, ids)
            around = (await _read(connection, context, filings, now=now)).around
            return [
                await upsert_draft(connection, context, around, filing, now=now)
                for filing in filings
            ]
    if all(len(filing.steps) == 1 for filing in filings):
        async with context.database.publishing() as connection:
            group, ready = await asyncio.gather(
                _read(connection, context, filings, now=now), _seal_all(context, filings)
            )
            results = await group.publish(ready)
        if results is not None:
            return results
    # More than one statement is needed, or somebody else was faster.
    for _ in range(_TRIES):
        async with context.database.publishing() as connection, transaction(connection):
            await log.lock_state(connection)
            group = await _read(connection, context, filings, now=now)
            results = await group.publish(filings)
        if results is not None:
            return results
    raise Unavailable("too many change the same thing at once; try again in a moment")


async def _seal_all(context: ServiceContext, filings: Sequence[Filing]) -> list[Filing]:
    """Make versions ready for the ledger while the database is looking for what they stand on."""
    made = []
    for filing in filings:
        await asyncio.sleep(0)
        [step] = filing.steps
        if isinstance(step, NewVersion) and step.ready is None:
            ready = seal_document(step.document, filing.agency, context.random)
            step = msgspec.structs.replace(step, ready=ready)
        made.append(msgspec.structs.replace(filing, steps=[step]))
    return made


async def _read(
    connection: Connection, context: ServiceContext, filings: Sequence[Filing], *, now: dt.datetime
) -> _Batch:
    steps = [one for filing in filings for one in filing.steps]
    around = await read_register_context(
        connection, [one.document for one in steps if isinstance(one, NewVersion)]
    )
    answered = [
        filing.record
        for filing in filings
        if await idempotency.find_response(connection, filing.actor, filing.key, filing.request)
        is not None
    ]
    return _Batch(context=context, connection=connection, around=around, answered=answered, now=now)


class _Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A filing that nothing speaks against: the steps to take, and the receipts of those taken."""

    filing: Filing
    before: CurrentDocument | None
    steps: Sequence[Change]
    receipts: list[Receipt]


class _Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of a group's records, and what is done with them.

    `answered` are those whose request was answered since it was looked at.
    """

    context: ServiceContext
    connection: Any
    around: RegisterContext
    answered: Sequence[str]
    now: dt.datetime

    async def publish(self, filings: Sequence[Filing]) -> list[Receipts | Exception] | None:
        """Publish what may be: each record's first step together, then the second ones.

        Gives None if what was read is not so any more; then nothing is written.
        """
        plans = [self._plan(filing) for filing in filings]
        good = [plan for plan in plans if isinstance(plan, _Plan)]
        if any(plan.steps or plan.filing.key or self._drafts_of(plan) for plan in good):
            if not await self._take_first(good):
                return None
            for depth in range(1, max(len(plan.steps) for plan in good)):
                await self._take(good, depth)
        for plan in good:
            if plan.before is not None and not plan.receipts:
                plan.receipts.append(unchanged_receipt(plan.filing.record, plan.before))
        return [plan.receipts if isinstance(plan, _Plan) else plan for plan in plans]

    def _plan(self, filing: Filing) -> _Plan | Exception:
        """Examine a filing beside those planned before it; give why not where it cannot be."""
        record = filing.record
        before = self.around.standings.get(record)
        if record in self.answered or (
            filing.draft is not None and self.around.drafts.get(record) != filing.draft
        ):
            return StaleDraft()
        try:
            if filing.draft is not None:
                require_base(filing.draft, before)
            steps = [
                check_publishable(self.around, filing, step, self.context.pack, now=self.now)
                for step in filing.left(before)
            ]
        except (Conflict, InvalidRecord) as error:
            self.around.put_back(record, before)
            return error
        taken = [step for step in steps if step is not None]
        return _Plan(filing=filing, before=before, steps=taken, receipts=[])

    async def _take_first(self, plans: Sequence[_Plan]) -> bool:
        """Take the first steps, if everything is as it was read, and do what belongs to them."""
        due = [(plan, plan.steps[0]) for plan in plans if plan.steps]
        versions = [(plan, step) for plan, step in due if isinstance(step, NewVersion)]

        def beside(published: Sequence[Published]) -> SideEffects:
            _add_receipts(versions, published)
            untaken = [(plan, None) for plan in plans if not plan.steps and plan.filing.draft]
            return SideEffects(
                drafts=[draft for plan in plans for draft in self._drafts_of(plan)],
                acts=[self._act(plan, step) for plan, step in (*due, *untaken)],
                answers=[answer for plan in plans for answer in self._answers_to(plan)],
            )

        published = await publish_after(
            self.connection,
            self.around.state,
            [_publication(plan, step) for plan, step in versions],
            now=self.now,
            random=self.context.random,
            standing={plan.filing.record: plan.before for plan in plans if plan.before},
            beside=beside,
        )
        if published is None:
            return False
        await self._withdraw_all(due)
        return True

    async def _take(self, plans: Sequence[_Plan], depth: int) -> None:
        """Take the steps after the first, while nobody else can publish anything."""
        due = [(plan, plan.steps[depth]) for plan in plans if depth < len(plan.steps)]
        versions = [(plan, step) for plan, step in due if isinstance(step, NewVersion)]
        published = await publish(
            self.connection,
            [_publication(plan, step) for plan, step in versions],
            now=self.now,
            random=self.context.random,
        )
        _add_receipts(versions, published)
        await self._withdraw_all(due)
        await audit.note_all(self.connection, [self._act(plan, step) for plan, step in due])

    async def _withdraw_all(self, due: Sequence[tuple[_Plan, Change]]) -> None:
        for plan, step in due:
            if isinstance(step, Withdrawal):
                await self._withdraw(plan, step)

    def _drafts_of(self, plan: _Plan) -> list[Draft]:
        """Give the draft that is published, or published over, if there is one."""
        draft = self.around.drafts.get(plan.filing.record)
        return [] if draft is None or plan.filing.purpose == "load" else [draft]

    def _answers_to(self, plan: _Plan) -> list[StoredResponse]:
        filing = plan.filing
        receipt = plan.receipts[0] if plan.receipts else None
        if receipt is None and plan.before is not None:
            receipt = unchanged_receipt(filing.record, plan.before)
        return idempotency.build_response(
            self.context,
            filing.actor,
            filing.key,
            filing.request,
            msgspec.json.encode(receipt),
            now=self.now,
        )

    async def _withdraw(self, plan: _Plan, step: Withdrawal) -> None:
        record = plan.filing.record
        latest = await records.read_latest(self.connection, [record])
        plan.receipts.append(
            await append_withdrawal(
                self.connection,
                self.context,
                plan.filing.actor,
                record,
                step.statement,
                latest=latest[record],
                now=self.now,
            )
        )

    def _act(self, plan: _Plan, step: Change | None) -> Act:
        filing, before = plan.filing, None if plan.before is None else str(plan.before.version)
        action: Action = "publish"
        if isinstance(step, Withdrawal):
            action = "withdraw"
        elif filing.purpose in {"submit", "approve"}:
            action = "approve" if filing.submitter else "submit"
        return audit.done(
            filing.actor,
            action,
            filing.record,
            before=before if filing.draft is None else filing.draft.tag,
            now=self.now,
        )


def _publication(plan: _Plan, step: NewVersion) -> Publication:
    filing = plan.filing
    return Publication(
        document=step.document,
        agency=filing.agency,
        actor=filing.submitter or filing.actor.name,
        verdict=step.verdict,
        approved_by=filing.actor.name if filing.submitter else None,
        ready=step.ready,
    )


def _add_receipts(
    versions: Sequence[tuple[_Plan, NewVersion]], published: Sequence[Published]
) -> None:
    for (plan, _), one in zip(versions, published, strict=True):
        plan.receipts.append(Receipt(outcome="published", **msgspec.structs.asdict(one)))
