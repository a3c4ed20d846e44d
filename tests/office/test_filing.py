"""From draft to receipt."""

import asyncio
import datetime as dt

import pytest

from registry.errors import (
    Conflict,
    Forbidden,
    InvalidRecord,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
)
from registry.office import filing
from registry.office.access import Actor
from registry.office.filing import Precondition
from registry.record.canonical import canonical
from registry.store import records

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(minutes=5)
NEW = Precondition(new=True)

HEALTH = Actor(name="demo-sante", agency="demo-sante", scopes=frozenset({"file"}), token=1)
SCHOOLS = Actor(name="demo-education", agency="demo-education", scopes=frozenset({"file"}), token=2)


async def save(office, record, precondition=NEW, now=NOW, actor=HEALTH):
    return await filing.save_draft(
        office, actor, record["id"], record, precondition=precondition, now=now
    )


async def submit(office, record, now=NOW, actor=HEALTH):
    return await filing.submit(office, actor, record["id"], precondition=None, now=now)


async def publish(office, record, now=NOW):
    await save(office, record, now=now)
    return await submit(office, record, now=now)


async def stored(office, record, version=None):
    async with office.database.connection() as connection:
        return await records.read(connection, record["id"], version)


async def test_a_draft_is_saved_submitted_and_readable_as_filed(office, record):
    saved = await save(office, record)
    assert saved.created
    receipt = await submit(office, record)
    found = await stored(office, record)
    assert (receipt.outcome, receipt.version, receipt.entry) == ("published", 1, 1)
    assert found.document == canonical(record)
    assert (found.register.hash, found.register.entry) == (receipt.hash, receipt.entry)
    assert found.register.fictitious
    assert found.register.superseded_at is None


async def test_an_incomplete_draft_is_kept_and_refused_at_submission(office, record):
    del record["purpose"]
    saved = await save(office, record)
    with pytest.raises(InvalidRecord) as refused:
        await submit(office, record)
    assert refused.value.findings == saved.verdict.findings
    assert {"/purpose/goal", "/purpose/public_benefit"} <= {
        finding.pointer for finding in refused.value.findings
    }
    assert await stored(office, record) is None
    kept = await filing.read_draft(office, HEALTH, record["id"], now=NOW)
    assert kept.draft.tag == saved.draft.tag


async def test_a_draft_that_is_not_of_the_format_is_not_kept(office, record):
    record["risk"]["level"] = "huge"
    with pytest.raises(InvalidRecord) as refused:
        await save(office, record)
    assert [finding.pointer for finding in refused.value.findings] == ["/risk/level"]
    with pytest.raises(NotFound):
        await filing.read_draft(office, HEALTH, record["id"], now=NOW)


async def test_a_draft_must_be_of_the_record_that_the_address_names(office, record):
    with pytest.raises(InvalidRecord) as refused:
        await filing.save_draft(
            office, HEALTH, "demo-sante/another", record, precondition=NEW, now=NOW
        )
    assert [finding.pointer for finding in refused.value.findings] == ["/id"]


async def test_submitting_again_gives_the_same_receipt(office, record):
    first = await publish(office, record)
    again = await submit(office, record, now=LATER)
    assert again.outcome == "unchanged"
    assert (again.version, again.entry, again.hash, again.published_at) == (
        first.version,
        first.entry,
        first.hash,
        first.published_at,
    )


async def test_an_amendment_begins_with_the_published_tag(office, record):
    receipt = await publish(office, record)
    record["publication"] = record["publication"] | {
        "change_note": {"ar": "تصحيح", "fr": "Mise à jour"}
    }
    tag = Precondition(tag=receipt.hash[:16])
    await save(office, record, tag, now=LATER)
    second = await submit(office, record, now=LATER)
    assert (second.version, second.entry) == (2, 2)
    old = await stored(office, record, 1)
    assert old.register.superseded_at == LATER
    assert [line.version for line in old.versions] == [1, 2]


async def test_an_amendment_without_a_change_publishes_nothing(office, record):
    receipt = await publish(office, record)
    await save(office, record, Precondition(tag=receipt.hash[:16]))
    again = await submit(office, record)
    assert (again.outcome, again.version) == ("unchanged", 1)


async def test_a_change_must_say_which_state_it_changes(office, record):
    with pytest.raises(PreconditionRequired):
        await save(office, record, None)
    saved = await save(office, record)
    with pytest.raises(PreconditionFailed):
        await save(office, record)
    with pytest.raises(PreconditionFailed):
        await save(office, record, Precondition(tag="0" * 16))
    record["name"]["fr"] = "Autre nom"
    changed = await save(office, record, Precondition(tag=saved.draft.tag))
    assert changed.draft.tag != saved.draft.tag
    with pytest.raises(PreconditionFailed):
        await save(office, record, Precondition(tag=saved.draft.tag))


async def test_saving_the_same_draft_again_keeps_its_tag(office, record):
    saved = await save(office, record)
    again = await save(office, record, Precondition(tag=saved.draft.tag))
    assert again.draft.tag == saved.draft.tag
    assert not again.created


async def test_a_published_id_cannot_be_begun_anew(office, record):
    await publish(office, record)
    with pytest.raises(PreconditionFailed):
        await save(office, record)


async def test_a_draft_of_a_version_that_was_overtaken_is_not_published(office, record):
    receipt = await publish(office, record)
    amended = record | {"website": "https://demo.example/autre"}
    await save(office, amended, Precondition(tag=receipt.hash[:16]))
    async with office.database.transaction() as connection:
        await filing.publish_local(
            connection,
            office,
            record | {"website": "https://demo.example/entre-temps"},
            agency=office.pack.agencies["demo-sante"],
            actor="demo-sante",
            now=NOW,
        )
    with pytest.raises(Conflict):
        await submit(office, amended)


async def test_nobody_files_for_another_agency(office, record):
    with pytest.raises(Forbidden):
        await save(office, record, actor=SCHOOLS)
    await save(office, record)
    for act in (
        filing.read_draft(office, SCHOOLS, record["id"], now=NOW),
        filing.delete_draft(office, SCHOOLS, record["id"], precondition=None),
    ):
        with pytest.raises(NotFound):
            await act
    with pytest.raises(Forbidden):
        await submit(office, record, actor=SCHOOLS)
    assert [draft.record for draft in await filing.list_drafts(office, HEALTH)] == [record["id"]]
    assert await filing.list_drafts(office, SCHOOLS) == []


async def test_a_deleted_draft_leaves_the_published_version(office, record):
    receipt = await publish(office, record)
    record["website"] = "https://demo.example/autre"
    saved = await save(office, record, Precondition(tag=receipt.hash[:16]))
    with pytest.raises(PreconditionFailed):
        await filing.delete_draft(
            office, HEALTH, record["id"], precondition=Precondition(tag="0" * 16)
        )
    await filing.delete_draft(
        office, HEALTH, record["id"], precondition=Precondition(tag=saved.draft.tag)
    )
    assert (await stored(office, record)).register.version == 1
    assert await filing.list_drafts(office, HEALTH) == []


async def test_of_drafts_begun_at_once_one_is_kept_and_the_others_learn_of_it(office, record):
    documents = [record | {"source_id": str(number)} for number in range(6)]
    results = await asyncio.gather(
        *(save(office, document) for document in documents), return_exceptions=True
    )
    [kept] = [one for one in results if not isinstance(one, PreconditionFailed)]
    assert sum(isinstance(one, PreconditionFailed) for one in results) == 5
    read = await filing.read_draft(office, HEALTH, record["id"], now=NOW)
    assert (read.draft.tag, read.draft.document) == (kept.draft.tag, kept.draft.document)


async def test_submitting_at_once_publishes_once_and_gives_one_receipt(office, record):
    await save(office, record)
    receipts = await asyncio.gather(*(submit(office, record) for _ in range(6)))
    assert sorted(one.outcome for one in receipts) == ["published", *["unchanged"] * 5]
    assert {(one.version, one.entry, one.hash) for one in receipts} == {(1, 1, receipts[0].hash)}


async def test_filing_and_loading_the_same_record_at_once_stand_in_nobodys_way(office, record):
    async def load(number):
        async with office.database.transaction() as connection:
            return await filing.publish_local(
                connection,
                office,
                record | {"source_id": f"loaded-{number}"},
                agency=office.pack.agencies["demo-sante"],
                actor="demo-sante",
                now=NOW,
            )

    for turn in range(5):
        latest = await stored(office, record)
        base = NEW if latest is None else Precondition(tag=latest.register.hash[:16])
        amended = record | {"source_id": f"filed-{turn}"}
        await save(office, amended, base)
        results = await asyncio.gather(
            load(turn), submit(office, amended), load(turn), return_exceptions=True
        )
        # Whoever came second either amends what it has seen, or is told that it has not.
        assert isinstance(results[1], (filing.Receipt, Conflict))
        assert all(isinstance(one, filing.Receipt) for one in (results[0], results[2]))
        if isinstance(results[1], Conflict):
            await filing.delete_draft(office, HEALTH, record["id"], precondition=None)
