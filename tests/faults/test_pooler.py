"""PgBouncer in front of PostgreSQL, which lends its connections by transaction or session."""

import asyncio
import os
import pwd
import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from registry.errors import Unavailable
from registry.store.database import connect
from registry.store.heartbeats import leadership
from registry.store.migrate import migrate, read_migrations
from tests.crash.invariants import broken_laws
from tests.crash.register import free_port
from tests.prepared import make_folder

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
PATIENCE = 60
CONFIGURATION = """
[databases]
* = host={host} port=5432 user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = 8
logfile = {folder}/pgbouncer.log
"""

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="pgbouncer is not installed")


@pytest.fixture(params=["transaction", "session"])
def pooled(request, server):
    """Return the address of a database through a pooler, as a function of its own address."""
    folder = make_folder("pb")
    [host] = parse_qs(urlsplit(server.url).query)["host"]
    port = free_port()
    file = folder / "pgbouncer.ini"
    file.write_text(
        CONFIGURATION.format(host=host, port=port, mode=request.param, folder=folder), "utf-8"
    )
    command = [PROGRAM, str(file)]
    if os.geteuid() == 0:
        # It refuses to run as root, and only the server's user may enter the socket's folder.
        owner = pwd.getpwuid(Path(host).stat().st_uid)
        for path in (folder, file):
            os.chown(path, owner.pw_uid, owner.pw_gid)
        command[1:1] = ["-u", owner.pw_name]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield lambda url: f"postgresql://postgres@127.0.0.1:{port}{urlsplit(url).path}"
    process.kill()
    process.wait()
    shutil.rmtree(folder)


async def opened(url, **options):
    """Connect as soon as the pooler listens."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return await connect(url, **options)
        except Unavailable:
            assert time.monotonic() < until, "the pooler does not listen"
        await asyncio.sleep(0.05)


async def test_an_agency_files_through_it(pooled, agency_at, database_url, pack):
    url = pooled(database_url)
    await (await opened(url)).close()
    async with agency_at(url) as agency:
        documents = [agency.document(f"pooled-{number}") for number in range(8)]
        await asyncio.gather(*(agency.publish(document) for document in documents))
        for document in documents:
            assert (await agency.ask("GET", f"records/{document['id']}")).status_code == 200
        assert (await agency.ask("GET", "records?q=lits")).status_code == 200
    assert await broken_laws(database_url, pack) == []


async def test_processes_that_start_together_migrate_once_and_leave_no_lock(pooled, empty_url):
    several = [await opened(pooled(empty_url), size=2) for _ in range(4)]
    applied = await asyncio.gather(*(migrate(one) for one in several))
    numbers = sorted(migration.number for one in applied for migration in one)
    assert numbers == [one.number for one in read_migrations()]
    for one in several:
        await one.close()
    directly = await connect(empty_url)
    async with directly.connection() as connection:
        held = (
            "select count(*) from pg_locks as l inner join pg_database as d on d.oid = l.database"
            " where l.locktype = 'advisory' and d.datname = current_database()"
        )
        assert await connection.fetchval(held) == 0
    await directly.close()


async def test_one_leads_at_a_time_however_many_others_ask(pooled, database_url):
    first, second = [await opened(pooled(database_url), size=4) for _ in range(2)]
    order = []

    async def lead(database, name):
        async with leadership(database, "runner") as still_leads:
            order.append(f"{name} begins")
            await asyncio.sleep(1)
            await still_leads()
            order.append(f"{name} ends")

    async def ask():
        for _ in range(100):
            async with second.connection() as connection:
                await connection.fetchval("select pg_sleep(0.01)")

    await asyncio.gather(lead(first, "first"), lead(second, "second"), ask(), ask())
    assert [one.split()[1] for one in order] == ["begins", "ends"] * 2
    for one in (first, second):
        await one.close()
