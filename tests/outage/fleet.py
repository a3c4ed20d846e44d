"""The register's processes: two API hosts, two background runners, HAProxy before them."""

import asyncio
import json
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec

from tests.crash.register import environment
from tests.outage.net import Network
from tests.outage.postgres import CHECK_PORT, Pair

ROOT = Path(__file__).parents[2]
PORT = 8000
SOCKET = "haproxy.sock"
WORK = ("work1", "work2")
API = ("api1", "api2")
ACTOR = "campaign"
RUNNER = 0x7265_6769_776F
_PATIENCE = 120
_RESTART_SECONDS = 2
_HAPROXY = """
global
    stats socket {folder}/haproxy.sock level admin
    maxconn 1000
defaults
    timeout connect 2s
    timeout client 35s
    timeout server 65s
    retries 2
    option redispatch
frontend public
    mode http
    bind :8000
    default_backend api
backend api
    mode http
    option httpchk GET {health}
    http-check expect status 200
    retry-on conn-failure
    default-server check inter 1s fall 2 rise 1
    server api1 {api1}:8000
    server api2 {api2}:8000
listen database
    mode tcp
    bind :5432
    timeout client 1h
    timeout server 1h
    option httpchk GET /primary
    http-check expect status 200
    default-server check port {check} inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
    server db1 {db1}:5432
    server db2 {db2}:5432
"""


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """A version of the register: its checkout, its Python, and settings that it knows."""

    root: Path = ROOT
    python: str = sys.executable
    settings: dict[str, str] = {}


NEW = Code(
    settings={"LIMIT_PUBLICATIONS": "0", "LIMIT_DRAFTS": "0", "LIMIT_WORK": "0"},
)


class Fleet:
    """All hosts but those of the database, and what runs on them."""

    def __init__(self, network: Network, pair: Pair) -> None:
        self.network = network
        self.pair = pair
        self.base_url = f"http://{network['edge'].address}:{PORT}"
        self.way = "list"
        self._started: dict[str, tuple[Code, tuple[str, ...]]] = {}
        self.ended: list[tuple[str, int]] = []
        """Which processes have ended by themselves, with what."""

    def database_url(self) -> str:
        hosts = [self.network[name].address for name in ("db1", "db2")]
        if self.way == "haproxy":
            return f"postgresql://register@{self.network['edge'].address}/register"
        return f"postgresql://register@{','.join(hosts)}/register?target_session_attrs=primary"

    def settings(self, name: str, code: Code) -> dict[str, str]:
        host = self.network[name]
        given = {
            "DATABASE_URL": self.database_url(),
            "DATA_DIR": str(host.folder / "data"),
            "BASE_URL": self.base_url,
            "ALLOWED_HOSTS": "*",
            "LIMIT_WRITES": "0",
            "LIMIT_VALIDATIONS": "0",
        } | code.settings
        if name in API and code.settings:
            given["SITE"] = "elsewhere"
        named = {f"REGISTRY_{key}": value for key, value in given.items()}
        paths = {"PYTHONPATH": str(code.root), "XDG_STATE_HOME": str(host.folder)}
        return environment() | named | paths

    def proxy(self, *, health: str = "/health/ready") -> None:
        edge = self.network["edge"]
        addresses = {name: host.address for name, host in self.network.hosts.items()}
        file = edge.folder / "haproxy.cfg"
        file.write_text(
            _HAPROXY.format(folder=edge.folder, check=CHECK_PORT, health=health, **addresses),
            encoding="utf-8",
        )
        edge.start("haproxy", "haproxy", "-db", "-f", file)

    def drain(self, name: str, state: str) -> None:
        """Take an API host out of the balancer, or back: `drain`, `ready`."""
        import socket  # noqa: PLC0415

        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(self.network["edge"].folder / SOCKET))
            line.sendall(f"set server api/{name} state {state}\n".encode())
            line.recv(1000)

    def start(self, name: str, code: Code = NEW, *before: str) -> None:
        """Start the process of a host, which `keep_running` starts again when it ends."""
        self._started[name] = code, before
        host = self.network[name]
        words = ["work"]
        if name in API:
            words = ["serve", "--host", host.address, "--port", str(PORT)]
        command = [*before, code.python, "-m", "registry", *words]
        host.start("registry", *command, env=self.settings(name, code), cwd=host.folder)

    @asynccontextmanager
    async def keep_running(self) -> AsyncIterator[None]:
        """Start processes again that end by themselves, as the units of deploy/systemd have it.

        At its start one ends, with 3, while HAProxy knows no primary yet.
        """

        async def watch() -> None:
            while True:
                await asyncio.sleep(_RESTART_SECONDS)
                for name, (code, before) in self._started.items():
                    process = self.network[name].processes.get("registry")
                    if process is not None and (ended := process.poll()) is not None:
                        self.ended.append((name, ended))
                        self.start(name, code, *before)

        watching = asyncio.create_task(watch())
        try:
            yield
        finally:
            watching.cancel()

    def run(self, name: str, *words: object, code: Code = NEW) -> subprocess.CompletedProcess[str]:
        """Run a command on a host to its end."""
        host = self.network[name]
        command = (code.python, "-m", "registry", *words)
        return host.run(*command, env=self.settings(name, code), cwd=host.folder, timeout=120)

    async def begin(self, code: Code = NEW, *, health: str = "/health/ready") -> str:
        """Start everything on empty data folders; return a token that files."""
        self.proxy(health=health)
        for name in (*WORK, *API):
            data = self.network[name].folder / "data"
            shutil.rmtree(data, ignore_errors=True)
            data.mkdir()
        # A start of `work` begins the register, and its key is for both.
        self.start("work1", code)
        await self.until_published()
        made = await asyncio.to_thread(
            self.run, "work1", "token", "create", "--agency", "demo-sante", "--scope", "file",
            "--actor", ACTOR, code=code,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        shutil.copytree(*(self.network[name].folder / "data" / "keys" for name in WORK))
        for name in (*WORK, *API):
            if "registry" not in self.network[name].processes:
                self.start(name, code)
        await self.until_answered()
        return made.stdout.strip()

    async def until_published(self) -> None:
        file = self.network["work1"].folder / "data" / "log" / "checkpoint"
        until = time.monotonic() + _PATIENCE
        while not file.exists():
            assert time.monotonic() < until, "no log was published"
            await asyncio.sleep(0.2)

    async def until_answered(self) -> None:
        """Wait until both API hosts are ready, and HAProxy knows it."""
        until = time.monotonic() + _PATIENCE
        async with httpx.AsyncClient(timeout=5) as http:
            for address in (
                *(f"http://{self.network[name].address}:{PORT}" for name in API),
                self.base_url,
            ):
                while True:
                    try:
                        if (await http.get(f"{address}/api/v1/records?limit=1")).is_success:
                            break
                    except httpx.TransportError:
                        pass
                    assert time.monotonic() < until, f"{address} does not answer"
                    await asyncio.sleep(0.2)

    async def end(self) -> None:
        for name in (*API, *WORK):
            if "registry" in self.network[name].processes:
                await asyncio.to_thread(self.network[name].end, "registry")
        if "haproxy" in self.network["edge"].processes:
            self.network["edge"].end("haproxy")

    async def leader(self) -> str | None:
        """Return the host that may build the site, as the primary sees it."""
        addresses = {self.network[name].address: name for name in WORK}
        rows = await self.ask(
            "select host(a.client_addr) as host from pg_locks as l"
            " inner join pg_stat_activity as a on a.pid = l.pid where l.locktype = 'advisory'"
            " and l.granted and (l.classid::bigint << 32) + l.objid::bigint = $1",
            RUNNER,
        )
        # Through HAProxy all come from its address.
        return addresses.get(rows[0]["host"], "somebody") if rows else None

    async def ask(self, statement: str, *values: object) -> list[Any]:
        connection = await asyncpg.connect(self.pair.primary.url(), timeout=5)
        try:
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()

    def published(self) -> int:
        """Return the size of the log that the furthest of both runners has published."""
        sizes = [0]
        for name in WORK:
            file = self.network[name].folder / "data" / "log" / "checkpoint"
            if file.exists():
                sizes.append(int(file.read_text(encoding="utf-8").splitlines()[1]))
        return max(sizes)

    def told(self, name: str) -> list[dict[str, Any]]:
        """Return the last lines that a host's process has logged."""
        lines = (self.network[name].folder / "registry.log").read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines[-20:] if line.startswith("{")]
