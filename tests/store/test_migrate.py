"""Migrations: once each, in order, all or nothing, and never a changed history."""

import asyncio
import secrets
import shutil
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from structlog.testing import capture_logs

from registry.errors import ConfigurationError
from registry.store import migrate as migrations
from registry.store.database import connect
from registry.store.migrate import MIGRATIONS, check_migrated, migrate, read_migrations
from tests.migrated import is_migrated

KILL_SLEEPER = (
    "select pg_terminate_backend(pid) from pg_stat_activity"
    " where query like '%pg_sleep(60)%' and pid <> pg_backend_pid()"
)


@pytest.fixture
def folder(tmp_path):
    """A folder with the released migrations, to which tests add others."""
    shutil.copytree(MIGRATIONS, tmp_path / "migrations")
    return tmp_path / "migrations"


def second(folder, sql):
    number = read_migrations(folder)[-1].number + 1
    (folder / f"{number:04d}_second.sql").write_text(sql, encoding="utf-8")
    return number


async def tables(database):
    async with database.connection() as connection:
        rows = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
    return {row["tablename"] for row in rows}


async def test_a_fresh_database_gets_everything_and_the_second_time_nothing(empty):
    assert not await is_migrated(empty)
    applied = await migrate(empty)
    assert applied == read_migrations()
    assert {"version", "log_entry", "migration"} <= await tables(empty)
    assert await is_migrated(empty)
    assert await migrate(empty) == []


async def test_only_what_is_missing_is_applied(database, folder):
    number = second(folder, "create table another (x integer)")
    assert not await is_migrated(database, folder)
    assert [one.number for one in await migrate(database, folder)] == [number]
    assert "another" in await tables(database)


async def test_a_changed_released_migration_refuses_to_start(database, folder):
    number = second(folder, "create table another (x integer)")
    await migrate(database, folder)
    second_path = folder / f"{number:04d}_second.sql"
    second_path.write_text("create table another (x bigint)", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="was changed after the database applied it"):
        await migrate(database, folder)


@pytest.mark.parametrize("older", ["select 1", "alter table migration drop column kind"])
async def test_a_database_of_an_unreleased_version_is_told_to_begin_anew(database, older):
    """Its first migration is another, and there are more of them."""
    async with database.connection() as connection:
        await connection.execute("update migration set checksum = '058432'")
        await connection.execute("insert into migration values (99, 'office', '4919', now(), '')")
        await connection.execute(older)
        with pytest.raises(ConfigurationError, match="begin anew: end its processes"):
            await migrations.read_status(connection)
    for opening in (migrate, check_migrated):
        with pytest.raises(ConfigurationError, match="made by an earlier, unreleased version"):
            await opening(database)


async def test_a_database_of_a_newer_version_is_refused(database, folder):
    second(folder, "create table another (x integer)")
    await migrate(database, folder)
    with pytest.raises(ConfigurationError, match="does not know; run the newer version"):
        await migrate(database)
    assert not await is_migrated(database)


@pytest.mark.parametrize("name", ["0001_two.sql", "2_short.sql", "0002-hyphen.sql", "0002_Big.sql"])
def test_a_number_used_twice_or_a_badly_named_file_is_refused(folder, name):
    (folder / name).write_text("select 1", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=name):
        read_migrations(folder)


async def test_a_migration_that_fails_half_way_leaves_nothing(database, folder):
    number = second(folder, "create table half (x integer); select 1 / 0")
    with pytest.raises(Exception, match="division by zero"):
        await migrate(database, folder)
    assert "half" not in await tables(database)
    (folder / f"{number:04d}_second.sql").write_text("create table half (x integer)", "utf-8")
    assert [one.number for one in await migrate(database, folder)] == [number]


async def test_a_process_killed_in_the_middle_leaves_nothing(database, database_url, folder):
    second(folder, "create table half (x integer); select pg_sleep(60)")
    other = await connect(database_url, size=1)
    running = asyncio.create_task(migrate(other, folder))
    async with database.connection() as connection:
        while not await connection.fetchval(KILL_SLEEPER):  # noqa: ASYNC110  not our event
            await asyncio.sleep(0.02)
    with pytest.raises(Exception):  # noqa: B017, PT011  whatever the lost connection gives
        await running
    await other.close()
    assert "half" not in await tables(database)
    assert not await is_migrated(database, folder)
    # The lock went with the connection: the next one is not kept waiting.
    assert await migrate(database) == []


async def test_processes_that_start_together_take_turns(empty_url):
    both = [await connect(empty_url, size=2) for _ in range(3)]
    applied = await asyncio.gather(*(migrate(one) for one in both))
    numbers = sorted(migration.number for one in applied for migration in one)
    assert numbers == [one.number for one in read_migrations()]
    for one in both:
        await one.close()


async def test_whoever_waits_for_another_says_for_whom_and_nothing_to_do_needs_no_turn(
    database, database_url, folder, monkeypatch
):
    monkeypatch.setattr(migrations, "_SILENT_SECONDS", 0)
    number = second(folder, "create table another (x integer)")
    other = await connect(database_url, size=1)
    async with database.transaction() as holding:
        pid = await holding.fetchval("select pg_backend_pid()")
        await holding.execute("select pg_advisory_xact_lock($1)", migrations._LOCK)
        assert await migrate(other) == []
        with capture_logs() as told:
            waiting = asyncio.create_task(migrate(other, folder))
            async with asyncio.timeout(60):
                while not told:  # noqa: ASYNC110  not our event
                    await asyncio.sleep(0.02)
    assert [one.number for one in await waiting] == [number]
    [line] = told
    assert (line["pid"], line["program"], line["user"]) == (pid, "registry", "postgres")
    await other.close()


@asynccontextmanager
async def as_another(database, url, *granted):
    """Connect as a role that owns nothing and has what is granted to it."""
    role = f"role_{secrets.token_hex(4)}"
    async with database.connection() as connection:
        await connection.execute(f"create role {role} login")
        for grant in granted:
            await connection.execute(f"grant {grant} to {role}")
    other = await connect(url.replace("postgres:", f"{role}:", 1), size=1)
    try:
        yield other
    finally:
        await other.close()
        async with database.connection() as connection:
            await connection.execute(f"drop owned by {role}; drop role {role}")


async def test_a_role_that_may_not_make_tables_is_a_wrong_setting(empty, empty_url):
    async with as_another(empty, empty_url) as other:
        with pytest.raises(ConfigurationError, match="permission denied for schema public"):
            await migrate(other)
    assert await tables(empty) == set()


async def test_a_role_that_may_not_make_tables_opens_what_another_has_migrated(
    database, database_url, folder
):
    async with as_another(database, database_url, "select on migration") as other:
        assert await migrate(other) == []
        second(folder, "create table another (x integer)")
        with pytest.raises(ConfigurationError, match="let the role that does migrate first"):
            await migrate(other, folder)


async def test_a_role_without_its_grants_is_told_what_it_lacks(database, database_url):
    async with as_another(database, database_url) as other:
        with pytest.raises(ConfigurationError, match="may not read it"):
            await migrate(other)


async def test_a_database_that_cannot_hold_every_script_is_refused(empty, empty_url):
    name = f"latin_{secrets.token_hex(4)}"
    async with empty.connection() as connection:
        await connection.execute(
            f"create database {name} template template0 encoding 'LATIN1' locale 'C'"
        )
    other = await connect(empty_url.replace(urlsplit(empty_url).path, f"/{name}", 1), size=1)
    try:
        with pytest.raises(ConfigurationError, match="is in LATIN1, and a register needs UTF8"):
            await migrate(other)
        assert await tables(other) == set()
    finally:
        await other.close()
        async with empty.connection() as connection:
            await connection.execute(f"drop database {name}")
