"""Opening repeats harmlessly, in any number of processes."""

import asyncio
import datetime as dt

import pytest

from registry.errors import ConfigurationError
from registry.record.pack import load_pack
from registry.services.operations.startup import is_empty, open_register
from registry.settings import Settings
from registry.store import agencies

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path)


async def rows(database):
    async with database.connection() as connection:
        return [
            await connection.fetch(f"select * from {table} order by 1")  # noqa: S608  our own names
            for table in ("migration", "log_state", "log_entry", "agency")
        ]


async def test_opening_again_changes_nothing_and_makes_no_key(database, pack, settings):
    before = await rows(database)
    await asyncio.gather(*(open_register(database, pack, settings, now=NOW) for _ in range(3)))
    assert await rows(database) == before
    assert not settings.key_file.exists()


async def test_the_packs_agencies_are_there_with_no_records(database, pack):
    async with database.connection() as connection:
        counted = await agencies.read_all(connection)
    assert {one.agency.id: one.agency for one in counted} == pack.agencies
    assert {one.records for one in counted} == {0}
    ids = [one.agency.id for one in counted]
    assert ids == sorted(ids)


async def test_a_register_keeps_to_the_pack_that_it_began_with(database, pack, settings):
    before = await rows(database)
    with pytest.raises(ConfigurationError, match="set REGISTRY_PACK=ma"):
        await open_register(database, load_pack("sn"), settings, now=NOW)
    assert await rows(database) == before


async def test_a_register_from_before_takes_the_pack_that_it_is_next_opened_with(
    database, pack, settings
):
    async with database.connection() as connection:
        await connection.execute("update log_state set pack = null")
    await open_register(database, pack, settings, now=NOW)
    with pytest.raises(ConfigurationError, match="of the country pack 'ma'"):
        await open_register(database, load_pack("sn"), settings, now=NOW)


async def test_it_is_empty_until_something_is_published(database, publish, record):
    assert await is_empty(database)
    await publish(record)
    assert not await is_empty(database)


async def test_a_first_opening_of_many_at_once_begins_one_log(database, pack, settings, tmp_path):
    async with database.connection() as connection:
        await connection.execute("drop schema public cascade; create schema public")
    await asyncio.gather(*(open_register(database, pack, settings, now=NOW) for _ in range(4)))
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from log_entry") == 1
    assert settings.key_file.stat().st_mode & 0o777 == 0o600
