"""An assistant asks a register: by the client of the protocol's own SDK, over both transports."""

import asyncio
import datetime as dt
import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.crash.register import environment, free_port
from tests.guides import needs
from tests.served import PATIENCE, UNLIMITED, served

PAGE = Path(__file__).parents[2] / "docs/auditing.md"
RECORD = "demo-sante/triage-radiographies"


@pytest.fixture(scope="module")
def register():
    with served(load=True, workers=1, **UNLIMITED) as running:
        done = running.register.run("log", "publish")
        assert done.returncode == 0, done.stderr
        yield running


def got(address):
    return httpx.get(address, timeout=PATIENCE)


@contextmanager
def over_http(register, *options):
    port = free_port()
    running = subprocess.Popen(
        [sys.executable, "-m", "registry", "mcp", register.url, "--port", str(port), *options],
        env=environment(),
    )
    try:
        until = time.monotonic() + PATIENCE
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            assert running.poll() is None
            assert time.monotonic() < until
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        running.terminate()
        running.wait(PATIENCE)


def over_stdio(register, *options):
    command = ["-m", "registry", "mcp", register.url, *options]
    asked = StdioServerParameters(command=sys.executable, args=command, env=environment())
    return Client(stdio_client(asked))


async def told(client, name, **arguments):
    found = await client.call_tool(name, arguments)
    assert not found.is_error, found.content
    return found.structured_content


def questions(folder):
    """What the calls of the fifty questions ask of the search, noted by functions of the shell."""
    body = PAGE.read_text("utf-8").partition("## Fifty questions")[2]
    calls = re.findall(r"^#### \w+\. .*?^```sh\n(.*?)^```", body, re.DOTALL | re.MULTILINE)
    noting = """
curl() { echo '{}'; }
ask() { printf '%s\\n' "$1" >> asked; echo null; }
facet() { ask "$1&facets=$2"; }
table() { ask "$1&by=$2"; }
"""
    for call in calls:
        subprocess.run(
            ["bash", "-c", noting + call],
            cwd=folder,
            capture_output=True,
            check=False,
            env={**os.environ, "REGISTRY": "http://none.example"},
        )
    return list(dict.fromkeys((folder / "asked").read_text("utf-8").split("\n")[:-1]))


def test_each_question_has_an_address_that_gives_the_same_number(register, tmp_path):
    needs("bash", "jq")
    asked = questions(tmp_path)
    assert len(asked) > 40
    before = register.rows()
    asyncio.run(ask_each(register, asked))
    assert register.rows() == before


async def ask_each(register, asked):
    async with over_stdio(register) as client:
        listed = (await client.list_tools()).tools
        assert {one.name for one in listed} == {"search", "read", "compare", "count", "prove"}
        assert all(one.annotations.read_only_hint for one in listed)
        for question in asked:
            found = await told(client, "count", question=question)
            there = got(found["address"])
            assert there.status_code == 200, question
            assert there.json() == found["answer"]
            assert "total" in found["answer"]
            assert found["proof"]["checkpoint"].split("\n")[1] == str(found["entry"] + 1)
        [described] = (
            await client.read_resource(f"{register.url}/api/v1/openapi-read.json")
        ).contents
        assert json.loads(described.text)["paths"]


async def test_what_is_read_compared_and_proven_is_what_the_log_has(register):
    key = got(f"{register.url}/api/v1/records/{RECORD}/proof").json()["key"]
    async with over_stdio(register, "--key", key) as client:
        found = await told(client, "search", question="q=radiographies&lang=fr", limit=1)
        [item] = found["answer"]["items"]
        assert got(item["address"]).json()["record"]["id"] == item["id"]
        assert "version_entry" in got(item["proof"]).json()
        read = await told(client, "read", record=RECORD)
        assert got(read["address"]).json() == read["answer"]
        assert read["entry"] == read["answer"]["register"]["entry"]
        compared = await told(client, "compare", record=RECORD, before=2, after=3)
        assert got(compared["address"]).json() == compared["answer"]
        assert len(compared["proof"]) == 2
        proven = await told(client, "prove", record=RECORD, version=2)
        assert proven["answer"]["version"] == 2
        assert proven["proof"]["leaf"] == compared["answer"]["from"]["hash"]


async def test_an_answer_is_that_of_its_receipt_and_its_address_names_one_moment(register):
    day = dt.datetime.now(dt.UTC).date().isoformat()
    async with over_stdio(register) as client:
        for moment in ("entry:5", day, ""):
            found = await told(client, "count", question="risk=high", as_of=moment)
            receipt = got(f"{found['address']}&receipt=1").json()
            assert found["address"] == f"{register.url}{receipt['question']}"
            assert dict(parse_qsl(urlsplit(found["address"]).query))["as_of"] != day
            assert (found["entry"], found["answer"]) == (receipt["entry"], receipt["answer"])
            told_of = {name: found["proof"][name] for name in ("root", "checkpoint", "code")}
            assert told_of == {name: receipt[name] for name in told_of}
        row = ("demo-later", "--name", "fr=Plus tard", "--kind", "ministry", "--fictitious")
        added = register.register.run("agency", "add", *row)
        assert added.returncode == 0, added.stderr
        assert register.register.run("log", "publish").returncode == 0
        later = await told(client, "count", question="risk=high", as_of=day)
        assert later["entry"] > found["entry"]
        one = await told(client, "search", question="risk=high&limit=1")
        assert len(one["answer"]["items"]) == 1
        assert "never an instruction" in client.instructions
        assert not any("\n  " in one.description for one in (await client.list_tools()).tools)


def test_what_it_gives_for_a_check_checks_it(register, tmp_path):
    needs("bash", "curl")

    async def ask():
        async with over_stdio(register) as client:
            return await told(client, "count", question="risk=high")

    check = asyncio.run(ask())["proof"]["check"]
    command = check.replace("registry verify", f"{sys.executable} -m registry verify")
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=tmp_path,
        env=environment() | {"XDG_STATE_HOME": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "the register of that day answers this" in done.stderr


async def test_what_cannot_be_cited_is_not_said(register):
    other = "other.example/log+12345678+AZFJy1x5I2f6RmCFRVqr+nONhS4+VvAJniGdrYkpMxnC"
    size = int(got(f"{register.url}/log/checkpoint").text.split("\n")[1])
    async with over_stdio(register) as client:
        for name, arguments, why in (
            ("count", {"question": "risq=high"}, "risk"),
            ("count", {"question": "", "as_of": f"entry:{size}"}, f"there is no entry:{size} yet"),
            ("count", {"question": "", "as_of": "entry:" + "9" * 5000}, "as_of: "),
            ("search", {"question": "receipt=1"}, "receipt: "),
            ("search", {"question": "limit=3&limit=3"}, "limit: "),
            ("read", {"record": "demo-sante/none"}, "demo-sante/none"),
            ("read", {"record": ""}, "<agency>/<slug>"),
            ("read", {"record": f"{RECORD}/versions"}, "<agency>/<slug>"),
            ("read", {"record": "../../api/v1/agencies"}, "<agency>/<slug>"),
            ("compare", {"record": "a/b?c", "before": 1, "after": 2}, "<agency>/<slug>"),
            ("prove", {"record": RECORD, "version": 99}, "99"),
        ):
            refused = await client.call_tool(name, arguments)
            assert refused.is_error, name
            assert why in refused.content[0].text, (name, arguments, refused.content[0].text)
            assert "Traceback" not in refused.content[0].text
    wrong = register.register.run("mcp", register.url, "--key", other)
    assert wrong.returncode == 2, wrong.stderr


async def test_it_serves_over_http_too(register):
    with over_http(register) as address:
        async with Client(address) as client:
            found = await told(client, "count", question="risk=high&facets=sector")
    assert got(found["address"]).json()["total"] == found["answer"]["total"] > 0


def test_whoever_reaches_it_by_another_name_or_from_another_site_is_refused(register):
    asked = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    took = {"accept": "application/json, text/event-stream"}
    every = ("--host", "0.0.0.0")  # noqa: S104  it is what is tested
    with over_http(register, *every, "--allowed-host", "ask.example") as address:
        for status, headers in (
            (200, {}),
            (200, {"host": "ask.example", "origin": "https://ask.example"}),
            (421, {"host": "evil.example"}),
            (403, {"host": "ask.example:8000", "origin": "https://evil.example"}),
        ):
            answer = httpx.post(address, json=asked, headers=took | headers, timeout=PATIENCE)
            assert answer.status_code == status, (headers, answer.text)


def test_without_the_optional_dependency_it_says_what_to_install():
    code = """import sys
sys.modules["mcp"] = None
from registry.__main__ import main
main(["mcp", "http://127.0.0.1:9"])"""
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "public-algorithm-register[mcp]" in done.stderr
    assert "Traceback" not in done.stderr
