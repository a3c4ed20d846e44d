"""A database that has vanished without a word: nobody waits long, and it is not asked twice."""

import asyncio
import socket

import pytest

from registry.api import app
from registry.errors import Unavailable
from registry.store import database as hosts
from registry.store import database as store
from registry.store.database import connect

PATIENCE = 5.0
ACQUIRE = 5.0
SILENCE = 0.3
SOON = 60
"""Seconds in which the busiest machine gives up several times; unasked to, it waits for ever."""
CLIENTS = 8


@pytest.fixture
def impatient(monkeypatch):
    """Wait as shortly as a busy machine can still do the work in."""
    monkeypatch.setattr(app, "_PATIENCE_SECONDS", PATIENCE)
    monkeypatch.setattr(store, "_ACQUIRE_SECONDS", ACQUIRE)
    monkeypatch.setattr(store, "_SILENCE_SECONDS", SILENCE)


async def test_no_request_waits_longer_than_ten_seconds():
    assert app._PATIENCE_SECONDS + store._ACQUIRE_SECONDS + store._SILENCE_SECONDS <= 10


async def test_whoever_asks_a_silent_database_is_told_soon_and_the_next_one_is_answered(
    impatient, agency_at, wire, is_whole
):
    async with agency_at(wire.url) as agency:
        known, draft = agency.document("known"), agency.document("draft")
        await agency.publish(known)
        await agency.save(draft)
        path = f"records/{known['id']}"
        # Several connections, which are idle when the silence begins.
        await asyncio.gather(*(agency.ask("GET", path) for _ in range(CLIENTS)))
        wire.silence()
        asked = [
            *(agency.ask("GET", path) for _ in range(3)),
            *(agency.ask("GET", "records?q=lits") for _ in range(3)),
            agency.ask("GET", "changes"),
            agency.ask("GET", "statistics"),
            agency.save(agency.document("new")),
            agency.submit(draft),
        ]
        async with asyncio.timeout(SOON):
            answers = await asyncio.gather(*asked)
        assert {answer.status_code for answer in answers} == {503}
        wire.silent = False
        for _ in range(2 * CLIENTS):
            # On a connection of that time it would be told again that nobody answers.
            assert (await agency.ask("GET", path)).status_code == 200
        answer = await agency.submit(draft)
        assert answer.status_code == 201, answer.text
    await is_whole()


async def test_what_was_published_in_silence_is_published_once(
    impatient, agency_at, wire, intruder, waiting, is_whole
):
    async with agency_at(wire.url) as agency:
        document = agency.document("unheard")
        await agency.save(document)
        before = await intruder.fetchval("select count(*) from log_entry")
        blocking = intruder.transaction()
        await blocking.start()
        await intruder.execute("select from log_state for update")
        submitting = asyncio.create_task(agency.submit(document))
        await waiting()
        wire.silence()
        await blocking.rollback()
        assert (await submitting).status_code == 503
        wire.silent = False
        receipt = (await agency.submit(document)).json()
        assert receipt["version"] == 1
        assert await intruder.fetchval("select count(*) from log_entry") == before + 1
    await is_whole()


@pytest.mark.parametrize("kind", ["connection", "transaction", "snapshot"])
async def test_a_statement_that_takes_too_long_is_stopped_and_its_connection_goes_on(
    database_url, intruder, monkeypatch, kind
):
    monkeypatch.setattr(store, "_SILENCE_SECONDS", SOON)
    database = await connect(database_url, size=1, patience=1)
    for _ in range(2):
        with pytest.raises(Unavailable):  # noqa: PT012  the block is what ends
            async with getattr(database, kind)() as connection:
                pid = await connection.fetchval("select pg_backend_pid()")
                await connection.execute("select pg_sleep(60)")
        async with database.connection() as connection:
            assert pid == await connection.fetchval("select pg_backend_pid()")
    asleep = "select count(*) from pg_stat_activity where query ~ 'pg_sleep' and state = 'active'"
    assert await intruder.fetchval(f"{asleep} and pid <> pg_backend_pid()") == 0
    await database.close()


async def test_the_kernel_watches_both_ends(wire, database_url):
    over_tcp = await connect(wire.url, size=1)
    async with over_tcp.connection() as connection:
        line = connection._con._transport.get_extra_info("socket")
        assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        for name, value in hosts._SOCKET.items():
            assert line.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) == value
        # Over the socket of a file they are not in force, and `show` gives 0.
        rows = await connection.fetch(
            "select name, reset_val from pg_settings where name like 'tcp%'"
        )
    assert {row["name"]: row["reset_val"] for row in rows} == {
        "tcp_keepalives_idle": "5",
        "tcp_keepalives_interval": "3",
        "tcp_keepalives_count": "3",
        "tcp_user_timeout": "15000",
    }
    await over_tcp.close()
