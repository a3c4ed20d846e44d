"""Connections whose peer takes nothing: the kernel ends them, since the server never would."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import sys
from pathlib import Path

UNREAD_MILLISECONDS = 30_000
"""How long a peer may leave unread what was sent to it."""

_INTERNET = {socket.AF_INET, socket.AF_INET6}
_TRIES = 600
_PAUSE_SECONDS = 0.1


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
