"""Asking servers over HTTP as fast as they answer, by a loop over plain sockets.

It costs a few µs an answer, so that it is the server that is measured.
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

from tests.bench.measure import work_of
from tests.crash.register import environment, free_port

_BLOCK = 2**16
_TRIES = 600
_LAST_CHUNK = b"\r\n0\r\n\r\n"


class Load(msgspec.Struct, kw_only=True):
    """What one server is asked, again from the first when all were, and what became of it.

    `worked` are the seconds of work of its process and those it has started.
    """

    port: int
    process: int
    requests: list[bytes]
    asked: int = 0
    seconds: list[float] = []
    elapsed: float = 0.0
    worked: float = 0.0

    @property
    def per_second(self) -> float:
        return len(self.seconds) / self.elapsed

    @property
    def per_work(self) -> float:
        """Answers for a second of the server's work: what holds where others use the machine."""
        return len(self.seconds) / self.worked


def load(server: tuple[int, int], paths: list[str]) -> Load:
    """Make the load of a server, (port, process), that is asked for these paths."""
    port, process = server
    return Load(port=port, process=process, requests=[_get(path) for path in paths])


def ask(load: Load, *, connections: int, seconds: float) -> None:
    """Ask from several connections for a while, each the next as soon as it has its answer."""
    poll = select.epoll()
    lines: dict[int, socket.socket] = {}
    began: dict[int, float] = {}
    parts: dict[int, bytes] = {}

    def send(number: int) -> None:
        began[number], parts[number] = time.perf_counter(), b""
        lines[number].send(load.requests[load.asked % len(load.requests)])
        load.asked += 1

    worked = work_of(load.process)
    start = now = time.perf_counter()
    for _ in range(connections):
        line = socket.create_connection(("127.0.0.1", load.port))
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        poll.register(line, select.EPOLLIN)
        lines[line.fileno()] = line
        send(line.fileno())
    while began:
        for number, _ in poll.poll():
            parts[number] += lines[number].recv(_BLOCK)
            if not _is_whole(parts[number]):
                continue
            now = time.perf_counter()
            load.seconds.append(now - began.pop(number))
            if now - start < seconds:
                send(number)
    load.elapsed += now - start
    load.worked += work_of(load.process) - worked
    poll.close()
    for line in lines.values():
        line.close()


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
            if read(port, path)[0] == 200:
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
    if head[9:12] != b"200":
        raise RuntimeError(received)
    if b"transfer-encoding: chunked" in head:
        return received.endswith(_LAST_CHUNK)
    length = head.partition(b"content-length: ")[2].partition(b"\r")[0]
    return len(received) == end + 4 + int(length)
