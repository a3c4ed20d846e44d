"""Connections: what is not there now, what is set up wrongly, and what comes back."""

import asyncio
import os
from urllib.parse import urlsplit

import asyncpg
import pytest

from registry.errors import ConfigurationError, Unavailable
from registry.store import database as store
from registry.store.database import connect, retried
from tests.crash.register import free_port

CANCELLED = int(os.environ.get("CANCELLED", "250"))
"""Reads that are cancelled at each turn of the loop; `CANCELLED=3000` for more of them."""


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


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("sslmode=verify-full", "root certificate file"),
        ("sslmode=strict", "`sslmode` parameter must be one of: disable,"),
    ],
)
async def test_what_is_wrong_with_tls_is_told_as_that(monkeypatch, tmp_path, query, sentence):
    monkeypatch.setenv("HOME", str(tmp_path))
    error = await refusal(f"postgresql://register:geheim@127.0.0.1:{free_port()}/register?{query}")
    assert isinstance(error, ConfigurationError)
    assert sentence in error.detail
    assert "geheim" not in error.detail


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
    with pytest.raises(Unavailable, match="can only be read"):
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


async def test_a_connection_lost_after_the_work_takes_nothing_back(database, database_url):
    async with database.connection() as connection:
        assert await connection.fetchval("select 1") == 1
        known = asyncio.Event()
        connection.add_termination_listener(lambda _: known.set())
        await cut_all(database_url)
        await asyncio.wait_for(known.wait(), 60)
    async with database.connection() as connection:
        assert await connection.fetchval("select 2") == 2


def fail(code):
    return f"do $$ begin raise exception 'geheim' using errcode = '{code}'; end $$"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("40001", "at once"),
        ("40P01", "at once"),
        ("53000", "overloaded"),
        ("53100", "no room left"),
        ("53200", "overloaded"),
        ("53300", "overloaded"),
        ("25006", "can only be read"),
        ("55P03", "too long"),
        ("57014", "too long"),
        ("57P01", "does not answer"),
        ("57P02", "does not answer"),
        ("57P03", "does not answer"),
        ("58030", "does not answer"),
        ("08006", "does not answer"),
    ],
)
async def test_what_the_database_cannot_do_now_is_told_and_nothing_is_kept(database, code, words):
    async with database.connection() as connection:
        await connection.execute("create table t (x integer)")
    with pytest.raises(Unavailable, match=words) as refused:  # noqa: PT012  the block is what ends
        async with database.transaction() as connection:
            await connection.execute("insert into t values (1)")
            await connection.execute(fail(code))
    assert refused.value.retry_after >= 1
    assert "geheim" not in refused.value.detail
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from t") == 0


@pytest.mark.parametrize("code", ["22012", "23505", "42P01", "XX001"])
async def test_a_mistake_of_ours_is_none_of_these(database, code):
    with pytest.raises(asyncpg.PostgresError):
        async with database.connection() as connection:
            await connection.execute(fail(code))


async def test_a_question_that_takes_too_long_is_given_up(database):
    with pytest.raises(Unavailable, match="does not answer"):
        async with database.connection() as connection:
            await connection.fetchval("select pg_sleep(60)", timeout=0.05)
    with pytest.raises(Unavailable, match="too long"):  # noqa: PT012  the block is what ends
        async with database.transaction() as connection:
            await connection.execute("set local statement_timeout = 50")
            await connection.execute("select pg_sleep(60)")


async def test_when_all_connections_are_taken_it_says_so_and_goes_on(database_url, monkeypatch):
    small = await connect(database_url, size=2)
    async with small.connection(), small.transaction():
        monkeypatch.setattr(store, "_ACQUIRE_SECONDS", 0.05)
        for _ in range(3):
            with pytest.raises(Unavailable, match="busy"):
                async with small.connection():
                    pytest.fail("there is no third connection")
        monkeypatch.undo()
    async with small.connection() as one, small.connection() as other:
        assert await one.fetchval("select 1") + await other.fetchval("select 1") == 2
    await small.close()


async def test_writers_that_wait_for_each_other_leave_connections_to_readers(
    database, database_url
):
    blocking = await asyncpg.connect(database_url)
    await blocking.execute("begin; lock table log_state")

    async def write():
        async with database.transaction() as connection:
            await connection.execute("update log_state set erasures = erasures")

    async def read():
        async with database.connection() as connection:
            return await connection.fetchval(
                "select count(*) from pg_stat_activity"
                " where wait_event_type = 'Lock' and datname = current_database()"
            )

    writers = [asyncio.create_task(write()) for _ in range(20)]
    try:
        while await read() < 10 - store._FOR_READERS:  # noqa: ASYNC110  it is the server's event
            await asyncio.sleep(0.01)
        assert not any(one.done() for one in writers)
    finally:
        await blocking.close()
    await asyncio.gather(*writers)


async def test_a_closed_pool_is_unavailable(database_url):
    closed = await connect(database_url)
    await closed.close()
    with pytest.raises(Unavailable):
        async with closed.connection():
            pytest.fail("it is closed")


@pytest.fixture
def colliding(database, monkeypatch):
    """Make a use case that fails so and so often; give it, and how often it was tried."""
    monkeypatch.setattr(store, "_PAUSE_SECONDS", 0.001)
    tries = []

    def make(failures, code):
        @retried
        async def work(answer):
            tries.append(answer)
            async with database.transaction() as connection:
                if len(tries) <= failures:
                    await connection.execute(fail(code))
            return answer

        return work, tries

    return make


@pytest.mark.parametrize("code", ["40001", "40P01"])
async def test_what_collided_is_done_again(colliding, code):
    work, tries = colliding(3, code)
    assert await work("done") == "done"
    assert tries == ["done"] * 4


async def test_and_not_for_ever(colliding):
    work, tries = colliding(99, "40001")
    with pytest.raises(Unavailable, match="at once"):
        await work("done")
    assert len(tries) == 4


@pytest.mark.parametrize(
    ("code", "error"), [("53100", Unavailable), ("23505", asyncpg.UniqueViolationError)]
)
async def test_anything_else_is_not_repeated(colliding, code, error):
    work, tries = colliding(99, code)
    with pytest.raises(error):
        await work("done")
    assert len(tries) == 1


async def test_two_that_lock_each_other_out_both_end_well(database, database_url):
    async with database.connection() as connection:
        await connection.execute("create table t (x integer primary key, n integer not null)")
        await connection.execute("insert into t values (1, 0), (2, 0)")
    both_hold_one = asyncio.Barrier(2)
    tries = []

    @retried
    async def add(first, second):
        tries.append(first)
        async with database.transaction() as connection:
            await connection.execute("set local deadlock_timeout = 20")
            await connection.execute("update t set n = n + 1 where x = $1", first)
            if len(tries) <= 2:
                await both_hold_one.wait()
            await connection.execute("update t set n = n + 1 where x = $1", second)

    await asyncio.gather(add(1, 2), add(2, 1))
    async with database.connection() as connection:
        assert [row["n"] for row in await connection.fetch("select n from t order by x")] == [2, 2]
    assert len(tries) > 2


@pytest.mark.parametrize(
    ("kind", "holding"),
    [
        ("transaction", "select pg_advisory_xact_lock(7), set_config('a.b', 'left', true)"),
        ("held", "select pg_advisory_xact_lock(7), set_config('a.b', 'left', true)"),
    ],
)
async def test_what_is_stopped_amid_a_statement_leaves_nothing_to_whom_comes_next(
    database_url, kind, holding
):
    one, other = await connect(database_url, size=1), await connect(database_url, size=1)
    running = "select count(*) from pg_stat_activity where query = 'select pg_sleep(61)'"

    async def hold():
        async with getattr(one, kind)() as connection:
            await connection.execute(holding)
            await connection.execute("select pg_sleep(61)")

    stopped = asyncio.create_task(hold())
    async with other.connection() as watching:
        # A request to cancel that comes before the statement has no effect.
        while not await watching.fetchval(running):  # noqa: ASYNC110  the server's state
            await asyncio.sleep(0.01)
    stopped.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopped
    async with one.connection() as connection:
        assert not connection.is_in_transaction()
        assert not await connection.fetchval("select current_setting('a.b', true)")
        assert await connection.fetchval("select count(*) from pg_locks where objid = 7") == 0
    await one.close()
    await other.close()


async def test_a_statement_that_nobody_waits_for_ends(database_url):
    """The request to cancel it may be lost: then the connection is all that ends."""
    one, other = await connect(database_url, size=1), await connect(database_url, size=1)
    running = "select count(*) from pg_stat_activity where query = 'select pg_sleep(600)'"
    try:
        async with other.connection() as watching:
            async with one.connection() as connection:
                sleeping = asyncio.create_task(connection.execute("select pg_sleep(600)"))
                while not await watching.fetchval(running):  # noqa: ASYNC110  the server's state
                    await asyncio.sleep(0.01)
                connection.terminate()
                await asyncio.gather(sleeping, return_exceptions=True)
            async with asyncio.timeout(60):
                while await watching.fetchval(running):  # noqa: ASYNC110  the server's state
                    await asyncio.sleep(0.05)
    finally:
        await one.close()
        await other.close()


async def test_what_was_cancelled_leaves_nothing_to_whoever_is_next(database_url):
    """Who left an export made another's request a fault: one of some 60 cancellations did."""
    database = await connect(database_url, size=1)

    async def read_much(number):
        # Each is another statement, so that it may be cancelled while it is prepared.
        async with database.connection() as connection:
            await connection.fetch(f"select generate_series(1, 1000) + $1::int + {number}", 1)

    async def read_on():
        async with database.snapshot() as connection:
            assert await connection.fetchval("select $1::int", 7) == 7

    try:
        async with database.connection() as connection:
            await connection.execute("begin; select 1")
        await read_on()
        for number in range(CANCELLED):
            reading = asyncio.create_task(read_much(number))
            for _ in range(number // 2 % 60):
                await asyncio.sleep(0)
            reading.cancel()
            # A scope of anyio's, as around a stream whose reader has left, cancels at each turn of
            # the loop: the return of the connection, too.
            while number % 2 and not reading.done():
                await asyncio.sleep(0)
                reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await read_on()
    finally:
        await database.close()
