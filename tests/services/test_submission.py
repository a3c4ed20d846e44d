"""From a draft to a receipt, without review."""

import asyncio
import datetime as dt

import pytest

from registry.errors import (
    Conflict,
    Forbidden,
    IdempotencyKeyReused,
    InvalidRecord,
    NotFound,
    PreconditionFailed,
)
from registry.record.canonical import canonical
from registry.services.filing.drafts import Precondition
from registry.services.filing.receipts import Receipt
from tests.conftest import amended
from tests.published import publish_alone

NEW = Precondition(new=True)
NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(minutes=5)


def beginning_with(receipt):
    return Precondition(tag=receipt.hash[:16])


@pytest.fixture
def load(context):
    """Publish beside the services, as the operator does."""

    async def published(document):
        return await publish_alone(context, document, now=NOW)

    return published


async def test_a_draft_is_saved_submitted_and_readable_as_filed(filer, record):
    await filer.save(record)
    receipt = await filer.submit(record)
    found = await filer.stored(record)
    assert (receipt.outcome, receipt.version, receipt.entry) == ("published", 1, 1)
    assert found.document == canonical(record)
    assert (found.register.hash, found.register.entry) == (receipt.hash, receipt.entry)
    assert found.register.fictitious
    assert found.register.superseded_at is None
    assert await filer.drafts() == []
    assert (await filer.acts())[1:] == [
        ("demo-sante", "submit", record["id"], (await filer.acts())[1][3], "done")
    ]


async def test_an_incomplete_draft_is_refused_with_every_finding(filer, record):
    del record["purpose"]
    saved = await filer.save(record)
    with pytest.raises(InvalidRecord) as refused:
        await filer.submit(record)
    assert refused.value.findings == saved.verdict.findings
    assert await filer.stored(record) is None
    assert (await filer.read(record)).draft == saved.draft
    assert [act[1] for act in await filer.acts()] == ["save_draft"]


async def test_submitting_again_gives_the_same_receipt(filer, record):
    first = await filer.publish(record)
    again = await filer.submit(record, now=LATER)
    assert again.outcome == "unchanged"
    assert (again.version, again.entry, again.hash, again.published_at) == (
        first.version,
        first.entry,
        first.hash,
        first.published_at,
    )


async def test_an_amendment_begins_with_the_published_tag(filer, record):
    receipt = await filer.publish(record)
    record["publication"] = record["publication"] | {
        "change_note": {"ar": "تصحيح عنوان الاتصال", "fr": "Mise à jour du contact"}
    }
    second = await filer.publish(record, beginning_with(receipt), now=LATER)
    assert (second.version, second.entry) == (2, 2)
    old = await filer.stored(record, 1)
    assert old.register.superseded_at == LATER
    assert await filer.versions(record) == [1, 2]


async def test_an_amendment_without_a_change_publishes_nothing(filer, record):
    receipt = await filer.publish(record)
    again = await filer.publish(record, beginning_with(receipt))
    assert (again.outcome, again.version) == ("unchanged", 1)
    assert await filer.drafts() == []


async def test_a_draft_of_a_version_that_was_overtaken_is_not_published(filer, load, record):
    receipt = await filer.publish(record)
    changed = amended(record, website="https://demo.example/autre")
    await filer.save(changed, beginning_with(receipt))
    await load(amended(record, website="https://demo.example/entre-temps"))
    with pytest.raises(Conflict, match="another version was published"):
        await filer.submit(changed)


async def test_nobody_submits_for_another_agency_and_nobody_learns_of_a_draft(filer, record):
    await filer.save(record)
    for document in (record, record | {"id": "demo-sante/absent"}):
        with pytest.raises(Forbidden, match="it cannot file for demo-sante"):
            await filer.submit(document, by=filer.schools)
    with pytest.raises(NotFound):
        await filer.submit(record | {"id": "demo-sante/absent"})


async def test_submission_can_name_the_draft_it_means(filer, record):
    saved = await filer.save(record)
    with pytest.raises(PreconditionFailed):
        await filer.submit(record, "0" * 16)
    assert (await filer.submit(record, saved.draft.tag)).outcome == "published"


async def test_fifty_submissions_at_once_publish_once_and_give_one_receipt(filer, record):
    await filer.save(record)
    receipts = await asyncio.gather(*(filer.submit(record) for _ in range(50)))
    assert sorted(one.outcome for one in receipts) == ["published", *["unchanged"] * 49]
    assert {(one.version, one.entry, one.hash) for one in receipts} == {(1, 1, receipts[0].hash)}
    assert [act[1] for act in await filer.acts()] == ["save_draft", "submit"]


async def test_fifty_submissions_with_one_key_give_the_very_same_receipt(filer, with_token, record):
    await filer.save(record)
    receipts = await asyncio.gather(
        *(filer.submit(record, by=with_token, idempotency_key="k") for _ in range(50))
    )
    assert {(one.outcome, one.version, one.hash) for one in receipts} == {
        ("published", 1, receipts[0].hash)
    }


async def test_a_key_repeats_its_receipt_even_when_the_record_has_moved_on(
    filer, with_token, record
):
    await filer.save(record)
    first = await filer.submit(record, by=with_token, idempotency_key="k")
    await filer.publish(amended(record, source_id="x"), beginning_with(first))
    assert await filer.submit(record, by=with_token, idempotency_key="k") == first
    with pytest.raises(IdempotencyKeyReused):
        await filer.submit(record | {"id": "demo-sante/other"}, by=with_token, idempotency_key="k")


async def test_a_refusal_does_not_use_up_a_key(filer, with_token, record):
    goal = record["purpose"].pop("goal")
    saved = await filer.save(record)
    with pytest.raises(InvalidRecord):
        await filer.submit(record, by=with_token, idempotency_key="k")
    record["purpose"]["goal"] = goal
    await filer.save(record, Precondition(tag=saved.draft.tag))
    receipt = await filer.submit(record, by=with_token, idempotency_key="k")
    assert receipt.outcome == "published"


async def test_filing_and_loading_the_same_record_at_once_stand_in_nobodys_way(filer, load, record):
    for turn in range(5):
        latest = await filer.stored(record)
        base = NEW if latest is None else Precondition(tag=latest.register.hash[:16])
        changed = amended(record, source_id=f"filed-{turn}")
        await filer.save(changed, base)
        loaded = amended(record, source_id=f"loaded-{turn}")
        results = await asyncio.gather(
            load(loaded), filer.submit(changed), load(loaded), return_exceptions=True
        )
        # Whoever came second either amends what it has seen, or is told that it has not.
        assert isinstance(results[1], (Receipt, Conflict))
        assert all(isinstance(one, Receipt) for one in (results[0], results[2]))
        if isinstance(results[1], Conflict):
            await filer.delete(record)


async def test_a_receipt_of_what_does_not_apply_says_nothing(filer, record):
    receipt = await filer.publish(record)
    assert receipt.submitted_at is receipt.withdrawn_at is receipt.tag is None
