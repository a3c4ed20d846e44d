"""Hosts as network namespaces on one bridge, whose links can be taken down."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

BRIDGE = "registry-lan"
NETWORK = "10.77.0."
ADDRESSES = {
    "db1": 11,
    "db2": 12,
    "api1": 21,
    "api2": 22,
    "work1": 31,
    "work2": 32,
    "edge": 41,
}


def ip(*words: str, check: bool = True) -> None:
    """Run `ip` of iproute2."""
    subprocess.run(["ip", *words], check=check, capture_output=True)


class Host:
    """A network namespace with an address, a folder and the processes that run in it."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.address = f"{NETWORK}{ADDRESSES[name]}"
        self.folder = folder / name
        self.folder.mkdir()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._space, self._link = f"registry-{name}", f"rl-{name}"
        ip("netns", "add", self._space)
        ip("link", "add", self._link, "type", "veth", "peer", "name", "eth0", "netns", self._space)
        ip("link", "set", self._link, "master", BRIDGE, "up")
        for words in ("link set lo up", f"addr add {self.address}/24 dev eth0", "link set eth0 up"):
            ip("-n", self._space, *words.split())

    def cut_off(self) -> None:
        """Take the host off the network: nobody is told."""
        ip("link", "set", self._link, "down")

    def reconnect(self) -> None:
        ip("link", "set", self._link, "up")

    def command(self, *words: object) -> list[str]:
        return ["ip", "netns", "exec", self._space, *map(str, words)]

    def start(self, role: str, *words: object, **options: Any) -> None:
        """Start a process; what it prints is kept in the host's folder."""
        with (self.folder / f"{role}.log").open("ab") as log:
            self.processes[role] = subprocess.Popen(
                self.command(*words), stdout=log, stderr=subprocess.STDOUT, **options
            )

    def run(self, *words: object, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self.command(*words), capture_output=True, text=True, check=False, **options
        )

    def end(self, role: str, number: int = signal.SIGTERM, *, seconds: float = 60) -> int:
        """End a process by a signal, and return its exit code."""
        process = self.processes.pop(role)
        process.send_signal(number)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def vanish(self) -> None:
        """Kill whatever runs here, and remove the namespace."""
        _remove(self._space, self._link)
        for process in self.processes.values():
            process.wait()


def _remove(space: str, link: str) -> None:
    """Kill what runs in a namespace, and remove it, if it is there."""
    found = subprocess.run(
        ["ip", "netns", "pids", space], capture_output=True, text=True, check=False
    )
    for pid in found.stdout.split():
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
    ip("netns", "del", space, check=False)
    ip("link", "del", link, check=False)


class Network:
    """The bridge with all hosts; its near end has an address too."""

    def __init__(self, folder: Path) -> None:
        # A campaign that was cut off has left its own.
        for name in ADDRESSES:
            _remove(f"registry-{name}", f"rl-{name}")
        ip("link", "del", BRIDGE, check=False)
        ip("link", "add", BRIDGE, "type", "bridge")
        ip("addr", "add", f"{NETWORK}1/24", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        self.hosts: dict[str, Host] = {}
        for name in ADDRESSES:
            self.hosts[name] = Host(name, folder)

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    def vanish(self) -> None:
        for host in self.hosts.values():
            host.vanish()
        ip("link", "del", BRIDGE, check=False)


def lacking() -> list[str]:
    """Return what this machine lacks to run a campaign."""
    from shutil import which  # noqa: PLC0415

    from tests.outage.postgres import PROGRAMS  # noqa: PLC0415

    found = [name for name in ("ip", "haproxy", "setpriv") if which(name) is None]
    if os.geteuid() != 0:
        found.append("root")
    if PROGRAMS is None:
        found.append("postgresql")
    if sys.platform != "linux":
        found.append("Linux")
    return found
