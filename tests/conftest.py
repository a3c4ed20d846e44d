"""What tests share: one embedded PostgreSQL a run, one fresh register a test."""

import asyncio
import datetime as dt
import json
import os
import secrets
import shutil
import tempfile
from pathlib import Path

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from registry.ledger import append
from registry.ledger.append import Publication
from registry.ledger.publish_files import publish_log
from registry.record.pack import load_pack
from registry.record.validate import validate
from registry.services.context import ServiceContext
from registry.services.startup import open_register
from registry.settings import Settings
from registry.store import embedded
from registry.store.database import connect
from tests.built import share_templates

# Timings never decide; a change is judged on the same examples each time, a developer on new ones.
settings.register_profile(
    "house",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
settings.load_profile("house")

ROOT = Path(__file__).parents[1]
NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
TEMPLATE = "register_template"
_ROOM = 6 * 1024**3

# By folder, what takes seconds to make and many tests share: these run in one process.
_SHARED = {
    "api": {"register"},
    "attacks": {"register"},
    "browser": {"chromium"},
    "house": {"register"},
    "pages": {"site", "many"},
    "store": {"large"},
}


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    for item in items:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        if not _SHARED.get(folder, set()).isdisjoint(item.fixturenames):
            item.add_marker(pytest.mark.xdist_group(folder))


def _in_memory():
    """Give a folder in memory where there is plenty; else None, for a folder on the disk.

    To make and drop a test's database takes a fifteenth of the time there.
    """
    folder = "/dev/shm"  # noqa: S108  it is only looked at; what is made in it has a name of chance
    return folder if os.path.ismount(folder) and shutil.disk_usage(folder).free > _ROOM else None


@pytest.fixture(scope="session")
def server():
    """One server for the run, in a folder with a short path, for the socket in it.

    It is not pytest's: as root the server is another user, and a second run of pytest closes the
    folder above all of its own to others.
    """
    folder = Path(tempfile.mkdtemp(prefix="pg", dir=_in_memory()))
    folder.chmod(0o755)
    running = embedded.start(folder)
    yield running
    running.release()
    shutil.rmtree(folder)


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
        await _copy(server.url, embedded.DATABASE, TEMPLATE)
        database = await connect(url)
        await open_register(database, pack, Settings(data_dir=data), now=NOW)
        await database.close()

    asyncio.run(make())
    return TEMPLATE


@pytest.fixture
def database_url(server, template):
    name = f"test_{os.getpid()}_{secrets.token_hex(4)}"
    asyncio.run(_copy(server.url, template, name))
    yield _beside(server.url, name)
    asyncio.run(_execute(server.url, f"drop database {name} with (force)"))


@pytest.fixture
def empty_url(server):
    """A database without a register in it."""
    name = f"empty_{os.getpid()}_{secrets.token_hex(4)}"
    asyncio.run(_copy(server.url, embedded.DATABASE, name))
    yield _beside(server.url, name)
    asyncio.run(_execute(server.url, f"drop database {name} with (force)"))


@pytest.fixture
async def database(database_url):
    opened = await connect(database_url)
    yield opened
    await opened.close()


@pytest.fixture
def settings(tmp_path):
    """The settings of a register whose log's key and files are the test's own."""
    share_templates(tmp_path)
    return Settings(data_dir=tmp_path, base_url="https://algorithms.example")


@pytest.fixture
async def logged(empty_url, pack, settings):
    """A register whose log has a key of its own."""
    opened = await connect(empty_url)
    await open_register(opened, pack, settings, now=NOW)
    yield opened
    await opened.close()


@pytest.fixture
def context(database, pack):
    return ServiceContext(database=database, pack=pack, random=secrets.token_bytes)


@pytest.fixture
def record():
    """A record that can be published, and amended: a fresh copy each time."""
    text = (ROOT / "records/demo-sante/prevision-lits.json").read_text(encoding="utf-8")
    document = json.loads(text)
    document["publication"]["change_note"] = {"ar": "تصحيح", "fr": "Correction"}
    return document


@pytest.fixture(scope="session")
def publication(pack):
    """Make a local document ready for the ledger, complete or not."""

    def make(document, now=NOW):
        agency = pack.agencies[document["id"].split("/")[0]]
        verdict = validate(document, profile="publication", pack=pack, today=now.date())
        return Publication(document=document, agency=agency, actor=agency.id, verdict=verdict)

    return make


@pytest.fixture
def publish(database, publication):
    """Publish documents in one transaction."""

    async def publish_all(*documents, now=NOW):
        publications = [publication(document, now) for document in documents]
        async with database.transaction() as connection:
            return await append.publish(
                connection, publications, now=now, random=secrets.token_bytes
            )

    return publish_all


@pytest.fixture
def publish_it(logged, settings):
    """Publish the log of that register."""

    async def go(**more):
        return await publish_log(logged, settings, now=NOW, **more)

    return go


async def _execute(url, statement):
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _copy(url, template, name):
    # As files: page by page through the log, which is PostgreSQL's way, takes twice as long.
    await _execute(url, f"create database {name} template {template} strategy file_copy")
