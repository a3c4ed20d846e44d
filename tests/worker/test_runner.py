"""The background runner: what it does beside building the site."""

import asyncio
import contextlib
import datetime as dt
import platform
import re
import secrets
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import structlog

from registry import __version__
from registry.clock import utc_now
from registry.errors import Unavailable
from registry.ledger import append
from registry.ledger.verify_database import check_database
from registry.log.files import LogRefused
from registry.pages.build import plan, read_snapshot
from registry.pages.build.read_snapshot import day_of, is_current
from registry.services.context import ServiceContext
from registry.services.filing import idempotency
from registry.services.operations import heartbeat, limits
from registry.services.operations.startup import open_register
from registry.services.people.access import Actor
from registry.settings import Settings
from registry.store import heartbeats, log, log_checks
from registry.store.database import connect
from registry.store.heartbeats import leadership
from registry.store.published_files import PublishedLog
from registry.worker import runner, site_keeping, tasks
from registry.worker.runner import delete_expired, log_task, site_task
from registry.worker.tasks import WorkReport, run_tasks
from tests.built import changing_pages, share_templates
from tests.published import given_times

ROOT = Path(__file__).parents[2]
NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
PATIENCE = 120

LISTS_IMPORTS = """
import sys, threading
from pathlib import Path
from registry.services.operations.startup import run_in_register
from registry.settings import Settings
from registry.worker import runner, site_keeping

settings = Settings(data_dir=Path(sys.argv[1]), database_url=sys.argv[2])
async def prepare(context):
    if sys.argv[3] == "build":
        await site_keeping.build_site(settings, context)
        sys.exit()

run_in_register(settings, prepare)  # as the command does
build, built = site_keeping.build_site, threading.Event()

class Listing:
    def find_spec(self, name, path=None, target=None):
        # A worker reads no file in the coding of the log's key.
        if threading.current_thread() is not threading.main_thread() and name != "encodings.ascii":
            print("imported", name)

async def build_site(*given):
    report = await build(*given)
    built.set()
    return report

site_keeping.build_site = build_site
running = runner.BackgroundRunner(settings)
sys.meta_path.insert(0, Listing())
running.start()
assert built.wait(120)
running.stop()
"""


def test_it_may_be_stopped_before_it_has_begun(database_url, tmp_path):
    for pause in (0.0, 0.3):
        running = runner.BackgroundRunner(
            Settings(data_dir=tmp_path, database_url=database_url, site_build="manual")
        )
        running.start()
        time.sleep(pause)
        running.stop()
        assert not running._thread.is_alive()


def test_its_thread_imports_nothing_while_workers_are_forked(empty_url, tmp_path):
    """A fork made within an import would wait for that import for ever."""
    share_templates(tmp_path)
    for act in ("build", "run"):
        command = [sys.executable, "-c", LISTS_IMPORTS, str(tmp_path), empty_url, act]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
        assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("imported")] == []


async def keep_site_current(settings, context):
    report = WorkReport()
    await run_tasks(context.database, [site_task(settings, context, report)], report)


async def left(database):
    async with database.connection() as connection:
        return [
            await connection.fetchval("select count(*) from answer"),
            await connection.fetchval("select count(*) from allowance"),
        ]


async def act(context, number, now):
    """Leave an answer and an allowance behind, as a request with a key does."""
    async with context.database.transaction() as connection:
        await connection.execute(
            "insert into token (digest, actor, scopes, created_at, expires_at)"
            " values ($1, 'x', '{}', $2, $2)",
            bytes([number]),
            now,
        )
        actor = Actor(name="x", agency=None, scopes=frozenset(), token=number)
        await idempotency.store_response(
            connection, context, actor, "key", b"request", b"answer", now=now
        )
    await limits.spend(context.database, "writes", f"token {number}", per_minute=1, now=now)


async def test_it_forgets_what_is_over_and_nothing_else(context):
    await act(context, 1, NOW)
    await act(context, 2, NOW + DAY)
    await delete_expired(context, now=NOW + DAY + dt.timedelta(minutes=1))
    assert await left(context.database) == [1, 1]


async def test_it_does_so_while_it_works(context, tmp_path):
    await act(context, 1, NOW - 9999 * DAY)
    settings = Settings(data_dir=tmp_path, site_build="manual")
    working = asyncio.create_task(keep_site_current(settings, context))
    while await left(context.database) != [0, 0]:
        assert not working.done()
        await asyncio.sleep(0.02)
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working


async def published_whole(_connection):
    return PublishedLog(size=2**63, discards=0)


async def test_a_host_that_serves_builds_its_own_site_whoever_leads(context, tmp_path, monkeypatch):
    built = asyncio.Event()

    async def build_site(*_):
        built.set()
        return SimpleNamespace(files=1, rendered=0)

    monkeypatch.setattr(site_keeping, "read_published", published_whole)
    monkeypatch.setattr(site_keeping, "build_site", build_site)
    async with leadership(context.database, "runner"):
        working = asyncio.create_task(
            site_keeping.keep_host_site(Settings(data_dir=tmp_path, site="here"), context)
        )
        await asyncio.wait_for(built.wait(), PATIENCE)
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working


LEADERS = """select l.pid from pg_locks as l
 where l.locktype = 'advisory' and l.granted and l.database = (
   select oid from pg_database where datname = current_database())"""


async def test_a_role_that_is_lost_during_a_build_is_taken_again_at_once(
    context, tmp_path, monkeypatch
):
    begun = asyncio.Event()

    async def build_site(*_):
        begun.set()
        await asyncio.Event().wait()

    async def leader(other_than=None):
        async with asyncio.timeout(PATIENCE), context.database.connection() as connection:
            while await connection.fetchval(LEADERS) in {None, other_than}:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            return await connection.fetchval(LEADERS)

    monkeypatch.setattr(site_keeping, "read_published", published_whole)
    monkeypatch.setattr(site_keeping, "build_site", build_site)
    working = asyncio.create_task(keep_site_current(Settings(data_dir=tmp_path), context))
    await asyncio.wait_for(begun.wait(), PATIENCE)
    first = await leader()
    begun.clear()
    async with context.database.connection() as connection:
        await connection.execute("select pg_terminate_backend($1)", first)
    assert await leader(other_than=first)
    await asyncio.wait_for(begun.wait(), PATIENCE)
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working


async def test_a_site_of_other_templates_is_built_anew_when_it_begins(
    context, tmp_path, monkeypatch
):
    share_templates(tmp_path)
    monkeypatch.setattr(plan, "all_pages", changing_pages)
    settings = Settings(data_dir=tmp_path)
    with monkeypatch.context() as before:
        before.setattr(read_snapshot, "site_fingerprint", lambda *_: "older")
        await site_keeping.build_site(settings, context)
    older = settings.site_dir.resolve()
    monkeypatch.setattr(site_keeping, "read_published", published_whole)
    assert await is_current(context.database, settings, as_of=day_of(context.pack, utc_now()))
    working = asyncio.create_task(keep_site_current(settings, context))
    async with asyncio.timeout(PATIENCE):
        while settings.site_dir.resolve() == older:
            assert not working.done()
            await asyncio.sleep(0.05)
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working


async def published_size(settings, size):
    path = settings.log_dir / "checkpoint"
    while not path.exists() or path.read_text().split("\n")[1] != str(size):  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def test_the_log_is_published_as_it_grows_and_a_fault_is_told_once(
    empty_url, pack, tmp_path, record, publication, monkeypatch
):
    monkeypatch.setattr(tasks, "RETRY_SECONDS", 0.05)
    settings = Settings(data_dir=tmp_path)
    database = await connect(empty_url)
    await open_register(database, pack, settings, now=NOW)
    context = ServiceContext(
        database=database, pack=pack, random=secrets.token_bytes, guard=given_times()
    )
    with structlog.testing.capture_logs() as told:
        working = asyncio.create_task(
            run_tasks(context.database, [log_task(settings, context)], WorkReport())
        )
        await asyncio.wait_for(published_size(settings, 1), PATIENCE)
        async with database.transaction() as connection:
            await append.publish(
                connection,
                [publication(record)],
                guard=given_times(),
                now=NOW,
                random=secrets.token_bytes,
            )
        size = 3  # The agency's name is an entry as well.
        await asyncio.wait_for(published_size(settings, size), PATIENCE)
        settings.key_file.chmod(0o644)
        (settings.log_dir / "checkpoint").unlink()
        while not any("why" in line for line in told):
            assert not working.done()
            await asyncio.sleep(0.05)
        await asyncio.sleep(1)  # in which it is tried again and again
        settings.key_file.chmod(0o600)
        await asyncio.wait_for(published_size(settings, size), PATIENCE)
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working
    await database.close()
    assert [line["event"] for line in told].count("the log could not be published") == 1
    assert "chmod 600" in next(line["why"] for line in told if "why" in line)


async def test_what_keeps_the_site_from_being_built_is_told_once(context, tmp_path, monkeypatch):
    came = asyncio.Event()
    faults = [
        *[Unavailable("the database does not answer")] * 3,
        None,
        Unavailable("the database does not answer"),
        Unavailable("it is another"),
        ValueError("nobody knows"),
    ]

    async def current(*_, as_of):
        return False

    async def built(*_):
        if not faults:
            came.set()
        elif (fault := faults.pop(0)) is not None:
            raise fault
        return SimpleNamespace(rendered=0)

    monkeypatch.setattr(tasks, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(tasks, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(site_keeping, "build_site", built)
    monkeypatch.setattr(site_keeping, "is_current", current)
    monkeypatch.setattr(site_keeping, "read_published", published_whole)
    settings = Settings(data_dir=tmp_path)
    with structlog.testing.capture_logs() as told:
        working = asyncio.create_task(keep_site_current(settings, context))
        await asyncio.wait_for(came.wait(), PATIENCE)
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working
    assert {line["event"] for line in told} == {"the site could not be built; the old one stays"}
    assert [line.get("why") for line in told] == [
        "the database does not answer", "the database does not answer", "it is another", None,
    ]  # fmt: skip
    assert told[-1]["exc_info"] is True


async def test_the_site_never_runs_ahead_of_the_published_log(context, tmp_path, monkeypatch):
    """It waits for the log, but takes down what was erased."""
    size, published, built, looked = 1, 0, [], asyncio.Event()

    async def read_published(_connection):
        looked.set()
        return PublishedLog(size=published, discards=0)

    async def build_site(*_):
        built.append(published)
        return SimpleNamespace(files=0, rendered=0)

    async def current(*_, as_of):
        return False

    async def after_a_look(times=3):
        for _ in range(times):
            looked.clear()
            await asyncio.wait_for(looked.wait(), PATIENCE)

    monkeypatch.setattr(tasks, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(site_keeping, "build_site", build_site)
    monkeypatch.setattr(site_keeping, "is_current", current)
    monkeypatch.setattr(site_keeping, "read_published", read_published)
    async with context.database.connection() as connection:
        size = (await log.read_state(connection)).range.size
    settings = Settings(data_dir=tmp_path)
    working = asyncio.create_task(keep_site_current(settings, context))
    await after_a_look()
    assert built == []
    published = size
    await after_a_look()
    assert set(built) == {size}
    # Behind again, with something erased that the site in force still shows.
    published, built[:] = size - 1, []
    await after_a_look()
    built.clear()
    await after_a_look()
    assert built == []
    settings.site_dir.mkdir()
    (settings.site_dir / "build.json").write_text(BUILT)
    await after_a_look()
    assert set(built) == {size - 1}
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working


BUILT = """{"as_of": "2026-11-24T00:00:00Z", "base_url": "", "log": {"size": 1, "root": ""},
 "erasures": 1, "replaced": 0, "agencies": "", "imports": [0, 0], "peers": "", "witnesses": ""}"""


async def test_rows_are_derived_again_before_each_signature_and_in_turn(
    logged, pack, settings, record, publication, publish_it
):
    context = ServiceContext(database=logged, pack=pack, random=secrets.token_bytes)

    async def publish(*slugs):
        async with logged.transaction() as connection:
            documents = [record | {"id": f"demo-sante/{slug}"} for slug in slugs]
            given = [publication(one) for one in documents]
            await append.publish(
                connection,
                given,
                guard=given_times(),
                now=NOW,
                random=secrets.token_bytes,
            )
        await publish_it()

    async def forge(statement):
        async with logged.connection() as connection:
            await connection.execute(statement)

    async def is_found():
        try:
            await checks.go_on(now=now)
        except LogRefused as error:
            assert "sector" in error.detail  # noqa: PT017  only then is it said to be found
            return True
        return False

    checks, now = runner.RowChecks(settings, context), NOW
    await publish("a", "b")
    assert not await is_found()
    await forge("update figure set sector = 'justice' where entry = 1")
    assert not await is_found()
    now += dt.timedelta(minutes=5)
    assert await is_found()
    async with logged.connection() as connection:
        assert "table figure" in await log_checks.read_fault(connection)
    assert not await is_found()
    await forge("update figure set sector = 'health' where entry = 1")
    await check_database(logged, settings, progress=lambda *_: None)
    await publish("c")
    await forge("update figure set sector = 'justice' where entry = 3")
    with pytest.raises(LogRefused, match="sector"):
        await publish("d")


async def test_a_cell_that_is_no_json_is_a_fault_and_hides_no_later_one(
    logged, pack, settings, publish_it, record, publication, monkeypatch
):
    async with logged.transaction() as connection:
        given = [publication(record | {"id": f"demo-sante/{slug}"}) for slug in "abc"]
        await append.publish(
            connection, given, guard=given_times(), now=NOW, random=secrets.token_bytes
        )
    await publish_it()
    async with logged.transaction() as connection:
        await connection.execute("set local session_replication_role = replica")
        await connection.execute("update version set change_note = 'x' where entry = 1")
        await connection.execute(
            "update search_version set codes = replace(codes, 'minimal', 'high') where ord = 1"
        )
        await connection.execute("update figure set sector = 'justice' where entry = 3")
    monkeypatch.setattr(runner, "WIDTH", 1)
    context = ServiceContext(database=logged, pack=pack, random=secrets.token_bytes)
    checks, found, noted = runner.RowChecks(settings, context), [], []
    for minutes in range(0, 20, 5):
        now = NOW.replace(hour=0, minute=0) + dt.timedelta(minutes=minutes)
        try:
            await checks.go_on(now=now)
        except LogRefused as error:
            found.append(error.detail)
            async with logged.connection() as connection:
                noted.append(await log_checks.read_fault(connection))
    assert noted == [f"{found[0].splitlines()[0]}; and 1 more", found[1]]
    assert [[word in one for word in ("entry 1", "entry 3")] for one in found] == [
        [True, False],
        [False, True],
    ]
    # The same part has a search row that was forged.
    assert re.search(r'table version, .*change_note is "x"', found[0])
    assert re.search(r'table search_version, .*codes is .*"risk":\["high"\]', found[0])


async def test_work_tells_what_fails_and_what_it_has(context, tmp_path, monkeypatch):
    async def fails(*_, **__):
        raise Unavailable("no room")

    for task in ("publish", "harvest_due", "chain_acts"):
        monkeypatch.setattr(runner, task, fails)
    monkeypatch.setattr(heartbeat, "INTERVAL_SECONDS", 0.05)
    settings = Settings(data_dir=tmp_path, site_build="manual")
    working = asyncio.create_task(runner.work(settings, context))

    async def told():
        async with context.database.connection() as connection:
            return await heartbeats.read_all(connection)

    async with asyncio.timeout(PATIENCE):
        while max((len(one.figures.faults) for one in await told()), default=0) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working
    [one] = await told()
    assert (one.process, one.host) == ("work", platform.node())
    assert one.figures.faults == {
        "the log could not be published": "no room",
        "no peer could be harvested": "no room",
        "the audit trail could not be chained": "no room",
    }
    assert one.figures.has_key is False
    assert one.figures.version == __version__
    assert one.figures.disk_free_bytes > 0
