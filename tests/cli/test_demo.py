"""`registry demo hub`, whole: two registers and a witness, which end with it."""

import json
import re
import shutil
import signal
import subprocess
import sys
from functools import partial

import httpx
import pytest

from tests.built import share_templates
from tests.cli.conftest import environment_in, registry_in
from tests.conftest import make_cluster
from tests.crash.register import belonging_to, free_port, kill_all
from tests.prepared import copy_prepared, make_folder
from tests.served import until as until_it

PATIENCE = 300
until = partial(until_it, seconds=PATIENCE)
ID = "demo-sante/prevision-lits"

pytestmark = pytest.mark.xdist_group("up")


@pytest.fixture
def folder():
    made = make_folder("hub")
    for code in ("ma", "sn"):
        (made / "data" / code).mkdir(parents=True)
        copy_prepared("cluster", make_cluster, made / "data" / code)
        shutil.rmtree(made / "data" / code / "keys")  # of a register that is a template there
        share_templates(made / "data" / code)
    yield made
    kill_all(made)
    shutil.rmtree(made, ignore_errors=True)


def three_ports():
    while True:
        first = free_port()
        with httpx.Client(timeout=1) as client:
            taken = []
            for port in (first + 1, first + 2):
                try:
                    client.get(f"http://127.0.0.1:{port}/")
                    taken.append(port)
                except httpx.ConnectError:
                    pass
                except httpx.HTTPError:
                    taken.append(port)
        if not taken and first < 65000:
            return first


@pytest.fixture
def run(warm, tmp_path):
    """Run a command beside the demonstration; return what it prints."""
    registry = registry_in(tmp_path, warm)

    def of(*arguments, code=0, **settings):
        done = registry(*arguments, **settings)
        assert done.returncode == code, done.stderr
        return done.stdout

    return of


def published(client):
    """How many entries the checkpoint is of."""
    return int(client.get("/log/checkpoint").text.split("\n")[1])


def logged(client):
    """How many entries there are, published or not."""
    return client.get("/api/v1/changes", params={"limit": 1}).json()["size"]


@pytest.fixture
def clients():
    """Make clients of the two registers, by the port of the first."""
    made = []

    def make(port):
        made.extend(
            httpx.Client(base_url=f"http://127.0.0.1:{port + number}", timeout=60)
            for number in (0, 1)
        )
        return made

    yield make
    for one in made:
        one.close()


def test_two_registers_harvest_each_other_and_a_witness_cosigns_both(
    folder, clients, run, tmp_path, request
):
    port, output = three_ports(), folder / "output"
    with output.open("wb") as stream:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "registry", "demo", "hub",
                "--data", folder / "data", "--port", str(port),
            ],
            env=environment_in(tmp_path),
            stdout=stream,
            stderr=subprocess.STDOUT,
        )  # fmt: skip

        def is_up():
            assert process.poll() is None, output.read_text()
            return "Ctrl-C ends" in output.read_text()

        request.addfinalizer(process.wait)
        request.addfinalizer(process.kill)
        until(is_up)
    ours, theirs = clients(port)
    # Each shows what the other has, proven, and how it finds it.
    found = theirs.get(f"/api/v1/records/ma.{ID}").json()
    own = ours.get(f"/api/v1/records/{ID}").json()
    assert found["record"]["name"] == own["record"]["name"]
    source = found["register"]["source"]
    assert (source["origin"], source["leaf"]) == ("ma.demo.example/log", own["register"]["hash"])
    assert httpx.get(source["proof"]).text.startswith("c2sp.org/tlog-proof@v1")
    assert ours.get("/api/v1/records/sn.demo-semences/oiseaux-granivores").status_code == 200
    for client, other in ((ours, "sn"), (theirs, "ma")):
        [peer] = client.get("/api/v1/peers").json()["items"]
        assert (peer["code"], peer["state"], peer["set_apart"]) == (other, "consistent", [])
        until(lambda client=client: "— witness.demo " in client.get("/log/checkpoint").text)
        until(lambda client=client: "Trouvé en ordre." in client.get("/fr/peers").text)

    # What the output says to try, works.
    line = re.search(r"REGISTRY_DATA_DIR=(\S+) registry (withdraw .+)", output.read_text())
    run(*line[2].split(), data_dir=line[1])
    # The log is published a moment after; a harvest comes within two minutes, or now.
    until(lambda: published(ours) >= logged(ours))
    there = {"data_dir": folder / "data/sn", "pack": "sn", "peers_on_loopback": "on"}
    run("harvest", "ma", **there)
    withdrawn = line[2].split()[1]
    until(lambda: "withdrawn" in theirs.get(f"/api/v1/records/ma.{withdrawn}").text)

    [listed] = json.loads(run("peer", "list", **there))
    assert (listed["code"], listed["state"]) == ("ma", "consistent")
    assert json.loads(run("peer", "evidence", "ma", **there)) == []
    run("peer", "remove", "ma", **there)
    run("harvest", "ma", code=1, **there)
    run("peer", "add", "ma", ours.base_url, "--key", listed["key"], **there)

    process.send_signal(signal.SIGINT)
    process.wait(PATIENCE)
    assert process.returncode == 130, output.read_text()
    until(lambda: belonging_to(folder) == [])
