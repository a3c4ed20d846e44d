"""Notices: who is told what, once, and what is read."""

import datetime as dt

import pytest

from registry.errors import NotFound
from registry.services.people import notices
from registry.services.people.members import actor_of
from registry.store import members
from tests.conftest import amended

from .conftest import NOW, Precondition

DAY = dt.timedelta(days=1)


@pytest.fixture
def member(context):
    """Make a member and return her actor."""

    async def make(agency="demo-sante", *roles, email=None):
        async with context.database.connection() as connection:
            number = await members.insert(
                connection,
                agency=agency,
                roles=list(roles or ("editor",)),
                email=email,
                language="fr",
                invited_at=NOW,
                name="Amina",
            )
            return actor_of(await members.read(connection, number))

    return make


async def told(filer, actor):
    return [
        (one.kind, one.subject, one.about)
        for one in await notices.list_notices(filer.context, actor)
    ]


async def test_a_submission_is_told_to_those_who_may_review_it(reviewed, member, record):
    editor = await member("demo-sante", "editor", "reviewer")
    colleague = await member("demo-sante", "reviewer")
    authority = await member(None, "reviewer")
    strangers = [
        await member("demo-education", "reviewer"),
        await member("demo-sante", "editor"),
        await member(None, "register_admin"),
    ]
    await reviewed.save(record)
    await reviewed.submit(record, by=editor)
    await reviewed.submit(record, by=editor)
    waits = [("review_waits", record["id"], NOW.isoformat())]
    assert [await told(reviewed, one) for one in (colleague, authority)] == [waits, waits]
    assert [await told(reviewed, one) for one in (editor, *strangers)] == [[]] * 4


async def test_what_becomes_of_a_submission_is_told_to_the_editors(reviewed, member, record):
    editor, other = await member(), await member("demo-education")
    both = await member("demo-sante", "editor", "reviewer")
    await reviewed.save(record)
    await reviewed.submit(record, by=editor)
    await reviewed.give_back(record, by=both)
    await reviewed.submit(record, by=editor, now=NOW + DAY)
    await reviewed.approve(record, by=both, now=NOW + DAY)
    assert await told(reviewed, editor) == [
        ("published", record["id"], "1"),
        ("returned", record["id"], NOW.isoformat()),
    ]
    assert [kind for kind, *_ in await told(reviewed, both)] == ["review_waits", "review_waits"]
    assert await told(reviewed, other) == []


async def test_what_is_published_without_review_and_what_is_refused_is_told_to_nobody(
    filer, reviewed, member, record
):
    editor, reviewer = await member(), await member(None, "reviewer")
    await filer.publish(record)
    del record["purpose"]
    other = record | {"id": "demo-sante/other", "source_id": "other"}
    await reviewed.save(other)
    with pytest.raises(Exception, match="cannot be published"):
        await reviewed.submit(other)
    assert [await told(reviewed, one) for one in (editor, reviewer)] == [[], []]


async def test_a_review_that_is_due_within_thirty_days_is_told_once_for_each_day(
    filer, member, record
):
    editor = await member()
    strangers = [await member("demo-education"), await member("demo-sante", "reviewer")]
    record["lifecycle"]["next_review_on"] = "2026-12-25"
    await filer.publish(record)
    database = filer.context.database
    await notices.tell_due_reviews(database, now=NOW)
    assert await told(filer, editor) == []
    for day in (1, 2):
        await notices.tell_due_reviews(database, now=NOW + day * DAY)
    assert await told(filer, editor) == [("review_due", record["id"], "2026-12-25")]
    changed = amended(record, lifecycle=record["lifecycle"] | {"next_review_on": "2026-12-20"})
    await filer.publish(changed, Precondition(tag=await filer.tag(record)))
    await notices.tell_due_reviews(database, now=NOW + 2 * DAY)
    assert [about for _, _, about in await told(filer, editor)] == ["2026-12-20", "2026-12-25"]
    assert [await told(filer, one) for one in strangers] == [[], []]


async def test_nobody_is_told_of_the_review_of_what_was_withdrawn(filer, member, record):
    editor = await member()
    record["lifecycle"]["next_review_on"] = "2026-12-01"
    await filer.publish(record)
    await filer.withdraw(record, await filer.tag(record))
    await notices.tell_due_reviews(filer.context.database, now=NOW)
    assert await told(filer, editor) == []


async def test_notices_are_read_by_their_member_alone(reviewed, member, record):
    one, two = [await member(None, "reviewer") for _ in range(2)]
    other = record | {"id": "demo-sante/other", "source_id": "other"}
    for document in (record, other):
        await reviewed.save(document)
        await reviewed.submit(document)
    context = reviewed.context
    assert await notices.count_unread(context, one) == 2
    await notices.mark_read(context, one, now=NOW, subject=other["id"])
    assert [await notices.count_unread(context, actor) for actor in (one, two)] == [1, 2]
    first = min(notice.id for notice in await notices.list_notices(context, two))
    await notices.mark_read(context, two, now=NOW, until=first)
    assert await notices.count_unread(context, two) == 1
    await notices.mark_read(context, one, now=NOW)
    assert [await notices.count_unread(context, actor) for actor in (one, two)] == [0, 1]
    assert await notices.count_unread(context, reviewed.health) == 0
    with pytest.raises(NotFound, match="this token is of none"):
        await notices.list_notices(context, reviewed.health)


async def test_old_notices_are_forgotten(reviewed, member, record):
    reviewer = await member(None, "reviewer")
    await reviewed.save(record)
    await reviewed.submit(record)
    database = reviewed.context.database
    await notices.delete_expired(database, now=NOW + 400 * DAY)
    assert len(await told(reviewed, reviewer)) == 1
    await notices.delete_expired(database, now=NOW + 401 * DAY)
    assert await told(reviewed, reviewer) == []
