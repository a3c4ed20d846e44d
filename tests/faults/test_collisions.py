"""Transactions that collide are done again, a few times, and the caller never notices."""

import asyncio

import pytest

from registry.store import database as store

EVERYBODY_COLLIDES = """
create sequence tries;
create function collide() returns trigger language plpgsql as $$
begin
    perform nextval('tries');
    raise exception 'one of two' using errcode = '{code}';
end
$$;
create trigger collide before insert on version execute function collide();
"""


async def test_the_victim_of_a_deadlock_begins_anew(agency, intruder, waiting, is_whole):
    document = agency.document("deadlock")
    await agency.save(document)
    blocking = intruder.transaction()
    await blocking.start()
    await intruder.execute("select from log_state for update")
    submitting = asyncio.create_task(agency.submit(document))
    await waiting()
    # It holds the draft now. The other one wants it too, and never gives in.
    await intruder.execute("set deadlock_timeout = '10min'")
    await intruder.execute("select from draft where record = $1 for update", document["id"])
    await blocking.rollback()
    answer = await submitting
    assert answer.status_code == 201, answer.text
    assert answer.json()["version"] == 1
    deadlocks = "select deadlocks from pg_stat_database where datname = current_database()"
    async with asyncio.timeout(120):
        while await intruder.fetchval(deadlocks) == 0:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    await is_whole()


async def test_transactions_that_cannot_be_put_in_order_begin_anew(
    agency_at, database_url, intruder, is_whole
):
    """In a database where every writer fails that waited for another (40001)."""
    name = await intruder.fetchval("select current_database()")
    await intruder.execute(
        f"alter database {name} set default_transaction_isolation = 'repeatable read'"
    )
    async with agency_at(database_url) as agency:
        documents = [agency.document(f"parallel-{number}") for number in range(8)]
        for document in documents:
            await agency.save(document)
        waiting, rounds = documents, 0
        while waiting:
            answers = await asyncio.gather(*(agency.submit(one) for one in waiting))
            assert {answer.status_code for answer in answers} <= {201, 503}
            assert 201 in {answer.status_code for answer in answers}
            # Tries have an end, and whoever was refused may ask again.
            waiting = [one for one, answer in zip(waiting, answers, strict=True) if answer.is_error]
            rounds += 1
        assert rounds < len(documents)
    assert await intruder.fetchval("select count(*) from version") == len(documents)
    await is_whole()


@pytest.mark.parametrize("code", ["40001", "40P01"])
async def test_what_collides_for_ever_is_given_up(agency, intruder, is_whole, code):
    document = agency.document("hopeless")
    await agency.save(document)
    await intruder.execute(EVERYBODY_COLLIDES.format(code=code))
    answer = await agency.submit(document)
    assert answer.status_code == 503
    assert "at once" in answer.json()["detail"]
    assert await intruder.fetchval("select last_value from tries") == store._TRIES
    await intruder.execute("drop trigger collide on version")
    assert (await agency.submit(document)).json()["version"] == 1
    await is_whole()
