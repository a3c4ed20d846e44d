"""Faults of ours: told plainly, noted, and over when their cause is."""

import asyncio

import asyncpg
import pytest

from registry.store import embedded
from registry.store.database import Database

READS = ["/api/v1/records", "/api/v1/records/demo-sante/prevision-lits", "/health/ready"]


@pytest.fixture
def gone(database_url):
    """Make the register's database unreachable, and give it back."""
    away = database_url.split("?")[0].rsplit("/", 1)[1] + "_away"
    name = away.removesuffix("_away")
    admin = database_url.replace(f"/{name}?", f"/{embedded.DATABASE}?")

    async def rename(old, new):
        connection = await asyncpg.connect(admin)
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", old
        )
        for _ in range(100):
            try:
                await connection.execute(f"alter database {old} rename to {new}")
            except asyncpg.ObjectInUseError:
                await asyncio.sleep(0.05)
            else:
                break
        await connection.close()

    return lambda: rename(name, away), lambda: rename(away, name)


async def test_a_database_whose_connections_were_cut_answers_again_at_once(
    client, database_url, publish, record
):
    await publish(record)
    assert (await client.get(READS[0])).status_code == 200
    other = await asyncpg.connect(database_url)
    await other.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )
    await other.close()
    await asyncio.sleep(0.1)
    assert (await client.get(READS[1])).json()["record"] == record


async def test_a_question_that_is_cut_off_is_told_to_try_again(
    client, database, database_url, problem
):
    async with database.transaction() as connection:
        await connection.execute("lock table search_row in access exclusive mode")
        waiting = asyncio.create_task(client.get(READS[0]))
        other = await asyncpg.connect(database_url)
        while not await other.fetchval(
            "select bool_or(pg_terminate_backend(pid)) from pg_stat_activity"
            " where wait_event_type = 'Lock' and datname = current_database()"
        ):
            await asyncio.sleep(0.02)
        await other.close()
        response = await waiting
        problem(response, 503, "unavailable")
        assert response.headers["retry-after"] == "5"
    assert (await client.get(READS[0])).status_code == 200


async def test_a_fault_is_told_without_its_story(client, database, problem, capsys):
    async with database.connection() as connection:
        await connection.execute("alter table search_row rename to elsewhere")
    response = await client.get(READS[0])
    found = problem(response, 500, "internal-error")
    assert "search_row" not in response.text
    assert set(found) == {"type", "title", "status", "detail"}
    assert "search_row" in capsys.readouterr().out
    async with database.connection() as connection:
        await connection.execute("alter table elsewhere rename to search_row")
    assert (await client.get(READS[0])).status_code == 200


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/v1/records", b"q=\xff\xfe"),
        ("/api/v1/records", b"q=%ff%fe"),
        ("/api/v1/records", b"q=%ed%a0%80"),
        ("/api/v1/records", "q=مستشفى".encode()),
        ("/api/v1/records", b"q=%"),
        ("/api/v1/records", b"q=%zz"),
        ("/api/v1/records", b"&&&="),
        ("/api/v1/records", b"q"),
        ("/api/v1/records/a/\ufffd", b""),
        ("/api/v1/records/a/" + "é" * 2000, b""),
        ("/api/v1/agencies/\n", b""),
    ],
)  # fmt: skip
async def test_bytes_that_no_client_sends_are_no_fault(raw, path, query):
    response = await raw(path, query)
    assert response.status_code in {200, 400, 404}, response.text
    if response.status_code != 200:
        assert response.headers["content-type"] == "application/problem+json"
