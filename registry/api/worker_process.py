"""The process of a worker: it ends with its parent, and connections whose peer takes nothing do."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import socket
import stat
import sys
from pathlib import Path

UNREAD_MILLISECONDS = 30_000
"""How long a peer may leave unread what was sent to it."""

_WATCH_SECONDS = 0.5
_INTERNET = {socket.AF_INET, socket.AF_INET6}
_TRIES = 600
_PAUSE_SECONDS = 0.1


async def end_with_parent() -> None:
    """End this worker when the process that started it is gone, even by `kill -9`."""
    # It may have died before this worker had begun, and then another is the parent by now.
    started_by = multiprocessing.parent_process()
    parent = os.getppid() if started_by is None or started_by.pid is None else started_by.pid
    while os.getppid() == parent:  # noqa: ASYNC110  nobody could set an event for us
        await asyncio.sleep(_WATCH_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


async def limit_unread(port: int) -> None:
    """Set the time limit on this process's listening socket, once granian has opened it.

    Connections inherit it (tcp(7), TCP_USER_TIMEOUT). Systems without it keep such connections.
    """
    if sys.platform == "linux":
        for _ in range(_TRIES):
            if _limit(port):
                return
            await asyncio.sleep(_PAUSE_SECONDS)


def _limit(port: int) -> bool:
    """Return whether this process has a socket that listens at the port; each is limited."""
    found = [_limited(int(path.name), port) for path in Path("/proc/self/fd").iterdir()]
    return any(found)


def _limited(descriptor: int, port: int) -> bool:
    """Return whether a descriptor is a socket that listens at the port, which is then limited."""
    try:
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            return False
        line = socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM)
    except OSError:
        # It was closed meanwhile.
        return False
    with line:
        if line.getsockopt(socket.SOL_SOCKET, socket.SO_DOMAIN) not in _INTERNET:
            return False
        listens = line.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        if not listens or line.getsockname()[1] != port:
            return False
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MILLISECONDS)
        return True
