"""Faults of ours: told plainly, noted, and over when their cause is."""

import asyncio
import itertools
import tempfile
from functools import partial
from pathlib import Path

import asyncpg
import msgspec
import pytest
from asyncpg.pool import Pool
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from registry.api import search
from registry.store import database as store

RECORDS = "/api/v1/records"
DRAFT = "/api/v1/filings/demo-sante/prevision-lits"
POOL = 10
READS = [RECORDS, f"{RECORDS}/demo-sante/prevision-lits", "/api/v1/changes", "/health/ready"]
CUT = (
    "select bool_or(pg_terminate_backend(pid, 60000)) from pg_stat_activity"
    " where datname = current_database() and pid <> pg_backend_pid()"
)


@pytest.fixture
def way():
    """A short path by which the application reaches its database, and which can be closed."""
    with tempfile.TemporaryDirectory(prefix="w") as folder:
        yield Path(folder) / "open"


@pytest.fixture
def settings(settings, database_url, way):
    head, folder = database_url.split("?host=")
    way.symlink_to(folder)
    return msgspec.structs.replace(settings, database_url=f"{head}?host={way}")


@pytest.fixture
def close(way, database_url):
    """Close the way and cut who is on it; gives what opens it again."""

    def closed():
        folder = way.readlink()
        way.unlink()
        asyncio.run(execute(database_url, CUT))
        return lambda: way.symlink_to(folder)

    return closed


async def execute(database_url, statement):
    connection = await asyncpg.connect(database_url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_without_its_database_it_says_so_and_comes_back_by_itself(
    client, close, publish, problem, record
):
    await publish(record)
    reopen = await asyncio.to_thread(close)
    for path in READS:
        response = await client.get(path)
        found = problem(response, 503, "unavailable")
        assert "try again" in found["detail"]
        assert response.headers["retry-after"] == "5"
    assert (await client.get("/health/live")).status_code == 200
    reopen()
    assert (await client.get(READS[1])).json()["record"] == record


async def test_cut_connections_are_replaced_without_anybody_noticing(
    client, database_url, publish, record
):
    await publish(record)
    assert (await client.get(RECORDS)).status_code == 200
    await execute(database_url, CUT)
    await asyncio.sleep(0.1)
    assert (await client.get(READS[1])).json()["record"] == record


async def test_a_question_that_is_cut_off_is_told_to_try_again(
    client, database, database_url, problem
):
    waiting_for_a_lock = CUT + " and wait_event_type = 'Lock'"
    async with database.transaction() as connection:
        await connection.execute("lock table search_state in access exclusive mode")
        asked = asyncio.create_task(client.get(RECORDS))
        while not await execute(database_url, waiting_for_a_lock):  # noqa: ASYNC110  not our event
            await asyncio.sleep(0.02)
        async with asyncio.timeout(60):
            problem(await asked, 503, "unavailable")
    assert (await client.get(RECORDS)).status_code == 200


async def test_a_fault_is_told_without_its_story(client, database, problem, lines):
    async with database.connection() as connection:
        await connection.execute("alter table search_state rename to elsewhere")
    with capture_logs(processors=[merge_contextvars]) as faults:
        response = await client.get(f"{RECORDS}?q=cancer")
    found = problem(response, 500, "internal-error")
    assert "search_state" not in response.text
    assert set(found) == {"type", "title", "status", "detail", "request"}
    [fault], [request] = faults, lines
    assert fault.pop("request") == request.request == found["request"]
    assert isinstance(fault.pop("exc_info"), asyncpg.UndefinedTableError)
    assert fault == {"event": "fault", "log_level": "error", "method": "GET", "path": RECORDS}
    assert request.status == 500
    async with database.connection() as connection:
        await connection.execute("alter table elsewhere rename to search_state")
    assert (await client.get(RECORDS)).status_code == 200


WORKED = [
    (f"{RECORDS}/demo-sante/none", 404, "acquire"),
    (f"{RECORDS}?risk=none", 400, "read_query"),
    (f"{RECORDS}?cursor=none", 400, "read_query"),
    (f"{RECORDS}?q=lits", 200, "read_query"),
]


async def test_what_is_asked_is_worked_once(client, monkeypatch, subtests):
    worked = []

    def counted(work):
        def count(*given, **named):
            worked.append(work.__name__)
            return work(*given, **named)

        return count

    monkeypatch.setattr(Pool, "acquire", counted(Pool.acquire))
    monkeypatch.setattr(search, "read_query", counted(search.read_query))
    for path, status, work in WORKED:
        with subtests.test(path=path):
            worked.clear()
            assert (await client.get(path)).status_code == status
            assert worked.count(work) == 1


# --- while something is filed


def break_at(code):
    return (
        "create function broken() returns trigger language plpgsql as"
        f" $$ begin raise exception 'geheim' using errcode = '{code}'; end $$;"
        " create trigger broken before insert on {} for each row execute function broken()"
    )


CODES = ("53100", "25006", "40P01")
TABLES = ("draft", "version", "log_entry", "search_version", "audit")


async def test_a_database_that_cannot_now_leaves_nothing_half_done(
    agency, client, database, problem, record, subtests
):
    async def left():
        async with database.connection() as connection:
            return [
                await connection.fetchval(f"select count(*) from {table}")  # noqa: S608  our own
                for table in ("version", "section", "search_version", "record")
            ]

    for number, (table, code) in enumerate(itertools.product(TABLES, CODES)):
        with subtests.test(table=table, code=code):
            document = record | {"id": f"demo-sante/{number}-x", "source_id": f"x{number}"}
            draft = f"/api/v1/filings/{document['id']}"
            steps = [
                partial(agency.put, draft, json=document, headers={"if-none-match": "*"}),
                partial(agency.post, f"{draft}/submit"),
            ]
            if table != "draft":
                await steps.pop(0)()
            before = await left()
            async with database.connection() as connection:
                await connection.execute(break_at(code).format(table))
            answer = await steps[0]()
            problem(answer, 503, "unavailable")
            assert int(answer.headers["retry-after"]) >= 1
            assert "geheim" not in answer.text
            async with database.connection() as connection:
                await connection.execute("drop function broken cascade")
            assert await left() == before
            for step in steps:
                assert (await step()).status_code == 201
            public = await client.get(f"{RECORDS}/{document['id']}")
            assert public.json()["register"]["version"] == 1


async def test_when_all_connections_are_busy_it_says_so_and_goes_on(
    client, database, database_url, monkeypatch, problem, publish, record
):
    await publish(record)
    async with database.transaction() as connection:
        await connection.execute("lock table version in access exclusive mode")
        stuck = [asyncio.create_task(client.get(READS[1])) for _ in range(POOL)]
        waiting = (
            "select count(*) from pg_stat_activity"
            " where datname = current_database() and wait_event_type = 'Lock'"
        )
        while await execute(database_url, waiting) < POOL:  # noqa: ASYNC110  not our event
            await asyncio.sleep(0.02)
        monkeypatch.setattr(store, "_ACQUIRE_SECONDS", 0.1)
        answer = await client.get("/api/v1/agencies")
        monkeypatch.undo()
        assert "busy" in problem(answer, 503, "unavailable")["detail"]
        assert int(answer.headers["retry-after"]) >= 1
        assert (await client.get("/health/live")).status_code == 200
    assert [(await one).status_code for one in stuck] == [200] * POOL
    assert (await client.get("/api/v1/agencies")).status_code == 200


STRANGE_BYTES = [
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
]  # fmt: skip


async def test_bytes_that_no_client_sends_are_no_fault(raw, subtests):
    for path, query in STRANGE_BYTES:
        with subtests.test(path=path, query=query):
            response = await raw(path, query)
            assert response.status_code in {200, 400, 404}, response.text
            if response.status_code != 200:
                assert response.headers["content-type"] == "application/problem+json"
