"""`registry up`, whole: what it serves, what a filing does, and what is left when it ends."""

import asyncio
import copy
import ctypes
import os
import signal
import socket
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Thread

import asyncpg
import httpx
import psutil
import pytest

from registry.cli import serve
from registry.cli import up as cli_up
from registry.cli.main import main
from registry.record.codelists import read_rows
from registry.record.pack import load_pack
from registry.resources import RECORDS
from tests import drawn
from tests.built import share_templates
from tests.crash.invariants import broken_laws
from tests.crash.register import belonging_to, free_port, kill_all
from tests.served import copy_register, until

PATIENCE = 180

pytestmark = pytest.mark.xdist_group("up")


def answers(client, path):
    """Return whether it answers in time: no request waits longer than 10 s for a database."""
    try:
        return client.get(path, timeout=15).status_code == 200
    except httpx.TransportError:
        return False


class Running:
    """A register that runs on its own folder and port."""

    def __init__(self, environment, data, warm):
        self.data = data
        self._warm = warm
        self.port = free_port()
        self.environment = environment | {"REGISTRY_DATA_DIR": str(data)}
        self.process = None
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=PATIENCE)

    def launch(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "registry", "up", "--port", str(self.port)],
            env=self.environment,
            cwd=self.data,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return self.process

    def start(self):
        self.launch()
        until(lambda: answers(self.client, "/health/ready") or self.process.poll() is not None)
        assert self.process.poll() is None, self.process.communicate()[0]

    def end(self, number):
        self.process.send_signal(number)
        output = self.process.communicate(timeout=PATIENCE)[0]
        until(lambda: belonging_to(self.data) == [])
        return output

    def run(self, *arguments):
        return self._warm.run([*map(str, arguments)], cwd=self.data, environment=self.environment)

    def agency(self):
        made = self.run("token", "create", "--agency", "demo-sante", "--scope", "file")
        assert made.returncode == 0, made.stderr
        return {"authorization": f"Bearer {made.stdout.strip()}"}

    def file(self, headers, document):
        path = f"/api/v1/filings/{document['id']}"
        saved = self.client.put(path, json=document, headers=headers | {"if-none-match": "*"})
        assert saved.status_code == 201, saved.text
        done = self.client.post(f"{path}/submit", headers=headers)
        assert done.status_code == 201, done.text
        return done.json()


@pytest.fixture
def up(environment, data, warm):
    share_templates(data)
    running = Running(environment, data, warm)
    yield running
    running.client.close()
    kill_all(data)
    if running.process is not None:
        # Shown when the test has failed.
        sys.stdout.write(running.process.communicate()[0] or "")


def in_the_log(url):
    async def read():
        connection = await asyncpg.connect(url)
        rows = await connection.fetch("select record from log_entry where record is not null")
        await connection.close()
        return {row["record"] for row in rows}

    return asyncio.run(read())


def test_one_command_is_a_register_killed_or_not_and_its_end_leaves_nothing(up, record):
    # Killed while it fills the empty register: the next start finishes that.
    process = up.launch()
    until(lambda: (up.data / "loading").exists() or process.poll() is not None)
    up.end(signal.SIGKILL)
    assert (up.data / "loading").exists()
    up.start()
    assert not (up.data / "loading").exists()
    names = {path.name.split(".")[0] for path in RECORDS.glob("*/*.json")}
    withdrawn = {row["id"].split("/")[1] for row in read_rows(RECORDS / "withdrawals.csv")}
    url = f"postgresql://postgres@/registry?host={up.data / 'postgres'}"
    assert {record.split("/")[1] for record in in_the_log(url)} == names >= withdrawn
    assert asyncio.run(broken_laws(url, load_pack("ma"))) == []

    for path in ("/", "/ar/", "/fr/", "/zgh/", "/en/"):
        page = up.client.get(path)
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        assert '<html lang="' in page.text
    found = up.client.get("/api/v1/records?risk=high").json()
    assert found["total"] == len(found["items"]) > 0
    assert {item["risk"] for item in found["items"]} == {"high"}

    # The demonstration has a history, and the log says until when its times are invented.
    early = up.client.get("/api/v1/records?as_of=2025-06-01&limit=1").json()["total"]
    assert 0 < early < up.client.get("/api/v1/records?limit=1").json()["total"]
    assert up.run("log", "verify").returncode == 0

    headers = up.agency()
    document = copy.deepcopy(record)
    document["id"] = "demo-sante/arganier-test"
    document["source_id"] = "ARGANIER"
    document["name"]["fr"] = "Suivi zellijographe"
    draft = f"/api/v1/filings/{document['id']}"
    incomplete = {key: value for key, value in document.items() if key != "purpose"}
    saved = up.client.put(draft, json=incomplete, headers=headers | {"if-none-match": "*"})
    refused = up.client.post(f"{draft}/submit", headers=headers)
    assert (refused.status_code, refused.headers["content-type"]) == (
        422,
        "application/problem+json",
    )
    assert {one["pointer"] for one in refused.json()["findings"]} >= {"/purpose/goal"}
    mended = up.client.put(
        draft, json=document, headers=headers | {"if-match": saved.headers["etag"]}
    )
    assert mended.json()["publishable"] is True
    receipt = up.client.post(f"{draft}/submit", headers=headers).json()
    assert receipt["version"] == 1
    assert receipt["links"]["record"].startswith(f"http://127.0.0.1:{up.port}/")
    at_once = up.client.get("/api/v1/records", params={"q": "zellijographe"}).json()
    assert [item["id"] for item in at_once["items"]] == [document["id"]]
    until(lambda: answers(up.client, f"/fr/records/{document['id']}"))
    assert "zellijographe" in up.client.get(f"/fr/records/{document['id']}").text

    output = up.end(signal.SIGINT)
    assert f"http://127.0.0.1:{up.port}/" in output
    assert "Traceback" not in output
    assert up.process.returncode in {0, 130}
    assert not (up.data / "postgres" / "postmaster.pid").exists()


def test_the_command_for_another_link_leads_to_this_register_until_a_signal_ends_it(up):
    copy_register(up.data, load=True)
    up.environment |= {"REGISTRY_SITE_BUILD": "manual"}
    up.start()
    up.environment |= {"REGISTRY_PORT": str(up.port)}
    made = up.run("member", "link", "1")
    address = made.stdout.strip()
    assert httpx.URL(address).port == up.port
    assert up.client.get(address, follow_redirects=True).status_code == 200
    output = " ".join(up.end(signal.SIGTERM).split())
    told = f"REGISTRY_DATA_DIR={up.data} REGISTRY_PORT={up.port} registry member link 1 or 2"
    assert told in output
    assert "Traceback" not in output


@pytest.mark.parametrize("moment", ["postgres/postmaster.pid", "site/index.html"])
def test_a_signal_at_any_moment_of_its_start_ends_it(up, tmp_path, moment):
    # A register of a country without records starts in a moment.
    drawn.write_country(tmp_path / "packs")
    up.environment |= {"REGISTRY_PACK": drawn.CODE, "REGISTRY_PACKS": str(tmp_path / "packs")}
    process = up.launch()
    until(lambda: (up.data / moment).exists() or process.poll() is not None)
    assert "Traceback" not in up.end(signal.SIGTERM)
    assert process.returncode == 0


def test_a_signal_that_another_thread_is_given_ends_it(up):
    # The kernel may choose any of a process: here it is told to, while the main one waits.
    copy_register(up.data, load=False)
    up.start()
    other = next(one.id for one in psutil.Process(up.process.pid).threads()[1:])
    assert ctypes.CDLL(None).tgkill(up.process.pid, other, signal.SIGTERM) == 0
    assert "Traceback" not in up.process.communicate(timeout=PATIENCE)[0]
    assert up.process.returncode == 0


def test_a_signal_between_filling_and_serving_ends_it(database_url, tmp_path, monkeypatch):
    def fill(*_):
        signal.raise_signal(signal.SIGTERM)
        return []

    monkeypatch.setenv("REGISTRY_DATABASE_URL", database_url)
    monkeypatch.setattr(cli_up, "prepare_register", fill)
    end_by_itself(tmp_path, monkeypatch)


def end_by_itself(data, monkeypatch):
    """Run the command here; the server, if it comes to that, is told to end at once."""
    told = []
    monkeypatch.setattr(
        cli_up, "run_server", lambda _, terminated: told.append(terminated.is_set())
    )
    before = signal.getsignal(signal.SIGTERM)
    try:
        main(["up", "--data", str(data), "--port", str(free_port())])
    finally:
        signal.signal(signal.SIGTERM, before)
    assert all(told)


async def is_passed_over():
    """In a callback of an object's end no exception reaches who calls."""
    ending = Thread()
    called = weakref.ref(ending, lambda _: signal.raise_signal(signal.SIGTERM))
    del ending
    await asyncio.sleep(PATIENCE)
    pytest.fail(f"{called} ended nothing")


async def is_late():
    """It comes while the loop of events closes, and waits for its threads."""
    executor, loop = ThreadPoolExecutor(1), asyncio.get_running_loop()

    def terminate():
        until(lambda: executor._shutdown)
        os.kill(os.getpid(), signal.SIGTERM)

    loop.set_default_executor(executor)
    loop.run_in_executor(None, terminate)


@pytest.mark.parametrize("comes", [is_passed_over, is_late])
def test_a_signal_in_the_loop_of_events_ends_it(comes, database_url, tmp_path, monkeypatch):
    async def prepare(*_):
        await comes()
        return []

    monkeypatch.setenv("REGISTRY_DATABASE_URL", database_url)
    monkeypatch.setattr(cli_up, "prepare", prepare)
    end_by_itself(tmp_path, monkeypatch)


def test_a_port_that_was_taken_while_it_filled_the_register_is_told(
    database_url, tmp_path, monkeypatch, capsys
):
    port = free_port()
    monkeypatch.setenv("REGISTRY_DATABASE_URL", database_url)
    monkeypatch.setattr(serve, "_WORKERS_GONE_SECONDS", 0)
    with ExitStack() as taken:

        def fill(ready, _):
            taken.enter_context(socket.create_server(("127.0.0.1", ready.port)))
            return []

        monkeypatch.setattr(cli_up, "prepare_register", fill)
        with pytest.raises(SystemExit) as ended:
            main(["up", "--data", str(tmp_path), "--port", str(port)])
    told = capsys.readouterr()
    assert ended.value.code == 2
    assert f"port {port} on 127.0.0.1 cannot be had" in " ".join(told.err.split())
    assert told.out == ""
