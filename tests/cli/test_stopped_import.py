"""An import that is stopped by Ctrl-C: what it had finished stays, and the next one goes on."""

import asyncio
import json
import signal
import subprocess
import sys

import pytest

from registry.store import imports
from registry.store.database import connect
from tests.conftest import ROOT

BATCH = 250
ROWS = 700
BLOCKED = "xa.parks/600"
PATIENCE = 60
WAITS = """
select exists (
    select from pg_locks as l inner join pg_database as d on d.oid = l.database
    where l.locktype = 'advisory' and not l.granted and d.datname = current_database()
)
"""


@pytest.fixture
def source(tmp_path):
    """A crosswalk and a file of three batches."""
    said = json.loads((ROOT / "tests/data/crosswalks/xa-register.json").read_text(encoding="utf-8"))
    crosswalk, file = tmp_path / "crosswalk.json", tmp_path / "systems.csv"
    crosswalk.write_text(json.dumps(said | {"country": "AX"}), encoding="utf-8")
    rows = [f"{number},Parks,System {number},Does {number}.,2026" for number in range(ROWS)]
    file.write_text("\n".join(["no,office,title,goal,seen", *rows, ""]), encoding="utf-8")
    return str(crosswalk), str(file)


async def interrupt_in_third_batch(database_url, start):
    """Start an import while a record of its last batch is locked, and stop it as it waits."""
    database = await connect(database_url)
    async with database.connection() as connection:
        await connection.execute("select pg_advisory_lock(hashtextextended($1, 0))", BLOCKED)
        process = start()
        try:
            async with asyncio.timeout(PATIENCE):
                while not await connection.fetchval(WAITS):
                    assert process.poll() is None, process.communicate()
                    await asyncio.sleep(0.05)
            process.send_signal(signal.SIGINT)
            try:
                said = await asyncio.to_thread(process.communicate, timeout=PATIENCE / 4)
            except subprocess.TimeoutExpired:
                # PostgreSQL was asked to end the statement, and may not have noticed.
                await connection.execute("select pg_advisory_unlock_all()")
                said = await asyncio.to_thread(process.communicate, timeout=PATIENCE)
        finally:
            process.kill()
            process.communicate()
            await connection.execute("select pg_advisory_unlock_all()")
    await database.close()
    return process.returncode, said


async def runs(database_url):
    database = await connect(database_url)
    async with database.connection() as connection:
        found = await imports.read_runs(connection, limit=9)
        published = await connection.fetchval(
            "select count(*) from record where origin is not null"
        )
    await database.close()
    return found, published


def test_what_was_finished_stays_and_the_next_import_goes_on(
    with_database, environment, database_url, source, tmp_path
):
    own = {"REGISTRY_DATABASE_URL": database_url, "REGISTRY_DATA_DIR": str(tmp_path)}

    def start():
        # A suite that was begun in the background ignores interrupts, and so would this process.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return subprocess.Popen(
                [sys.executable, "-m", "registry", "import", *source],
                env=environment | own,
                cwd=tmp_path,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        finally:
            signal.signal(signal.SIGINT, before)

    code, (out, err) = asyncio.run(interrupt_in_third_batch(database_url, start))
    assert (code, out) == (130, "")
    assert "Traceback" not in err
    said = "stopped after 500 of 700 records, which stay; import the file again to go on"
    assert err.splitlines().count(said) == 1
    [stopped], published = asyncio.run(runs(database_url))
    assert (stopped.ended_at, stopped.counts.added, published) == (None, 2 * BATCH, 2 * BATCH)

    again = with_database("import", *source)
    assert again.returncode == 0, again.stderr
    [ended, _], published = asyncio.run(runs(database_url))
    assert (ended.counts.added, ended.counts.unchanged) == (ROWS - 2 * BATCH, 2 * BATCH)
    assert published == ROWS
    assert ended.ended_at is not None
