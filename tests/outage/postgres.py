"""Two PostgreSQL servers, of which one is the primary and the other its synchronous standby."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import asyncpg

from tests.outage.net import NETWORK, Host

PROGRAMS = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
OWNER = "postgres"
CHECK_PORT = 8008
SIZE = "600m"
_SETTINGS = """
listen_addresses = '*'
unix_socket_directories = '{folder}'
max_connections = 60
shared_buffers = 64MB
max_wal_size = 128MB
wal_level = replica
wal_keep_size = 64MB
wal_recycle = off
wal_receiver_timeout = 10s
wal_sender_timeout = 10s
cluster_name = '{name}'
"""
_FOLLOWERS = "select count(*) from pg_stat_replication where sync_state = 'sync'"
_PATIENCE = 90


class Server:
    """A PostgreSQL server of one host; its data lie on a small disk of its own."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.disk = host.folder / "disk"
        self.data = self.disk / "data"
        self.disk.mkdir()
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", self.disk], check=True
        )
        _give(host.folder, self.disk)

    def program(self, name: str, *words: object) -> list[object]:
        user = ("--reuid", OWNER, "--regid", OWNER, "--init-groups")
        return ["setpriv", *user, "--", f"{PROGRAMS}/{name}", *words]

    def initialise(self) -> None:
        """Make a new cluster."""
        words = ("-D", self.data, "-A", "trust", "-E", "UTF8", "--no-sync")
        _checked(self.host.run(*self.program("initdb", *words), cwd=self.disk))
        self._configure()

    def copy(self, primary: "Server") -> None:
        """Become a standby of another."""
        shutil.rmtree(self.data, ignore_errors=True)
        dsn = f"host={primary.host.address} user={OWNER} application_name={self.host.name}"
        words = ("-D", self.data, "-d", dsn, "-R", "-c", "fast", "--no-sync")
        _checked(self.host.run(*self.program("pg_basebackup", *words), cwd=self.disk))
        (self.data / "postgresql.auto.conf").write_text(
            f"primary_conninfo = '{dsn}'\n", encoding="utf-8"
        )
        self._configure()

    def _configure(self) -> None:
        file = self.data / "postgresql.conf"
        text = file.read_text(encoding="utf-8").partition("# of the campaign\n")[0]
        ours = _SETTINGS.format(folder=self.disk, name=self.host.name)
        file.write_text(f"{text}# of the campaign\n{ours}", encoding="utf-8")
        (self.data / "pg_hba.conf").write_text(
            f"local all all trust\nhost all all {NETWORK}0/24 trust\n"
            f"host replication all {NETWORK}0/24 trust\n",
            encoding="utf-8",
        )
        for path in (self.data / "pg_hba.conf", file, self.data / "postgresql.auto.conf"):
            _give(path)

    def start(self) -> None:
        self.host.start("postgres", *self.program("postgres", "-D", self.data), cwd=self.disk)
        if "check" not in self.host.processes:
            command = [sys.executable, "-m", "tests.outage.primary_check", self.disk, CHECK_PORT]
            self.host.start("check", *command, cwd=Path(__file__).parents[2])

    def kill(self) -> None:
        """Kill every process of the server, as if its machine had lost power."""
        for pid in _pids(self.data):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.host.processes.pop("postgres").wait()
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        _checked(self.host.run(*self.program("pg_ctl", "-D", self.data, "-m", "fast", "stop")))
        self.host.processes.pop("postgres").wait()

    def promote(self) -> None:
        """Make the standby the primary, which waits for no standby."""
        _checked(self.host.run(*self.program("pg_ctl", "-D", self.data, "-w", "promote")))

    def is_running(self) -> bool:
        process = self.host.processes.get("postgres")
        return process is not None and process.poll() is None

    def ask(self, statement: str, database: str = OWNER) -> str:
        """Run a statement on the server itself, also while its host is off the network."""
        words = ("-h", self.disk, "-d", database, "-XAtqc", statement)
        return _checked(self.host.run(*self.program("psql", *words), cwd=self.disk)).strip()

    def url(self, user: str = OWNER, database: str = "register") -> str:
        return f"postgresql://{user}@{self.host.address}:5432/{database}"

    async def ready(self) -> None:
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                await (await asyncpg.connect(self.url(database=OWNER), timeout=5)).close()
            except (OSError, asyncpg.PostgresError):
                assert time.monotonic() < until, f"{self.host.name} does not start"
                await asyncio.sleep(0.2)
            else:
                return

    def leave(self) -> None:
        subprocess.run(["umount", "-l", self.disk], check=False)


class Pair:
    """The primary and its synchronous standby, which change places."""

    def __init__(self, first: Host, second: Host) -> None:
        self.primary, self.standby = Server(first), Server(second)

    async def begin(self) -> None:
        """Make both, with an empty database `register`."""
        self.primary.initialise()
        self.primary.start()
        await self.primary.ready()
        self.primary.ask("create role register login in role pg_monitor")
        self.primary.ask("create database register owner register template template0")
        for function in ("pg_control_system()", "pg_control_checkpoint()"):
            self.primary.ask(f"grant execute on function {function} to register", "register")
        await self.follow()

    async def follow(self) -> None:
        """Make the standby anew; from then on every commit waits for it."""
        await asyncio.to_thread(self.standby.copy, self.primary)
        self.standby.start()
        await self.standby.ready()
        self.wait_for_standby()
        until = time.monotonic() + _PATIENCE
        while self.primary.ask(_FOLLOWERS) != "1":
            assert time.monotonic() < until, "the standby does not follow"
            await asyncio.sleep(0.2)

    def wait_for_standby(self) -> None:
        """Let every commit wait for the standby."""
        self.primary.ask("alter system set synchronous_standby_names = '*'")
        self.primary.ask("select pg_reload_conf()")

    def wait_for_nobody(self) -> None:
        self.primary.ask("alter system set synchronous_standby_names = ''")
        self.primary.ask("select pg_reload_conf()")

    async def fail_over(self) -> float:
        """Cut the primary off, promote the standby, and return when it was promoted."""
        self.primary.host.cut_off()
        self.primary, self.standby = self.standby, self.primary
        await asyncio.to_thread(self.primary.promote)
        self.wait_for_nobody()
        return time.monotonic()

    async def bring_back(self) -> None:
        """Let the lost server come back as the standby of the other."""
        self.standby.kill()
        self.standby.host.reconnect()
        ask = self.standby.program("pg_isready", "-h", self.primary.host.address)
        until = time.monotonic() + _PATIENCE
        # The kernel remembers for a few seconds that there was no way to the other.
        while (await asyncio.to_thread(self.standby.host.run, *ask, cwd="/")).returncode:
            assert time.monotonic() < until, "no way leads to the other server"
            await asyncio.sleep(0.2)
        await self.follow()

    def leave(self) -> None:
        for server in (self.primary, self.standby):
            server.leave()


def _pids(data: Path) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (path / "cwd").readlink() == data:
                found.append(int(path.name))
    return found


def _give(*paths: Path) -> None:
    owner = pwd.getpwnam(OWNER)
    for path in paths:
        os.chown(path, owner.pw_uid, owner.pw_gid)


def _checked(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout
