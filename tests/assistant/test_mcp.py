"""An assistant asks a register: by the client of the protocol's own SDK, over both transports."""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qsl

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
def over_http(register):
    port = free_port()
    running = subprocess.Popen(
        [sys.executable, "-m", "registry", "mcp", register.url, "--port", str(port)],
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
            assert {name: there.json()[name] for name in found["answer"]} == found["answer"]
            assert "total" in found["answer"]
            assert dict(parse_qsl(found["address"]))["as_of"] == f"entry:{found['entry']}"
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


async def test_what_cannot_be_cited_is_not_said(register):
    other = "other.example/log+12345678+AZFJy1x5I2f6RmCFRVqr+nONhS4+VvAJniGdrYkpMxnC"
    size = int(got(f"{register.url}/log/checkpoint").text.split("\n")[1])
    async with over_stdio(register) as client:
        for name, arguments, why in (
            ("count", {"question": "risq=high"}, "risk"),
            ("count", {"question": "", "as_of": f"entry:{size}"}, ""),
            ("read", {"record": "demo-sante/none"}, ""),
            ("prove", {"record": RECORD, "version": 99}, ""),
        ):
            refused = await client.call_tool(name, arguments)
            assert refused.is_error, name
            assert why in refused.content[0].text
            assert "Traceback" not in refused.content[0].text
    wrong = register.register.run("mcp", register.url, "--key", other)
    assert wrong.returncode == 2, wrong.stderr


async def test_it_serves_over_http_too(register):
    with over_http(register) as address:
        async with Client(address) as client:
            found = await told(client, "count", question="risk=high&facets=sector")
    assert got(found["address"]).json()["total"] == found["answer"]["total"] > 0


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
