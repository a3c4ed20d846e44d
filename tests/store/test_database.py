"""Connections: what is not there now, what is set up wrongly, and what comes back."""

import asyncio
import socket
from urllib.parse import urlsplit

import asyncpg
import pytest

from registry.errors import ConfigurationError, Unavailable
from registry.store.database import connect


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


async def refusal(url):
    with pytest.raises((ConfigurationError, Unavailable)) as refused:
        await connect(url)
    return refused.value


async def test_a_database_that_is_not_there_is_unavailable():
    error = await refusal(f"postgresql://register:geheim@127.0.0.1:{free_port()}/register")
    assert isinstance(error, Unavailable)
    assert "REGISTRY_DATABASE_URL" in error.detail
    assert "geheim" not in error.detail
    assert "127.0.0.1" in error.detail


@pytest.mark.parametrize(
    "url",
    [
        "mysql://register:geheim@127.0.0.1/register",
        "register:geheim@nowhere",
        "postgresql://register:geheim@127.0.0.1:port/register",
        "postgresql://register:geh/eim@127.0.0.1/register",
        "postgresql://register:ge#heim@127.0.0.1/register",
        "postgresql://register@127.0.0.1:port/register?password=geheim",
    ],
)
async def test_an_address_that_is_none_is_refused_without_its_password(url):
    error = await refusal(url)
    assert isinstance(error, ConfigurationError)
    for secret in ("geheim", "geh", "eim"):
        assert secret not in error.detail.replace("register", "")


async def test_a_password_in_the_query_is_not_told_either():
    address = f"127.0.0.1:{free_port()}"
    error = await refusal(f"postgresql://register@{address}/register?password=geheim")
    assert "geheim" not in error.detail
    assert address in error.detail


async def test_a_database_or_login_that_the_server_does_not_know_is_a_wrong_setting(database_url):
    name = urlsplit(database_url).path
    error = await refusal(database_url.replace(name, "/no_such_database", 1))
    assert isinstance(error, ConfigurationError)
    assert "no_such_database" in error.detail
    error = await refusal(database_url.replace("postgres:", "nobody:geheim"))
    assert isinstance(error, ConfigurationError)
    assert "geheim" not in error.detail


async def test_a_transaction_is_all_or_nothing(database):
    async with database.connection() as connection:
        await connection.execute("create table t (x integer)")
    with pytest.raises(ZeroDivisionError):  # noqa: PT012  the block is what ends
        async with database.transaction() as connection:
            await connection.execute("insert into t values (1)")
            raise ZeroDivisionError
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from t") == 0


async def test_a_snapshot_sees_one_state_and_writes_nothing(database):
    async with database.connection() as connection:
        await connection.execute("create table t (x integer)")
    async with database.snapshot() as reading:
        assert await reading.fetchval("select count(*) from t") == 0
        async with database.transaction() as writing:
            await writing.execute("insert into t values (1)")
        assert await reading.fetchval("select count(*) from t") == 0
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with database.snapshot() as reading:
            await reading.execute("insert into t values (2)")


async def cut_all(database_url):
    """End every other connection to this database, as a restart of the server does."""
    other = await asyncpg.connect(database_url)
    await other.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )
    await other.close()


@pytest.mark.parametrize("kind", ["connection", "transaction", "snapshot"])
async def test_a_connection_lost_in_the_middle_is_unavailable_and_the_next_one_works(
    database, database_url, kind
):
    with pytest.raises(Unavailable):  # noqa: PT012  the block is what ends
        async with getattr(database, kind)() as connection:
            waiting = asyncio.create_task(connection.fetchval("select pg_sleep(60)"))
            await asyncio.sleep(0.1)
            await cut_all(database_url)
            await waiting
    async with database.connection() as connection:
        assert await connection.fetchval("select 1") == 1


@pytest.mark.parametrize("kind", ["connection", "transaction", "snapshot"])
async def test_a_connection_lost_between_two_questions_is_unavailable_too(
    database, database_url, kind
):
    with pytest.raises(Unavailable):  # noqa: PT012  the block is what ends
        async with getattr(database, kind)() as connection:
            await cut_all(database_url)
            await asyncio.sleep(0.1)
            await connection.fetchval("select 1")
    async with database.connection() as connection:
        assert await connection.fetchval("select 1") == 1


async def test_an_error_of_the_caller_is_not_taken_for_the_databases(database):
    with pytest.raises(FileNotFoundError):
        async with database.transaction():
            raise FileNotFoundError
