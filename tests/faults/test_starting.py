"""Killed while it starts: the cluster half made, workers not yet at work, migrations half done."""

import asyncio
import contextlib
import shutil
import subprocess
import sys
import time

import asyncpg
import pytest

from registry.errors import Unavailable
from registry.store.database import connect
from registry.store.migrate import MIGRATIONS, migrate, read_migrations
from tests.crash.register import Register, belonging_to, environment, kill_all
from tests.migrated import is_migrated
from tests.served import copy_register

PATIENCE = 180
MIGRATE = """
import asyncio, sys
from pathlib import Path
from registry.store.database import connect
from registry.store.migrate import migrate

async def main():
    database = await connect(sys.argv[1])
    await migrate(database, Path(sys.argv[2]))
    await database.close()

asyncio.run(main())
"""
SLOW = "create table half (x integer); select pg_sleep(3); create table whole (x integer)"
SLEEPING = (
    "select true from pg_stat_activity where query like '%pg_sleep(3)%' and pid <> pg_backend_pid()"
)


def until(condition, pause=0.005):
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(pause)
    return found


def test_a_machine_that_dies_while_the_cluster_is_made(folder):
    """Nothing of what was begun is taken for a cluster."""
    register = Register(folder)
    making = folder / "postgres.making"
    try:
        register.start()
        until((making / "PG_VERSION").exists)
        kill_all(folder)
        assert making.exists()
        done = register.run("token", "list")
        assert done.returncode == 0, done.stderr
        assert not making.exists()
    finally:
        register.end()


def test_a_process_that_dies_while_the_cluster_is_made(folder):
    """What it started is still at work when the next one comes."""
    register = Register(folder)
    try:
        register.start()
        until((folder / "postgres.making" / "PG_VERSION").exists)
        register.process.kill()
        register.process.wait()
        done = register.run("token", "list")
        assert done.returncode == 0, done.stderr
    finally:
        register.end()


def test_a_server_that_dies_before_its_workers_are_at_work(folder):
    """They have nobody to serve for, and leave the port to the next one."""
    copy_register(folder, load=False)
    register = Register(folder)
    try:
        register.start()
        until(register.workers, pause=0.1)
        register.process.kill()
        register.process.wait()
        until(lambda: belonging_to(folder) == [], pause=0.5)
    finally:
        register.end()


@pytest.fixture
def folder_of_migrations(tmp_path):
    """The released migrations, and a slow one after them."""
    shutil.copytree(MIGRATIONS, tmp_path / "migrations")
    number = read_migrations()[-1].number + 1
    (tmp_path / "migrations" / f"{number:04d}_slow.sql").write_text(SLOW, encoding="utf-8")
    return tmp_path / "migrations"


@pytest.fixture
def migrating():
    """Start processes that migrate."""
    started = []

    def start(url, folder):
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", MIGRATE, url, str(folder)],
                env=environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


async def sleeping(url):
    connection = await asyncpg.connect(url)
    async with asyncio.timeout(PATIENCE):
        while not await connection.fetchval(SLEEPING):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await connection.close()


async def test_killed_in_the_middle_of_a_migration(empty_url, folder_of_migrations, migrating):
    """It is not applied at all, and the next process applies it wholly."""
    process = migrating(empty_url, folder_of_migrations)
    await sleeping(empty_url)
    process.kill()
    process.wait()
    database = await connect(empty_url)
    assert not await is_migrated(database, folder_of_migrations)
    [applied] = await migrate(database, folder_of_migrations)
    assert applied.name == "slow"
    async with database.connection() as connection:
        assert await connection.fetchval("select to_regclass('whole') is not null")
        assert await connection.fetchval("select to_regclass('half') is not null")
    assert await is_migrated(database, folder_of_migrations)
    await database.close()


async def test_a_migration_may_take_longer_than_other_commands(empty_url, folder_of_migrations):
    both = [await connect(empty_url, patience=2) for _ in range(2)]
    applied = await asyncio.gather(*(migrate(one, folder_of_migrations) for one in both))
    numbers = sorted(migration.number for one in applied for migration in one)
    assert numbers == [one.number for one in read_migrations(folder_of_migrations)]
    for one in both:
        await one.close()


async def test_two_processes_that_migrate_at_once(empty_url, folder_of_migrations, migrating):
    both = [migrating(empty_url, folder_of_migrations) for _ in range(2)]
    for process in both:
        output = (await asyncio.to_thread(process.communicate, timeout=PATIENCE))[0]
        assert process.returncode == 0, output
    database = await connect(empty_url)
    assert await migrate(database, folder_of_migrations) == []
    await database.close()


async def test_a_wire_that_breaks_at_any_message_of_the_migrations(empty_url, wire_to, tmp_path):
    """There are always the tables of as many migrations as are noted, and the next process goes on.

    The wire breaks one message later each time, until a migration more is noted.
    """
    folder, number = tmp_path / "all", read_migrations()[-1].number
    shutil.copytree(MIGRATIONS, folder)
    for name in ("one", "two"):
        number += 1
        made = f"create table {name} (x integer); create table {name}_more (x integer)"
        (folder / f"{number:04d}_{name}.sql").write_text(made, encoding="utf-8")
    files = sorted(folder.glob("*.sql"))
    connection = await asyncpg.connect(empty_url)
    expected = [await tables(connection)]
    straight = await connect(empty_url)
    for count in range(1, len(files) + 1):
        some = tmp_path / str(count)
        some.mkdir()
        for path in files[:count]:
            shutil.copy(path, some)
        await migrate(straight, some)
        expected.append(await tables(connection))
    await straight.close()
    wire = await wire_to(empty_url)
    for delivered in (False, True):
        await connection.execute("drop schema public cascade; create schema public")
        cut_at, noted, broke = 0, 0, True
        while broke:
            cut_at += 1
            wire.arm(None, delivered=delivered)
            through = await connect(wire.url)
            wire.arm(cut_at, delivered=delivered)
            with contextlib.suppress(Unavailable):
                await migrate(through, folder)
            broke = wire.broke
            wire.arm(None, delivered=delivered)
            await through.close()
            before, noted = noted, await noted_migrations(connection)
            assert noted in {before, before + 1}
            assert await tables(connection) == expected[noted]
            cut_at = 0 if noted > before else cut_at
        assert noted == len(files)
    await connection.close()


async def tables(connection):
    rows = await connection.fetch(
        "select tablename from pg_tables where schemaname = 'public' and tablename <> 'migration'"
    )
    return {row["tablename"] for row in rows}


async def noted_migrations(connection):
    if await connection.fetchval("select to_regclass('migration') is null"):
        return 0
    return await connection.fetchval("select count(*) from migration")
