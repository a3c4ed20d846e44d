"""What a bench yields: one figure of a thing that a person feels, with its target."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import psutil

_PAUSE_SECONDS = 0.1
_MOST = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the results: a figure, and the bound that it shall keep to."""

    what: str
    figure: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    beside: str = ""

    @property
    def holds(self) -> bool:
        return (self.at_least is None or self.figure >= self.at_least) and (
            self.at_most is None or self.figure <= self.at_most
        )

    def line(self) -> str:
        bounds = [("≥", self.at_least), ("≤", self.at_most)]
        target = ", ".join(f"{sign} {value:g}" for sign, value in bounds if value is not None)
        holds = "yes" if self.holds else "**no**"
        figure = f"{self.figure:,.{2 if self.figure < 100 else 0}f} {self.unit}"
        return f"| {self.what} | {figure} | {target} | {holds} | {self.beside} |"


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What a program took: seconds by the clock and of work, bytes of memory in all processes."""

    seconds: float
    work: float
    memory: int


def in_memory() -> str | None:
    """Return a folder in memory, where there is one: files are what disks differ in most."""
    folder = "/dev/shm"  # noqa: S108  it is only looked at; what is made in it has a name of chance
    return folder if os.path.ismount(folder) else None


def quantile(seconds: Sequence[float], share: float) -> float:
    """Return the value below which a share of the values is."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def work_in(call: Callable[[], object]) -> float:
    """Return the seconds of work of this process for a call that waits for nothing."""
    start = time.process_time()
    call()
    return time.process_time() - start


def work_of(process: int) -> float:
    """Return the seconds of work of a process, of those it has started and of those that ended."""
    main = psutil.Process(process)
    own = main.cpu_times()
    ended = own.children_user + own.children_system
    times = [own, *(one.cpu_times() for one in main.children(recursive=True))]
    return ended + sum(one.user + one.system for one in times)


def measured(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Measured:
    """Run a program, forks included, and look at its memory ten times a second at most.

    Pages of memory that processes share are counted once. To look takes the longer the more there
    is, so there is no more than a twentieth of looking.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    most = 0
    while True:
        done, status, used = os.wait4(process.pid, os.WNOHANG)
        if done:
            break
        began = time.perf_counter()
        most = max(most, _memory_of(process.pid))
        time.sleep(max(_PAUSE_SECONDS, 20 * (time.perf_counter() - began)))
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    seconds = time.perf_counter() - start
    return Measured(seconds=seconds, work=used.ru_utime + used.ru_stime, memory=most)


def _memory_of(process: int) -> int:
    """Return the most memory that a process had; with what it started, what all have together."""
    try:
        main = psutil.Process(process)
        if started := main.children(recursive=True):
            return sum(one.memory_full_info().pss for one in (main, *started))
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except (psutil.Error, OSError):
        return 0
    most = _MOST.search(status)
    return 0 if most is None else int(most[1]) * 1024
