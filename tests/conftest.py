"""What tests share: one embedded PostgreSQL a process, one fresh register a test."""

import asyncio
import atexit
import datetime as dt
import gc
import itertools
import json
import logging
import os
import re
import secrets
import shutil
import signal
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import msgspec
import pytest
from hypothesis import HealthCheck, settings

from registry.cli import log_output
from registry.errors import Finding
from registry.ledger import append
from registry.ledger.publication import Publication
from registry.ledger.publish_files import publish_log
from registry.pages.editions import open_editions
from registry.record.pack import load_pack
from registry.record.validate import validate
from registry.services.context import ServiceContext
from registry.services.filing.receipts import Receipt
from registry.services.operations.startup import open_register
from registry.settings import Settings
from registry.store import embedded
from registry.store.database import connect
from registry.store.migrate import migrate
from registry.web import app
from tests.built import TEMPLATES, share_templates
from tests.prepared import copy_prepared, make_folder, run_folder
from tests.published import given_times
from tests.warm import WarmCommands

os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="registry-metrics-")
atexit.register(shutil.rmtree, os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)

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
MIGRATED = "migrated_template"
# As files: page by page through the log, which is PostgreSQL's way, takes twice as long.
_COPY = "create database {} template {} strategy file_copy"

# By folder, what takes seconds to make and many tests share: these run in one process.
_SHARED = {
    "api": {"register"},
    "assistant": {"register"},
    "attacks": {"register"},
    "browser": {"chromium", "register"},
    "clients": {"register"},
    "exports": {"many", "register", "shared"},
    "imports": {"shared"},
    "house": {"register", "wheel"},
    "pages": {"site", "many"},
    "questions": {"register"},
    "readers": {"register"},
    "schemas": {"site"},
    "search": {"large"},
    "store": {"large"},
    "web": {"reader"},
}


# What `make test-slow` runs: campaigns, attacks, other people's programs, what is shipped.
_SLOW = (
    *("assistant", "attacks", "clients", "crash", "deploy", "faults", "fuzz"),
    *("questions", "readers"),
    *("cli/test_another_country.py", "cli/test_demo.py"),
    *("cli/test_rolling_update.py", "cli/test_work.py"),
    *(
        "house/test_backup_scripts.py",
        "house/test_deploy.py",
        "house/test_key_ceremony.py",
        "house/test_recipes.py",
    ),
    *("house/test_transparency_log.py", "house/test_wheel.py"),
    *("search/test_oracle.py", "tlog/test_interop.py"),
    *("tlog/test_judges.py", "tools/test_release.py"),
)
# What `make nightly` runs: campaigns that take minutes.
_NIGHTLY = ("audit/test_campaign.py", "fuzz/test_description.py")
# What of a browser `make test` has: a filing, from nothing to an amendment.
_WALK = "browser/test_console_by_keyboard.py"


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    for item in items:
        place = item.path.relative_to(ROOT / "tests")
        folder = place.parts[0]
        if {folder, place.as_posix()}.intersection(_SLOW):
            item.add_marker(pytest.mark.slow)
        if place.as_posix() in _NIGHTLY:
            item.add_marker(pytest.mark.nightly)
        if folder == "browser" and place.as_posix() != _WALK:
            item.add_marker(pytest.mark.browser)
        if not _SHARED.get(folder, set()).isdisjoint(item.fixturenames):
            # The longest of them is two: pages as files alone, and with the register that has them.
            is_asked = folder == "browser" and "register" in item.fixturenames
            item.add_marker(pytest.mark.xdist_group("browser-register" if is_asked else folder))
    # What runs in one process begins first: a run would else end with the longest of them alone.
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


def pytest_configure(config):
    # Before there are workers, so that they have it too.
    folder = run_folder() / os.environ.get("PYTEST_XDIST_WORKER", "main")
    folder.mkdir(mode=0o700, exist_ok=True)
    # The lock in which embedded servers start and stop would else be that of all of this machine.
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    # Else every process, of which there are hundreds, compiles all modules again.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # As in what a shell runs in the background; commands that tests end so would never end.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.disable()


def pytest_collection_finish():
    # Thousands of tests are collected and stay to the end; no collection looks at them again.
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def quiet_libraries():
    """What a test has libraries write to the register's log is no line of the log of another."""
    yield
    for handler in logging.root.handlers[:]:
        if isinstance(handler, log_output._LibraryHandler):
            logging.root.removeHandler(handler)


@pytest.fixture(scope="session", autouse=True)
def shared_templates():
    """Let applications of tests share the bytecode of templates as the sites of tests do."""

    def opened(*given, bytecode):
        return open_editions(*given, bytecode=bytecode or TEMPLATES)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(app, "open_editions", opened)
        yield


@pytest.fixture(scope="session")
def server():
    """One server a process; the cluster, with an opened register to copy, is made once a run."""
    folder = make_folder("pg")
    copy_prepared("cluster", make_cluster, folder)
    running = embedded.start(folder)
    yield running
    running.release()
    shutil.rmtree(folder)


async def accept_dates(database):
    """Let what is published by the true clock follow entries with the dates of tests."""
    async with database.connection() as connection:
        await connection.execute("update log_state set dated_ahead = '2100-01-01'")


def make_cluster(folder):
    """Make a data folder whose server has an empty database and what is copied of it."""
    running = embedded.start(folder)
    url = _beside(running.url, TEMPLATE)

    async def make():
        connection = await asyncpg.connect(running.url)
        await connection.execute(_COPY.format(MIGRATED, embedded.DATABASE))
        migrated = await connect(_beside(running.url, MIGRATED))
        await migrate(migrated)
        await migrated.close()
        await connection.execute(_COPY.format(TEMPLATE, MIGRATED))
        await connection.close()
        database = await connect(url)
        await open_register(database, load_pack("ma"), Settings(data_dir=folder), now=NOW)
        await accept_dates(database)
        await grant_serving(database)
        await database.close()

    asyncio.run(make())
    running.release()


GRANTS = ROOT / "deploy/database"
SERVING = {"serving": ("grants.sql",), "serving_console": ("grants.sql", "grants-console.sql")}


async def grant_serving(database):
    """Let two roles that own nothing serve a register, without its console and with it."""
    async with database.transaction() as connection:
        for role, files in SERVING.items():
            if not await connection.fetchval("select 1 from pg_roles where rolname = $1", role):
                await connection.execute(f"create role {role} login")
            for file in files:
                text = (GRANTS / file).read_text(encoding="utf-8")
                await connection.execute(re.sub(r"\bserving\b", role, text))


def as_role(role, url):
    """Return the address of the same database, with another role."""
    return re.sub(r"//\w+", f"//{role}", url, count=1)


@pytest.fixture(scope="session")
def warm():
    """A process in whose forks commands run."""
    commands = WarmCommands()
    yield commands
    commands.close()


@pytest.fixture(scope="session")
def pack():
    return load_pack("ma")


def _beside(url, name):
    head, tail = url.split(f"/{embedded.DATABASE}", 1)
    return f"{head}/{name}{tail}"


@pytest.fixture(scope="session")
def copied(server):
    """Copy a database for the time of a block; one connection makes and drops all copies."""
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(_beside(server.url, "postgres")))

        @contextmanager
        def copy(template=TEMPLATE):
            name = f"test_{os.getpid()}_{secrets.token_hex(4)}"
            runner.run(connection.execute(_COPY.format(name, template)))
            yield _beside(server.url, name)
            runner.run(connection.execute(f"drop database {name} with (force)"))

        yield copy
        runner.run(connection.close())


@pytest.fixture
def database_url(copied):
    with copied() as url:
        yield url


@pytest.fixture(scope="session")
def shared_url(copied):
    """A register for tests that only read."""
    with copied() as url:
        yield url


@pytest.fixture
def empty_url(copied):
    """A database without a register in it."""
    with copied(embedded.DATABASE) as url:
        yield url


@pytest.fixture
def migrated_url(copied):
    """A database in which a register can be begun, without the time that migrations take."""
    with copied(MIGRATED) as url:
        yield url


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
async def logged(migrated_url, pack, settings):
    """A register whose log has a key of its own."""
    opened = await connect(migrated_url)
    await open_register(opened, pack, settings, now=NOW)
    await accept_dates(opened)
    yield opened
    await opened.close()


@pytest.fixture
def context(database, pack):
    return ServiceContext(
        database=database, pack=pack, random=secrets.token_bytes, guard=given_times()
    )


@pytest.fixture
def record():
    return make_record()


def make_record():
    """Return a record that can be published, and amended: a fresh copy each time."""
    text = (ROOT / "records/demo-sante/prevision-lits.json").read_text(encoding="utf-8")
    document = json.loads(text)
    document["publication"]["change_note"] = {
        "ar": "تصحيح معلومات البطاقة",
        "fr": "Correction de la fiche",
    }
    return document


def amended(document, **members):
    """Return a copy with other members, and with a change note that no other version has."""
    number = next(_amendments)
    note = {"ar": f"تصحيح البطاقة رقم {number}", "fr": f"Correction de la fiche, {number}"}
    changed = document | members
    return changed | {"publication": changed["publication"] | {"change_note": note}}


_amendments = itertools.count(1)


@pytest.fixture(scope="session")
def publication(pack):
    """Make a local document ready for the ledger, complete or not; with other findings if given."""

    def make(document, now=NOW, findings=None, **more):
        agency = pack.agencies[document["id"].split("/")[0]]
        verdict = validate(document, profile="publication", pack=pack, today=now.date())
        if findings is not None:
            noticed = msgspec.convert(findings, tuple[Finding, ...])
            verdict = msgspec.structs.replace(
                verdict, findings=noticed, findings_total=len(noticed)
            )
        return Publication(
            document=document, agency=agency, actor=agency.id, verdict=verdict, **more
        )

    return make


@pytest.fixture
def publish(database, publication):
    """Publish documents in one transaction."""

    async def publish_all(*documents, now=NOW, **more):
        publications = [publication(document, now, **more) for document in documents]
        async with database.transaction() as connection:
            entries = await append.publish(
                connection, publications, guard=given_times(), now=now, random=secrets.token_bytes
            )
        return [
            Receipt(
                outcome="published",
                id=one.record,
                version=json.loads(one.content)["version"],
                entry=one.index,
                hash=one.leaf.hex(),
                published_at=one.at,
            )
            for one in entries
        ]

    return publish_all


@pytest.fixture
def publish_it(logged, settings):
    """Publish the log of that register."""

    async def go(**more):
        return await publish_log(logged, settings, now=NOW, **more)

    return go


@pytest.fixture
def places(copied, tmp_path):
    """For each of two countries a code, a migrated database, a folder and the address it is at."""
    from tests.peered import served_folder  # noqa: PLC0415  it needs what is here

    folders = [tmp_path / code / "web" for code in ("ma", "sn")]
    for folder in folders:
        folder.mkdir(parents=True)
    with (
        copied(MIGRATED) as first,
        copied(MIGRATED) as second,
        served_folder(folders[0]) as one,
        served_folder(folders[1]) as two,
    ):
        yield [("ma", first, folders[0], one), ("sn", second, folders[1], two)]


@pytest.fixture
async def registers(places):
    """Two registers, of Morocco and of Senegal; nobody watches anybody yet."""
    from tests.peered import open_peer  # noqa: PLC0415

    made = [await open_peer(*place, now=NOW) for place in places]
    yield made
    for one in made:
        await one.context.database.close()
