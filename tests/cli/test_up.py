"""`registry up`, whole: what it serves, what a filing does, and what is left when it ends."""

import asyncio
import copy
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import asyncpg
import httpx
import psutil
import pytest

PATIENCE = 60
SITE_SECONDS = 15
FILINGS = 150

pytestmark = pytest.mark.xdist_group("up")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def until(condition, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)
    return found


def answers(client, path):
    try:
        return client.get(path).status_code == 200
    except httpx.TransportError:
        return False


def belonging_to(data):
    """Every process that has to do with a data folder: servers, workers, guardians, PostgreSQL."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd", "environ", "status"]):
        told = process.info
        if told["status"] == psutil.STATUS_ZOMBIE or process.pid == os.getpid():
            continue
        words = [*(told["cmdline"] or []), told["cwd"] or ""]
        named = (told["environ"] or {}).get("REGISTRY_DATA_DIR", "")
        if any(str(data) in word for word in (*words, named)):
            found.append(process)
    return found


class Running:
    """A register that runs on its own folder and port."""

    def __init__(self, environment, data):
        self.data = data
        self.port = free_port()
        self.environment = environment | {"REGISTRY_DATA_DIR": str(data)}
        self.process = None
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "registry", "up", "--port", str(self.port)],
            env=self.environment,
            cwd=self.data,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        until(lambda: answers(self.client, "/health/ready") or self.process.poll() is not None)
        assert self.process.poll() is None, self.process.communicate()[0]

    def end(self, number):
        self.process.send_signal(number)
        output = self.process.communicate(timeout=PATIENCE)[0]
        until(lambda: belonging_to(self.data) == [])
        return output

    def run(self, *arguments):
        return subprocess.run(
            [sys.executable, "-m", "registry", *map(str, arguments)],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

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
def up(environment, data):
    running = Running(environment, data)
    yield running
    running.client.close()
    for process in belonging_to(data):
        process.kill()
    if running.process is not None:
        running.process.communicate()


def of_rows(url):
    """Read the log's rows and recompute from them what the state says, with none of our code."""

    async def read():
        connection = await asyncpg.connect(url)
        rows = await connection.fetch("select index, record, bytes, leaf from log_entry order by 1")
        state = await connection.fetchrow("select size, peaks from log_state")
        await connection.close()
        return rows, state

    rows, state = asyncio.run(read())
    assert [row["index"] for row in rows] == list(range(len(rows)))
    leaves = [hashlib.sha256(b"\x00" + row["bytes"]).digest() for row in rows]
    assert [row["leaf"] for row in rows] == leaves
    peaks, start = [], 0
    for bit in reversed(range(len(leaves).bit_length())):
        if len(leaves) >> bit & 1:
            peaks.append(perfect(leaves[start : start + (1 << bit)]))
            start += 1 << bit
    assert (state["size"], state["peaks"]) == (len(leaves), b"".join(peaks))
    return {row["record"]: (row["index"], row["leaf"].hex()) for row in rows}


def perfect(leaves):
    while len(leaves) > 1:
        pairs = zip(leaves[::2], leaves[1::2], strict=True)
        leaves = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return leaves[0]


def test_one_command_is_a_register_and_its_end_leaves_nothing(up, record):
    up.start()
    for path in ("/", "/ar/", "/fr/", "/zgh/", "/en/"):
        page = up.client.get(path)
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        assert '<html lang="' in page.text
    found = up.client.get("/api/v1/records?risk=high").json()
    assert found["total"] == len(found["items"]) > 0
    assert {item["risk"] for item in found["items"]} == {"high"}

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
    until(lambda: answers(up.client, f"/fr/records/{document['id']}"), SITE_SECONDS)
    assert "zellijographe" in up.client.get(f"/fr/records/{document['id']}").text

    output = up.end(signal.SIGINT)
    assert f"http://127.0.0.1:{up.port}/" in output
    assert "Traceback" not in output
    assert up.process.returncode in {0, 130}
    assert not (up.data / "postgres" / "postmaster.pid").exists()


def test_a_term_signal_ends_everything_too(up):
    up.start()
    output = up.end(signal.SIGTERM)
    assert "Traceback" not in output


def test_killed_during_a_stream_of_filings_it_loses_nothing_acknowledged(up, record):
    up.start()
    headers = up.agency()
    receipts = []
    half = threading.Event()

    def stream():
        try:
            for number in range(FILINGS):
                document = record | {
                    "id": f"demo-sante/stream-{number}",
                    "source_id": f"S-{number}",
                }
                receipts.append(up.file(headers, document))
                if number == FILINGS // 2:
                    half.set()
        except httpx.TransportError:
            pass

    filing = threading.Thread(target=stream)
    filing.start()
    assert half.wait(PATIENCE)
    up.end(signal.SIGKILL)
    filing.join(PATIENCE)
    assert FILINGS // 2 < len(receipts) < FILINGS

    up.start()
    url = f"postgresql://postgres@/registry?host={up.data / 'postgres'}"
    kept = of_rows(url)
    for receipt in receipts:
        assert kept[receipt["id"]] == (receipt["entry"], receipt["hash"])
        answer = up.client.get(f"/api/v1/records/{receipt['id']}")
        assert answer.json()["register"]["hash"] == receipt["hash"]
    size = len(kept)
    after = {"id": "demo-sante/after-the-crash", "source_id": "AFTER"}
    more = up.file(headers, record | after)
    assert more["entry"] >= size - 1
    assert of_rows(url)["demo-sante/after-the-crash"] == (more["entry"], more["hash"])
    up.end(signal.SIGINT)
    assert not (up.data / "postgres" / "postmaster.pid").exists()
