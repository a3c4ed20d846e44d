"""What tests share: one embedded PostgreSQL a run, one fresh register a test."""

import asyncio
import datetime as dt
import json
import os
import secrets
from pathlib import Path

import asyncpg
import pytest

from registry.office.filing import Office
from registry.office.opening import open_register
from registry.record.pack import load_pack
from registry.settings import Settings
from registry.store import embedded
from registry.store.database import connect

ROOT = Path(__file__).parents[1]
NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
TEMPLATE = "register_template"


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One server for the run; its folder's path must be short, for the socket in it."""
    folder = tmp_path_factory.mktemp("pg")
    running = embedded.start(folder)
    yield running
    running.release()


@pytest.fixture(scope="session")
def pack():
    return load_pack("ma")


def _beside(url, name):
    head, tail = url.split(f"/{embedded.DATABASE}", 1)
    return f"{head}/{name}{tail}"


@pytest.fixture(scope="session")
def template(server, pack, tmp_path_factory):
    """An opened, empty register that each test gets a copy of (about 30 ms)."""
    url = _beside(server.url, TEMPLATE)
    data = tmp_path_factory.mktemp("template")

    async def make():
        await _execute(server.url, f"create database {TEMPLATE} template {embedded.DATABASE}")
        database = await connect(url)
        await open_register(database, pack, Settings(data_dir=data), now=NOW)
        await database.close()

    asyncio.run(make())
    return TEMPLATE


@pytest.fixture
def database_url(server, template):
    name = f"test_{os.getpid()}_{secrets.token_hex(4)}"
    asyncio.run(_execute(server.url, f"create database {name} template {template}"))
    yield _beside(server.url, name)
    asyncio.run(_execute(server.url, f"drop database {name} with (force)"))


@pytest.fixture
async def database(database_url):
    opened = await connect(database_url)
    yield opened
    await opened.close()


@pytest.fixture
def office(database, pack):
    return Office(database=database, pack=pack, random=secrets.token_bytes)


@pytest.fixture
def record():
    """A record that can be published: a fresh copy each time."""
    text = (ROOT / "records/demo-sante/prevision-lits.json").read_text(encoding="utf-8")
    return json.loads(text)


async def _execute(url, statement):
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
