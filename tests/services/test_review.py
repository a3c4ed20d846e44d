"""Review: what an agency submits waits for somebody else."""

import asyncio
import datetime as dt
import json

import msgspec
import pytest

from registry.errors import (
    Conflict,
    Forbidden,
    InvalidRecord,
    InvalidStatement,
    NotFound,
    PreconditionFailed,
)
from registry.record.canonical import canonical
from registry.services.filing import review
from registry.services.filing.drafts import Precondition
from registry.services.filing.receipts import Receipt
from registry.services.people.access import Actor

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(minutes=5)


def reviewer(name, agency, *scopes):
    return Actor(name=name, agency=agency, scopes=frozenset(scopes or {"review"}), token=1)


async def approval(filer, record):
    """Read who filed and who approved a record's latest version."""
    async with filer.context.database.connection() as connection:
        row = await connection.fetchrow(
            "select actor, approved_by from version where record = $1 order by version desc",
            record["id"],
        )
    return tuple(row)


async def entry_of(filer, receipt):
    async with filer.context.database.connection() as connection:
        content = await connection.fetchval(
            "select bytes from log_entry where index = $1", receipt.entry
        )
    return json.loads(content)


async def test_what_one_actor_publishes_names_no_second_one(filer, record):
    assert "approved_by" not in await entry_of(filer, await filer.publish(record))


async def test_a_submission_waits_and_is_public_once_somebody_else_approves(reviewed, record):
    saved = await reviewed.save(record)
    waiting = await reviewed.submit(record)
    assert (waiting.outcome, waiting.tag, waiting.submitted_at) == (
        "in_review",
        saved.draft.tag,
        NOW,
    )
    assert waiting.version is None
    assert await reviewed.stored(record) is None
    assert await reviewed.submit(record, now=LATER) == waiting
    receipt = await reviewed.approve(record, saved.draft.tag, now=LATER)
    assert (receipt.outcome, receipt.version, receipt.published_at) == ("published", 1, LATER)
    assert (await reviewed.stored(record)).document == canonical(record)
    assert await approval(reviewed, record) == ("demo-sante", "authority")
    # The public log says that two acted, and for whom the second one, never who it was.
    said = await entry_of(reviewed, receipt)
    assert (said["actor"], said["approved_by"]) == ("demo-sante", "authority")
    assert await reviewed.drafts() == []
    assert [act[:2] for act in await reviewed.acts()] == [
        ("demo-sante", "save_draft"),
        ("demo-sante", "submit"),
        ("authority", "approve"),
    ]


async def test_an_incomplete_draft_does_not_reach_the_reviewer(reviewed, record):
    del record["purpose"]
    saved = await reviewed.save(record)
    with pytest.raises(InvalidRecord) as refused:
        await reviewed.submit(record)
    assert refused.value.findings == saved.verdict.findings
    assert await reviewed.drafts(by=reviewed.authority) == []


async def test_an_amendment_that_changes_nothing_bothers_nobody(reviewed, record):
    await reviewed.save(record)
    await reviewed.submit(record)
    receipt = await reviewed.approve(record)
    await reviewed.save(record, Precondition(tag=receipt.hash[:16]))
    assert (await reviewed.submit(record)).outcome == "unchanged"
    assert await reviewed.drafts(by=reviewed.authority) == []


async def test_nobody_approves_what_they_submitted_themselves(reviewed, record):
    await reviewed.save(record)
    await reviewed.submit(record)
    both = reviewer("demo-sante", "demo-sante", "file", "review")
    with pytest.raises(Forbidden, match="four eyes"):
        await reviewed.approve(record, by=both)
    second = reviewer("demo-sante-legal", "demo-sante")
    assert (await reviewed.approve(record, by=second)).outcome == "published"
    assert await approval(reviewed, record) == ("demo-sante", "agency")


async def test_an_agencys_reviewer_reviews_no_other_agency(reviewed, record):
    await reviewed.save(record)
    await reviewed.submit(record)
    for document in (record, record | {"id": "demo-sante/absent"}):
        for act in (
            reviewed.approve(document, by=reviewed.schools),
            reviewed.give_back(document, by=reviewed.schools),
        ):
            with pytest.raises(Forbidden, match="it cannot review for demo-sante"):
                await act
        with pytest.raises(NotFound):
            await reviewed.read(document, by=reviewed.schools)
    assert await reviewed.drafts(by=reviewed.schools) == []
    for act in (
        reviewed.approve(record, by=reviewed.health),
        reviewed.give_back(record, by=reviewed.health),
    ):
        with pytest.raises(Forbidden, match="needs the scope review"):
            await act


async def test_a_reviewer_sees_what_is_in_review_and_nothing_else(reviewed, record):
    other = record | {"id": "demo-sante/other", "source_id": "other"}
    await reviewed.save(record)
    await reviewed.save(other)
    await reviewed.submit(record)
    assert await reviewed.drafts(by=reviewed.authority) == [record["id"]]
    assert await reviewed.drafts(by=reviewed.authority, state="draft") == []
    assert (await reviewed.read(record, by=reviewed.authority)).draft.submitted_by == "demo-sante"
    for document in (other, record | {"id": "demo-sante/absent"}):
        with pytest.raises(NotFound, match=f"there is no draft {document['id']} that"):
            await reviewed.read(document, by=reviewed.authority)
    assert await reviewed.drafts(state="draft") == [other["id"]]
    assert await reviewed.drafts(state="in_review") == [record["id"]]
    assert await reviewed.drafts() == [other["id"], record["id"]]


async def test_a_returned_draft_comes_back_with_the_comment_and_can_be_submitted_again(
    reviewed, record
):
    saved = await reviewed.save(record)
    await reviewed.submit(record)
    returned = await reviewed.give_back(record, now=LATER)
    assert (returned.outcome, returned.tag, returned.returned_at) == (
        "returned",
        saved.draft.tag,
        LATER,
    )
    draft = (await reviewed.read(record)).draft
    assert (draft.state, draft.tag, draft.returned_by) == ("draft", saved.draft.tag, "authority")
    assert msgspec.json.decode(draft.comment) == reviewed.comment["comment"]
    assert await reviewed.drafts(by=reviewed.authority) == []
    record["website"] = "https://demo.example/autre"
    mended = await reviewed.save(record, Precondition(tag=draft.tag))
    assert mended.draft.comment == draft.comment
    assert (await reviewed.submit(record)).outcome == "in_review"
    assert (await reviewed.read(record, by=reviewed.authority)).draft.comment == draft.comment
    assert (await reviewed.approve(record)).version == 1


async def test_returning_again_gives_the_same_receipt(reviewed, record):
    await reviewed.save(record)
    await reviewed.submit(record)
    returned = await reviewed.give_back(record)
    assert await reviewed.give_back(record, now=LATER) == returned
    with pytest.raises(Conflict, match="not in review"):
        await reviewed.give_back(record, {"comment": "Autre chose"})
    assert [act[1] for act in await reviewed.acts()] == ["save_draft", "submit", "return"]


async def test_approving_again_gives_the_same_receipt_to_who_approved(reviewed, record):
    await reviewed.save(record)
    await reviewed.submit(record)
    first = await reviewed.approve(record)
    again = await reviewed.approve(record, now=LATER)
    assert again == msgspec.structs.replace(first, outcome="unchanged")
    with pytest.raises(NotFound):
        await reviewed.approve(record, by=reviewer("somebody", "demo-sante"))
    with pytest.raises(NotFound):
        await reviewed.give_back(record)


NO_COMMENTS = [
    ({}, "/comment"),
    ({"comment": ""}, "/comment"),
    ({"comment": 3}, "/comment"),
    ({"comment": "x" * 2001}, "/comment"),
    ({"comment": "<b>x</b>"}, "/comment"),
    ({"comment": {}}, "/comment"),
    ({"comment": {"fr": "x" * 2001}}, "/comment/fr"),
    ({"comment": {"de": "x"}}, "/comment/de"),
    ({"comment": "x", "reason": "other"}, "/reason"),
]


async def test_a_comment_is_a_text_or_texts_of_the_registers_languages(reviewed, record, subtests):
    await reviewed.save(record)
    await reviewed.submit(record)
    for statement, pointer in NO_COMMENTS:
        with subtests.test(statement=statement):
            with pytest.raises(InvalidStatement) as refused:
                await reviewed.give_back(record, statement)
            assert [finding.pointer for finding in refused.value.findings] == [pointer]
    assert (await reviewed.read(record)).draft.state == "in_review"


async def test_a_comment_may_be_one_plain_text(reviewed, record):
    await reviewed.save(record)
    await reviewed.submit(record)
    await reviewed.give_back(record, {"comment": "Précisez."})
    assert (await reviewed.read(record)).draft.comment == '"Précisez."'


async def test_comments_by_field_stay_with_the_draft_until_it_is_returned_again(reviewed, record):
    by_field = {"/purpose/goal": {"fr": "Pour qui ?"}, "/name": "Trop long."}
    await reviewed.save(record)
    await reviewed.submit(record)
    returned = await reviewed.give_back(record, {"comments": by_field})
    assert await reviewed.give_back(record, {"comments": by_field}) == returned
    draft = (await reviewed.read(record)).draft
    assert (draft.comment, review.comments_of(draft)) == (None, by_field)
    await reviewed.submit(record)
    seen = await reviewed.read(record, by=reviewed.authority)
    assert review.comments_of(seen.draft) == by_field
    await reviewed.give_back(record)
    assert review.comments_of((await reviewed.read(record)).draft) == {}


async def test_who_names_another_draft_approves_and_returns_nothing(reviewed, record):
    await reviewed.save(record)
    await reviewed.submit(record)
    for act in (reviewed.approve(record, "0" * 16), reviewed.give_back(record, tag="0" * 16)):
        with pytest.raises(PreconditionFailed):
            await act
    assert (await reviewed.read(record)).draft.state == "in_review"


async def test_what_is_not_in_review_is_neither_approved_nor_returned(reviewed, record):
    await reviewed.save(record)
    for act in (reviewed.approve(record), reviewed.give_back(record)):
        with pytest.raises(Conflict, match="not in review"):
            await act
    with pytest.raises(NotFound):
        await reviewed.approve(record | {"id": "demo-sante/absent"})


async def test_what_has_become_wrong_meanwhile_is_not_approved(reviewed, publish, record):
    await reviewed.save(record)
    await reviewed.submit(record)
    await publish(record | {"id": "demo-sante/first"})
    with pytest.raises(InvalidRecord) as refused:
        await reviewed.approve(record)
    assert "R21" in {finding.rule for finding in refused.value.findings}


async def test_a_draft_that_was_overtaken_is_not_approved(reviewed, publish, record):
    await reviewed.save(record)
    await reviewed.submit(record)
    await publish(record | {"website": "https://demo.example/entre-temps"})
    with pytest.raises(Conflict, match="another version was published"):
        await reviewed.approve(record)


async def test_of_approval_and_return_at_once_one_wins(reviewed, record):
    for turn in range(4):
        document = record | {"id": f"demo-sante/turn-{turn}", "source_id": str(turn)}
        await reviewed.save(document)
        await reviewed.submit(document)
        results = await asyncio.gather(
            reviewed.approve(document), reviewed.give_back(document), return_exceptions=True
        )
        [won] = [one for one in results if isinstance(one, Receipt)]
        [lost] = [one for one in results if not isinstance(one, Receipt)]
        stored = await reviewed.stored(document)
        if won.outcome == "published":
            assert isinstance(lost, NotFound)
            assert stored.register.version == 1
            assert document["id"] not in await reviewed.drafts()
        else:
            assert isinstance(lost, Conflict)
            assert stored is None
            assert (await reviewed.read(document)).draft.state == "draft"


async def test_many_approvals_at_once_publish_once(reviewed, record):
    await reviewed.save(record)
    await reviewed.submit(record)
    receipts = await asyncio.gather(*(reviewed.approve(record) for _ in range(8)))
    assert sorted(one.outcome for one in receipts) == ["published", *["unchanged"] * 7]
    assert {(one.version, one.hash) for one in receipts} == {(1, receipts[0].hash)}


async def test_a_register_that_gives_up_review_publishes_what_waits_when_it_is_submitted(
    reviewed, filer, record
):
    await reviewed.save(record)
    await reviewed.submit(record)
    assert (await filer.submit(record)).outcome == "published"
