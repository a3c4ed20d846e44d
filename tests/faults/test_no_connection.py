"""No connection to be had: not available, and well again as soon as there is one."""

import asyncio

import asyncpg
import pytest

from registry.store import database as store

POOL = 10
WRITERS = POOL - store._FOR_READERS


@pytest.fixture
def impatient(monkeypatch):
    """Wait for a free connection only as long as a busy machine needs to open one."""
    monkeypatch.setattr(store, "_ACQUIRE_SECONDS", 3)


async def test_a_pool_that_is_used_up_recovers_without_a_restart(
    agency, intruder, impatient, is_whole
):
    documents = [agency.document(f"crowd-{number}") for number in range(POOL + 5)]
    blocking = intruder.transaction()
    await blocking.start()
    # Submissions share a statement and wait together; drafts are saved each over its own.
    await intruder.execute("lock table draft in exclusive mode")
    saving = [asyncio.create_task(agency.save(one)) for one in documents]
    done, held = set(), set(saving)
    async with asyncio.timeout(120):
        while len(held) > WRITERS:
            refused, held = await asyncio.wait(held, return_when=asyncio.FIRST_COMPLETED)
            done |= refused
    assert len(held) == WRITERS
    assert {task.result().status_code for task in done} == {503}
    reading = await agency.ask("GET", "records")
    assert reading.status_code == 200
    await blocking.rollback()
    assert {(await task).status_code for task in held} == {201}
    again = [await agency.save(one) for one in documents]
    saved = sorted(answer.status_code for answer in again)
    assert saved == [200] * WRITERS + [201] * (len(documents) - WRITERS)
    receipts = [await agency.submit(one) for one in documents]
    assert {answer.json()["version"] for answer in receipts} == {1}
    await is_whole()


async def test_a_postgresql_that_takes_no_more_connections(
    agency_at, database_url, intruder, is_whole
):
    await intruder.execute("create role limited login connection limit 10")
    await intruder.execute("grant pg_read_all_data, pg_write_all_data to limited")
    try:
        async with agency_at(database_url.replace("postgres:", "limited:")) as agency:
            await agency.publish(agency.document("before"))
            await intruder.execute("alter role limited connection limit 0")
            await cut(intruder)
            document = agency.document("during")
            assert (await agency.save(document)).status_code == 503
            await intruder.execute("alter role limited connection limit 10")
            await agency.publish(document)
    finally:
        await cut(intruder)
        await intruder.execute("drop owned by limited")
        await intruder.execute("drop role limited")
    await is_whole()


async def cut(intruder):
    """End the connections of the role, and wait until they are gone."""
    question = (
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 'limited'"
    )
    async with asyncio.timeout(120):
        while await intruder.fetchval(question):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_a_database_that_is_restarting(agency, database_url, intruder, is_whole):
    """Old connections are cut and new ones refused, as while PostgreSQL restarts."""
    await agency.publish(agency.document("before"))
    name = await intruder.fetchval("select current_database()")
    other = await asyncpg.connect(database_url.replace(f"/{name}", "/postgres"))
    await intruder.close()
    await other.execute(f"alter database {name} allow_connections false")
    await other.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name
    )
    document = agency.document("during")
    answers = [await agency.save(document) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {503}
    assert (await agency.ask("GET", "records")).status_code == 503
    await other.execute(f"alter database {name} allow_connections true")
    await other.close()
    assert (await agency.publish(document))["version"] == 1
    await is_whole()
