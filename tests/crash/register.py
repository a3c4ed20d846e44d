"""A register that serves from its own folder and port, and the processes that it is made of."""

import os
import secrets
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
WORKERS = 2


def environment() -> dict[str, str]:
    """The settings of this machine, without those of the register."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("REGISTRY_")}
    return kept | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1"}


def free_port() -> int:
    """Return a port that nothing listens on, outside those that clients are given meanwhile."""
    while True:
        port = 11_000 + secrets.randbelow(21_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def belonging_to(data: Path) -> list[psutil.Process]:
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


def kill_all(data: Path) -> None:
    """Kill every process that has to do with a data folder, and wait until they have ended."""
    killed = belonging_to(data)
    for process in killed:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(killed, timeout=10)


class Register:
    """`registry serve` with its embedded PostgreSQL, started again whenever it has gone.

    What the processes print is kept in `serve.log` of the folder.
    """

    def __init__(self, data: Path, **settings: object) -> None:
        self.data = data
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.log = data / "serve.log"
        self.environment = environment() | {"XDG_STATE_HOME": str(data / "state")}
        self.environment |= {
            f"REGISTRY_{name.upper()}": str(value)
            for name, value in ({"data_dir": data, "workers": WORKERS} | settings).items()
        }
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def database_url(self) -> str:
        return f"postgresql://postgres@/registry?host={self.data / 'postgres'}"

    def start(self, command: str = "serve") -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "registry", command, "--port", str(self.port)],
                env=self.environment,
                cwd=self.data,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def gone(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run a command in the same folder to its end."""
        return subprocess.run(
            [sys.executable, "-m", "registry", *map(str, arguments)],
            env=self.environment,
            cwd=self.data,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def end(self) -> None:
        """End what still runs, whatever state it is in."""
        if self.process is not None and not self.gone():
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        kill_all(self.data)

    def main(self) -> list[psutil.Process]:
        # One that has just died is not waited for yet, and so still has its number.
        return [] if self.process is None or self.gone() else [psutil.Process(self.process.pid)]

    def workers(self) -> list[psutil.Process]:
        """The processes that answer requests, children of the main one."""
        others = ("guardian", "resource_tracker")
        return [
            child
            for child in self._children()
            if "python" in _name(child)
            and not any(other in word for other in others for word in _command(child))
        ]

    def guardians(self) -> list[psutil.Process]:
        """The process that stops PostgreSQL when the main one has died."""
        return [child for child in self._children() if "registry.store.guardian" in _command(child)]

    def postmaster(self) -> list[psutil.Process]:
        return [process for process in self._postgres() if "-D" in _command(process)]

    def backends(self) -> list[psutil.Process]:
        """PostgreSQL's processes that each serve one connection."""
        return [
            process
            for process in self._postgres()
            if " ".join(_command(process)).startswith("postgres: postgres ")
        ]

    def _children(self) -> list[psutil.Process]:
        try:
            return [child for main in self.main() for child in main.children()]
        except psutil.NoSuchProcess:
            return []

    def _postgres(self) -> list[psutil.Process]:
        folder = str(self.data / "postgres")
        return [
            process
            for process in psutil.process_iter(["name", "cwd", "status"])
            if process.info["name"] == "postgres"
            and process.info["cwd"] == folder
            and process.info["status"] != psutil.STATUS_ZOMBIE
        ]


def _name(process: psutil.Process) -> str:
    """Return the process's name, or none when it has just ended."""
    try:
        return process.name()
    except psutil.Error:
        return ""


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
