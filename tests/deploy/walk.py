"""A machine on which `deploy/README.md` is followed: installed, filed into, updated, stopped.

`python -m tests.deploy.walk FOLDER OLD NEW` in namespaces of its own for mounts, processes and
network. FOLDER is empty; OLD and NEW are folders of two releases, each with its wheel. The machine
is this one with all that is written kept apart, in memory, and a network of its own. Stand-ins:
`systemctl` (`tests.deploy.systemctl`), and `python3 -m venv` with its `pip`, which borrow what the
lock file names from the environment of the tests. It prints what happened as JSON.
"""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx

from tests.deploy.systemctl import LOGS, is_running

ROOT = Path(__file__).parents[2]
SITE = "https://algorithms.example"
CHECKPOINT = Path("/var/lib/registry/log/checkpoint")
ADDRESS, FILERS = "192.0.2.10", "192.0.2.11"
"""The machine's, and the one from which is filed: the proxy limits each by itself."""
CLIENTS = 3
PATIENCE = 300
PROGRAM = Path("/opt/registry")
CLUSTER = Path("/var/lib/postgresql/walk")
_AS_WORK = ("runuser", "-u", "registry-work", "--", "sh", "-ac")
_WITH_SETTINGS = '. /etc/registry/registry.env; exec /opt/registry/bin/registry "$@"'


def run(*words, **more):
    """Run a program to its end; the walk ends with what it says where it fails."""
    words = [*map(str, words)]
    # In a session of its own, so that what it started itself does not outlive its patience.
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True, **more,
    )  # fmt: skip
    try:
        told, _ = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        told, _ = process.communicate()
    if process.returncode:
        fail(f"{words}: {process.returncode}\n{told}")
    return told


def fail(why):
    """End the walk, with what the units and nginx have said."""
    logs = [*LOGS.glob("registry-*"), *LOGS.glob("nginx.out"), *LOGS.glob("nginx/error.log")]
    found = [
        line for log in logs for line in log.read_text().splitlines() if line.startswith("FINDING")
    ]
    os.write(
        2,
        "\n".join([why, *found, *(f"{log}:\n{log.read_text()[-2000:]}" for log in logs)]).encode(),
    )
    # Without waiting for threads.
    os._exit(1)


def enter(folder):
    """Become a process of a machine that is this one, and leaves no trace in it."""
    run("mount", "-t", "tmpfs", "walk", folder)
    upper, work, root = (folder / name for name in ("upper", "work", "root"))
    for path in (upper, work, root):
        path.mkdir()
    layers = f"lowerdir=/,upperdir={upper},workdir={work}"
    run("mount", "-t", "overlay", "overlay", "-o", layers, root)
    seen = {str(Path(base).resolve()) for base in (sys.prefix, sys.base_prefix, ROOT)}
    for name in ("run", "tmp"):
        run("mount", "-t", "tmpfs", "-o", "mode=1777", "walk", root / name)
    for path in ("/dev", "/sys", *sorted(seen), *sys.argv[2:]):
        (root / path[1:]).mkdir(parents=True, exist_ok=True)
        run("mount", "--rbind", path, root / path[1:])
    run("mount", "-t", "proc", "proc", root / "proc")
    os.chroot(root)
    os.chdir("/")
    # The environment of the tests may lie where other users may not look.
    for path in {parent for one in seen for parent in Path(one).parents}:
        if not any(path.is_relative_to(one) for one in seen):
            path.chmod(path.stat().st_mode | 0o055)
    for name in ("sysusers.d", "tmpfiles.d"):
        for file in Path("/usr/lib", name).glob("*.conf"):
            file.unlink()
    run("ip", "link", "set", "lo", "up")
    for address in (ADDRESS, FILERS):
        run("ip", "address", "add", f"{address}/32", "dev", "lo")
    with Path("/etc/hosts").open("a") as hosts:
        hosts.write(f"{ADDRESS} algorithms.example\n")
    for name in ("systemctl", "python3"):
        module = {"systemctl": "tests.deploy.systemctl", "python3": "tests.deploy.walk"}[name]
        stand_in = Path("/usr/local/sbin", name)
        stand_in.write_text(f'#!/bin/sh\ncd {ROOT} && exec {sys.executable} -m {module} "$@"\n')
        stand_in.chmod(0o755)
    os.environ["PATH"] = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"


def make_environment(folder):
    """Make a virtual environment in which all but the register itself is there already."""
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    [packages] = (folder / "lib").glob("python*/site-packages")
    for path in (Path(place) for place in sys.path if place.endswith("site-packages")):
        for entry in path.iterdir():
            is_own = "algorithm_register" in entry.name or entry.name == "registry"
            if not entry.name.endswith(".pth") and not is_own:
                (packages / entry.name).symlink_to(entry)
    (folder / "bin/pip").write_text(
        f'#!/bin/sh\nif [ "$2" = --require-hashes ]; then exec test -s "$4"; fi\n'
        f"exec {sys.executable} -m uv -q pip install --no-cache --no-index "
        f'--python {folder}/bin/python "$2" "$3"\n'
    )
    (folder / "bin/pip").chmod(0o755)


def start_postgresql(release):
    """Start Debian's PostgreSQL, with the lines of the release at the top of its files."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin/postgres")).parent
    CLUSTER.mkdir(parents=True)
    Path("/run/postgresql").mkdir(mode=0o2775)
    for path in (CLUSTER, CLUSTER.parent, "/run/postgresql"):
        shutil.chown(path, "postgres", "postgres")
    as_postgres = ("runuser", "-u", "postgres", "--")
    run(*as_postgres, programs / "initdb", "-D", CLUSTER, "--auth=peer", "--encoding=utf8")
    for name in ("pg_hba.conf", "pg_ident.conf"):
        file = CLUSTER / name
        file.write_text((release / "deploy/database" / name).read_text() + file.read_text())
    options = "-c listen_addresses='' -k /run/postgresql"
    log = LOGS / "postgresql-walk.log"
    log.touch()
    shutil.chown(log, "postgres")
    # Its streams would else be kept open by the server.
    subprocess.run(
        [*as_postgres, programs / "pg_ctl", "-D", CLUSTER, "-w", "-l", log, "-o", options, "start"],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def make_certificate():
    """Make the certificate that nginx.conf names, and trust it as an authority."""
    both = ("/etc/ssl/private/algorithms.example.key", "/etc/ssl/certs/algorithms.example.pem")
    run(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90"),
        *("-subj", "/CN=algorithms.example", "-addext", "subjectAltName=DNS:algorithms.example"),
        *("-keyout", both[0], "-out", both[1]),
    )
    trusted = Path(ssl.get_default_verify_paths().openssl_cafile)
    trusted.parent.mkdir(parents=True, exist_ok=True)
    with trusted.open("a") as file:
        file.write(Path(both[1]).read_text())


def follow(heading, release):
    """Run the commands of a part of the README, in the folder of a release."""
    text = (ROOT / "deploy/README.md").read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    script = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    return run("sh", "-eu", "-c", script, cwd=release)


def registry(*words):
    """Run a command of the register as its administrator does."""
    return run(*_AS_WORK, _WITH_SETTINGS, "registry", *words)


class Filer(threading.Thread):
    """Files records through the proxy, and lets the authority approve them, until it is over.

    What is not acknowledged is asked again, by the same key.
    """

    def __init__(self, name, tokens):
        super().__init__()
        self.name, self.tokens = name, tokens
        self.acknowledged, self.repeated, self.refused = [], 0, []
        self.is_over = threading.Event()
        self.document = json.loads((ROOT / "records/demo-sante/prevision-lits.json").read_text())

    def run(self):
        number = 0
        way = httpx.HTTPTransport(local_address=FILERS)
        with httpx.Client(base_url=f"{SITE}/api/v1", timeout=30, transport=way) as client:
            while not self.is_over.is_set():
                number += 1
                slug = f"{self.name}-{number}"
                try:
                    self.file(client, f"demo-sante/{slug}", slug)
                except AssertionError as error:
                    self.refused.append(str(error))
                    return
                time.sleep(0.5)

    def file(self, client, record, slug):
        document = copy.deepcopy(self.document) | {"id": record, "source_id": record}
        document["name"] = {tag: f"{name} {slug}" for tag, name in document["name"].items()}
        path = f"/filings/{record}"
        self.ask(client, 0, "PUT", path, json=document, headers={"if-none-match": "*"})
        self.ask(client, 0, "POST", f"{path}/submit", headers={"idempotency-key": f"s-{slug}"})
        tag = self.ask(client, 1, "GET", path).headers["etag"]
        headers = {"idempotency-key": f"a-{slug}", "if-match": tag}
        self.acknowledged.append(
            self.ask(client, 1, "POST", f"{path}/approve", headers=headers).json()
        )

    def ask(self, client, who, method, path, **more):
        headers = more.pop("headers", {}) | {"authorization": f"Bearer {self.tokens[who]}"}
        while True:
            try:
                answer = client.request(method, path, headers=headers, **more)
            except httpx.TransportError:
                answer = None
            # 412 of a new draft: it was saved, and the answer was lost.
            if answer is not None and (
                answer.is_success or (method == "PUT" and answer.status_code == 412)
            ):
                return answer
            if answer is not None and answer.status_code not in {429, 502, 503, 504}:
                raise AssertionError(f"{method} {path}: {answer.status_code} {answer.text}")
            self.repeated += 1
            time.sleep(0.3)


def published():
    """Return how many entries the published checkpoint has."""
    return int(CHECKPOINT.read_text().splitlines()[1])


def until(look, why):
    end = time.monotonic() + PATIENCE
    while not look():
        if time.monotonic() > end:
            fail(why)
        time.sleep(0.1)


def publishes(filers, why):
    """Wait until more is acknowledged and published than now."""
    acknowledged, before = sum(len(one.acknowledged) for one in filers), published()
    until(
        lambda: (
            published() > before + CLIENTS
            and sum(len(one.acknowledged) for one in filers) > acknowledged + CLIENTS
        ),
        f"{why}: nothing more is published: {[one.refused for one in filers]}",
    )


class Watch(threading.Thread):
    """Notes for how long the published log did not grow, at the longest."""

    def __init__(self):
        super().__init__(daemon=True)
        self.longest, self.is_over = 0.0, threading.Event()

    def run(self):
        size, at = published(), time.monotonic()
        while not self.is_over.wait(0.1):
            now = time.monotonic()
            self.longest = max(self.longest, now - at)
            if published() > size:
                size, at = published(), now


def entries():
    """Return the hash of each entry that the register's log has, as anybody reads it."""
    found, since = {}, -1
    with httpx.Client(base_url=f"{SITE}/api/v1", timeout=30) as client:
        while since is not None:
            asked = {"origin": "all", "since": since, "limit": 1000}
            answer = client.get("/changes", params=asked).raise_for_status().json()
            found |= {one["index"]: one["hash"] for one in answer["items"]}
            since = answer["next"]
    return found


def main(folder, old, new):
    """Walk from the first command to the last."""
    old, new = Path(old), Path(new)
    enter(Path(folder))
    start_postgresql(old)
    make_certificate()
    follow("Install", old)
    begun = str(PROGRAM.readlink())
    tokens = [
        re.search(r"regt_\S+", registry("token", "create", *words, "--actor", words[-1]))[0]
        for words in (("--agency", "demo-sante", "--scope", "file"), ("--scope", "review"))
    ]
    filers = [Filer(f"walk-{number}", tokens) for number in range(CLIENTS)]
    watch = Watch()
    for thread in (watch, *filers):
        thread.start()
    publishes(filers, "before the update")
    before = sum(len(one.acknowledged) for one in filers)
    follow("Update", new)
    during = sum(len(one.acknowledged) for one in filers) - before
    publishes(filers, "after the update")
    for one in filers:
        one.is_over.set()
    for one in filers:
        one.join()
    watch.is_over.set()
    acknowledged = [receipt for one in filers for receipt in one.acknowledged]
    known = entries()
    until(lambda: published() == len(known), "not all of the log is published")
    registry("log", "verify")
    doctor = run("sh", "-c", "systemctl start registry-doctor; echo $?")
    said = (LOGS / "registry-doctor.log").read_text()
    follow("Stop", new)
    sys.stdout.write(json.dumps({
        "acknowledged": len(acknowledged),
        "during": during,
        "lost": [one["id"] for one in acknowledged if known.get(one["entry"]) != one["hash"]],
        "refused": [why for one in filers for why in one.refused],
        "repeated": sum(one.repeated for one in filers),
        "longest_unpublished": round(watch.longest, 1),
        "programs": [begun, str(PROGRAM.readlink())],
        "doctor": [int(doctor), said.split("in order  software")[-1]],
        "running": [name for name in ("registry-work", "registry-serve") if is_running(name)],
    }))  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:3] == ["-m", "venv"]:
        make_environment(Path(sys.argv[3]))
    else:
        main(*sys.argv[1:])
