"""Previews: the version that a draft would be, for those who may read it or were given a link."""

import asyncio
import datetime as dt

import msgspec
import pytest

from registry.errors import Conflict, Forbidden, InvalidParameter, NotFound
from registry.services.filing import previews
from registry.services.filing.drafts import Precondition
from registry.services.people.members import actor_of
from registry.store import members

from .conftest import NOW, actor


async def preview(filer, record, by=None):
    return await previews.read_preview(filer.context, by or filer.health, record["id"], now=NOW)


async def test_the_preview_of_a_draft_is_the_version_that_it_would_be(filer, record):
    await filer.save(record)
    made = await preview(filer, record)
    register = made.record.register
    assert msgspec.json.decode(made.record.document) == record
    assert (register.version, register.entry, register.hash) == (1, -1, "")
    assert (made.errors, register.fictitious) == (0, True)
    await filer.submit(record)
    published = (await filer.stored(record)).register
    assert (register.completeness, register.missing) == (
        published.completeness,
        published.missing,
    )
    assert msgspec.json.decode(register.findings) == msgspec.json.decode(published.findings)


async def test_an_incomplete_draft_has_a_preview_and_counts_what_keeps_it_back(filer, record):
    draft = {"id": record["id"], "schema_version": "1.0"}
    saved = await filer.save(draft)
    made = await preview(filer, record)
    assert made.errors == saved.verdict.findings_total > 0
    assert made.tag == saved.draft.tag


async def test_an_amendment_previews_its_next_version_with_the_records_that_it_names(
    filer, publish, record
):
    other = record | {"id": "demo-sante/other", "source_id": "other", "name": {"fr": "Autre"}}
    await publish(record)
    await publish(other)
    amended = record | {"related_records": [{"relation": "part_of", "record": other["id"]}]}
    await filer.save(amended, Precondition(tag=await filer.tag(record)))
    made = await preview(filer, record)
    assert made.record.register.version == 2
    assert [one.id for one in made.related] == [other["id"]]


async def test_a_preview_is_for_those_who_may_read_the_draft(reviewed, record):
    await reviewed.save(record)
    stranger = actor("demo-education", "demo-education", "file", "review")
    for by in (stranger, reviewed.authority):
        with pytest.raises(NotFound, match="there is no draft"):
            await preview(reviewed, record, by)
    await reviewed.submit(record)
    assert (await preview(reviewed, record, reviewed.authority)).record.id == record["id"]
    with pytest.raises(NotFound, match="there is no draft"):
        await preview(reviewed, record, stranger)


DAY = dt.timedelta(days=1)


@pytest.fixture
def member(context):
    """Make a member and return her actor."""

    async def make(agency="demo-sante", *roles, **facts):
        known = {"email": None, "language": "fr", "invited_at": NOW, "name": "Amina"} | facts
        async with context.database.connection() as connection:
            number = await members.insert(
                connection, agency=agency, roles=list(roles or ("editor",)), **known
            )
            return actor_of(await members.read(connection, number))

    return make


async def link(filer, record, by, days=7, now=NOW):
    return await previews.make_link(filer.context, by, record["id"], days=days, now=now)


async def links(filer, record, by, now=NOW):
    return await previews.list_links(filer.context, by, record["id"], now=now)


async def opens(filer, made, now=NOW):
    """Return whether a link shows something; what it says where it does not is always the same."""
    [opened] = await asyncio.gather(
        previews.open_link(filer.context, made.secret, now=now), return_exceptions=True
    )
    gone = "there is no preview at this address, or there is none any more"
    assert isinstance(opened, previews.OpenedPreview) or opened.detail == gone
    return isinstance(opened, previews.OpenedPreview)


async def test_a_link_shows_the_draft_as_it_stands_until_it_expires(filer, member, record):
    amina = await member()
    saved = await filer.save(record)
    made = await link(filer, record, amina, days=2)
    assert len(made.secret) == 43
    assert await opens(filer, made, NOW + 2 * DAY - dt.timedelta(seconds=1))
    assert not await opens(filer, made, NOW + 2 * DAY)
    amended = record | {"website": "https://demo.example/autre"}
    await filer.save(amended, Precondition(tag=saved.draft.tag))
    shown = (await previews.open_link(filer.context, made.secret, now=NOW)).preview
    assert msgspec.json.decode(shown.record.document) == amended
    [listed] = await links(filer, record, amina)
    assert (listed.id, listed.made_by, listed.expires_at) == (made.id, "Amina", NOW + 2 * DAY)
    assert made.secret not in repr(listed)
    assert await links(filer, record, amina, NOW + 2 * DAY) == []


async def test_nothing_but_the_hash_of_a_link_is_kept(filer, member, record):
    await filer.save(record)
    made = await link(filer, record, await member())
    async with filer.context.database.connection() as connection:
        row = await connection.fetchrow("select * from preview_link")
    assert made.secret not in repr(dict(row))


async def test_an_ended_link_shows_nothing_and_the_others_go_on(filer, member, record):
    amina = await member()
    await filer.save(record)
    first, second = [await link(filer, record, amina) for _ in range(2)]
    for _ in range(2):
        await previews.end_link(filer.context, amina, record["id"], first.id, now=NOW)
    assert [await opens(filer, one) for one in (first, second)] == [False, True]
    assert [one.id for one in await links(filer, record, amina)] == [second.id]
    acts = [act for act in await filer.acts() if "preview" in act[1]]
    assert [act[1:3] for act in acts] == [
        ("make_preview_link", record["id"]),
        ("make_preview_link", record["id"]),
        ("end_preview_link", record["id"]),
    ]


@pytest.mark.parametrize("end", ["deleted", "published"])
async def test_a_link_goes_with_its_draft_and_does_not_come_back(filer, member, record, end):
    await filer.save(record)
    made = await link(filer, record, await member())
    await (filer.delete(record) if end == "deleted" else filer.submit(record))
    assert not await opens(filer, made)
    if end == "deleted":
        await filer.save(record)
        assert not await opens(filer, made)


async def test_the_links_of_a_member_end_with_her(filer, member, record):
    amina = await member()
    await filer.save(record)
    made = await link(filer, record, amina)
    async with filer.context.database.connection() as connection:
        await members.end(connection, amina.member, NOW)
    assert not await opens(filer, made)
    assert await links(filer, record, await member()) == []


async def test_links_are_made_seen_and_ended_by_those_who_file_for_the_agency(
    reviewed, member, record
):
    amina = await member()
    await reviewed.save(record)
    await reviewed.submit(record)
    made = await link(reviewed, record, amina)
    absent = record | {"id": "demo-sante/absent"}
    for stranger in (
        await member("demo-education", "editor"),
        await member("demo-sante", "reviewer"),
        await member(None, "reviewer"),
        reviewed.authority,
    ):
        for document in (record, absent):
            for act in (
                link(reviewed, document, stranger),
                links(reviewed, document, stranger),
                previews.end_link(reviewed.context, stranger, document["id"], made.id, now=NOW),
            ):
                with pytest.raises(NotFound, match=f"there is no draft {document['id']} that"):
                    await act
    with pytest.raises(Forbidden, match="not by a token"):
        await link(reviewed, record, reviewed.health)
    assert await opens(reviewed, made)


async def test_a_link_of_another_draft_is_not_ended(filer, member, record):
    amina = await member()
    other = record | {"id": "demo-sante/other", "source_id": "other"}
    await filer.save(record)
    await filer.save(other)
    made = await link(filer, record, amina)
    await previews.end_link(filer.context, amina, other["id"], made.id, now=NOW)
    assert await opens(filer, made)


async def test_links_are_bounded_in_days_and_number(filer, member, record):
    amina = await member()
    await filer.save(record)
    for days in (0, 8):
        with pytest.raises(InvalidParameter, match="1 to 7 days"):
            await link(filer, record, amina, days=days)
    for _ in range(previews.MOST_LINKS):
        await link(filer, record, amina, days=1)
    with pytest.raises(Conflict, match="20 links already"):
        await link(filer, record, amina)
    await link(filer, record, amina, now=NOW + DAY)
    await previews.delete_expired(filer.context.database, now=NOW + DAY)
    assert len(await links(filer, record, amina, NOW + DAY)) == 1
