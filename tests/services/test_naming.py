"""The log says what agencies are called: once they have filed, and whenever that changes."""

import msgspec
import pytest

from registry.ledger.verify_database import check_all
from registry.services.operations import startup
from registry.services.people.agencies import name_agencies, save_agencies
from registry.store import agencies, log
from tests.conftest import NOW


@pytest.fixture
def database(logged):
    return logged


async def entries(database):
    """What the log says of agencies, entry by entry."""
    async with database.connection() as connection:
        found = await log.read_entries(
            connection, since=-1, until=10**9, limit=1000, kinds=["agency"]
        )
    return [(one.index, msgspec.json.decode(one.content)) for one in found]


def renamed(pack, code, name):
    """The pack, in which an agency has another French name."""
    agency = pack.agencies[code]
    other = msgspec.structs.replace(agency, name=agency.name | {"fr": name})
    return msgspec.structs.replace(pack, agencies=pack.agencies | {code: other})


async def verify(database, pack):
    async with database.snapshot() as connection:
        return await check_all(connection, {}, lambda *_: None)


async def test_an_agency_is_named_once_it_has_filed(database, context, pack, publish, record):
    assert await name_agencies(context, now=NOW) == 0
    await publish(record)
    await verify(database, pack)
    assert [await name_agencies(context, now=NOW) for _ in range(2)] == [1, 0]
    [(index, said)] = await entries(database)
    assert (index, said["agency"], said["prev"]) == (2, "demo-sante", None)
    assert said["name"] == pack.agencies["demo-sante"].name
    assert said["fictitious"] is True
    await verify(database, pack)


async def test_a_start_with_another_name_appends_it_once(
    database, context, settings, pack, publish, record
):
    await publish(record)
    await name_agencies(context, now=NOW)
    other = renamed(pack, "demo-sante", "Agence des hôpitaux")
    for _ in range(2):
        await startup.open_register(database, other, settings, now=NOW)
    (first, _), (second, said) = await entries(database)
    async with database.connection() as connection:
        leaf = (await log.read_entries(connection, since=first - 1, until=first, limit=1))[0].leaf
    assert said["name"]["fr"] == "Agence des hôpitaux"
    assert said["prev"] == {"index": first, "leaf": leaf.hex()}
    assert second == first + 2, "the configuration comes before"
    await verify(database, other)


async def test_one_that_has_filed_nothing_changes_without_an_entry(
    database, settings, pack, context
):
    other = renamed(pack, "demo-sante", "Agence des hôpitaux")
    await startup.open_register(database, other, settings, now=NOW)
    assert await entries(database) == []
    async with database.connection() as connection:
        [one] = (await agencies.read_named(connection, ["demo-sante"])).values()
    assert one.name["fr"] == "Agence des hôpitaux"


async def test_a_start_mends_a_forged_name_without_an_entry(
    database, context, settings, pack, publish, record
):
    await publish(record)
    await name_agencies(context, now=NOW)
    async with database.connection() as connection:
        await connection.execute("update agency set document = replace(document, 'Santé', 'Paix')")
    await startup.open_register(database, pack, settings, now=NOW)
    assert len(await entries(database)) == 1
    await verify(database, pack)


async def test_where_nothing_may_be_appended_the_name_stays(
    database, context, settings, pack, publish, record
):
    await publish(record)
    await name_agencies(context, now=NOW)
    async with database.connection() as connection:
        await log.stop(connection, "it lacks what was signed")
    other = renamed(pack, "demo-sante", "Agence des hôpitaux")
    await startup.open_register(database, other, settings, now=NOW)
    assert len(await entries(database)) == 1
    async with database.connection() as connection:
        [one] = (await agencies.read_named(connection, ["demo-sante"])).values()
    assert one == pack.agencies["demo-sante"]


async def test_two_at_once_append_one_entry(database, context, pack, publish, record):
    await publish(record)
    await name_agencies(context, now=NOW)
    other = renamed(pack, "demo-sante", "Agence des hôpitaux").agencies["demo-sante"]
    given = {"guard": context.guard, "actor": "ma", "now": NOW}
    async with context.transaction() as connection:
        await save_agencies(connection, [other], **given)
        await save_agencies(connection, [other], **given)
    assert len(await entries(database)) == 2
