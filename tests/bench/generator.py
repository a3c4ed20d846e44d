"""Asking servers over HTTP as fast as they answer, by a loop over plain sockets.

It costs a few µs an answer, so that it is the server that is measured; how long it worked is kept.
"""

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import psutil

from tests.bench.measure import Timing
from tests.crash.register import environment, free_port

_BLOCK = 2**16
_TRIES = 600
_FINE = (b"HTTP/1.1 200", b"HTTP/1.1 304")
_LAST_CHUNK = b"\r\n0\r\n\r\n"


class Load(msgspec.Struct, kw_only=True):
    """What one server is asked, again from the first when all were, and what became of it.

    `served` are the seconds of work of its process and those it has started, `worked` our own.
    """

    port: int
    process: int
    requests: list[bytes]
    asked: int = 0
    lengths: dict[int, int] = {}
    timing: Timing
    served: float = 0.0
    worked: float = 0.0

    def next(self) -> int:
        """Give the number of the request that comes next."""
        self.asked += 1
        return (self.asked - 1) % len(self.requests)

    def is_whole(self, request: int, received: bytes) -> bool:
        """Tell whether an answer is all there; one that was as long before is not read again."""
        if len(received) == self.lengths.get(request) and received.startswith(_FINE):
            return True
        if not _is_whole(received):
            return False
        self.lengths[request] = len(received)
        return True


def load(server: tuple[int, int], paths: list[str], more: bytes = b"") -> Load:
    """Make the load of a server, (port, process), asked for these paths with `more` headers."""
    port, process = server
    requests = [_get(path, more) for path in paths]
    return Load(port=port, process=process, requests=requests, timing=Timing())


def ask(load: Load, *, connections: int, seconds: float) -> None:
    """Ask from several connections for a while, each the next as soon as it has its answer."""
    poll = select.epoll()
    lines: dict[int, socket.socket] = {}
    began: dict[int, float] = {}
    parts: dict[int, bytes] = {}
    asked: dict[int, int] = {}
    worked, served = time.process_time(), _work_of(load.process)
    start = now = time.perf_counter()
    for _ in range(connections):
        line = socket.create_connection(("127.0.0.1", load.port))
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number = line.fileno()
        poll.register(number, select.EPOLLIN)
        lines[number], began[number] = line, time.perf_counter()
        asked[number] = load.next()
        line.send(load.requests[asked[number]])
    while began:
        for number, _ in poll.poll():
            line = lines[number]
            received = parts.pop(number, b"") + line.recv(_BLOCK)
            now = time.perf_counter()
            if not load.is_whole(asked[number], received):
                parts[number] = received
                continue
            load.timing.seconds.append(now - began.pop(number))
            if now - start < seconds:
                began[number] = now
                asked[number] = load.next()
                line.send(load.requests[asked[number]])
    load.timing.elapsed += now - start
    load.worked += time.process_time() - worked
    load.served += _work_of(load.process) - served
    poll.close()
    for line in lines.values():
        line.close()


def told(loads: dict[str, Load]) -> Iterator[str]:
    """Say what servers have worked for an answer, and how much of the time the generator did."""
    least = {name: one.served / one.asked for name, one in loads.items()}
    first = next(iter(least.values()))
    served = [f"{name} {one * 1e6:,.0f} µs ({first / one:.2f})" for name, one in least.items()]
    worked = [f"{name} {one.worked / one.timing.elapsed:.2f}" for name, one in loads.items()]
    yield f"work of a server's processes for an answer: {', '.join(served)}"
    yield f"share of the time that the generator worked: {', '.join(worked)}"


def read(port: int, path: str) -> tuple[int, bytes]:
    """Ask once, on a connection of its own."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        line.sendall(_get(path, b"Connection: close\r\n"))
        received = bytearray()
        while block := line.recv(_BLOCK):
            received += block
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    return int(head[9:12]), body


def until_there(port: int, path: str = "/health/live") -> None:
    """Wait for a server that has just been started."""
    for _ in range(_TRIES):
        try:
            if read(port, path)[0] < 500:
                return
        except (OSError, ValueError):
            pass
        time.sleep(0.1)
    raise RuntimeError("the server did not come")


@contextmanager
def serving(module: str, function: str, *arguments: str) -> Iterator[tuple[int, int]]:
    """Call a function with a port, and more, that serves in a process; give (port, process)."""
    port = free_port()
    code = f"import sys; from {module} import {function}; {function}(*sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(port), *arguments],
        env=environment() | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.DEVNULL,
    )
    try:
        until_there(port)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def _get(path: str, more: bytes = b"") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n".encode() + more + b"\r\n"


def _is_whole(received: bytes) -> bool:
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = received[:end].lower()
    if head[9:12] == b"304":
        return True
    if head[9:12] != b"200":
        raise RuntimeError(received)
    if b"transfer-encoding: chunked" in head:
        return received.endswith(_LAST_CHUNK)
    length = head.partition(b"content-length: ")[2].partition(b"\r")[0]
    return len(received) == end + 4 + int(length)


def _work_of(process: int) -> float:
    main = psutil.Process(process)
    times = [one.cpu_times() for one in (main, *main.children(recursive=True))]
    return sum(one.user + one.system for one in times)
