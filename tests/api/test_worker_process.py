"""Connections whose peer takes nothing are ended by the kernel."""

import asyncio
import socket
import sys
from pathlib import Path

import pytest

from registry.api.app import UNREAD_MILLISECONDS, limit_unread

DESCRIPTORS = Path("/proc/self/fd")


@pytest.mark.skipif(sys.platform != "linux", reason="the socket option is of Linux")
def test_connections_have_the_limit_of_the_socket_that_listens():
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as other:
        address = listening.getsockname()
        before = list(DESCRIPTORS.iterdir())
        asyncio.run(limit_unread(address[1]))
        assert len(list(DESCRIPTORS.iterdir())) == len(before)
        with socket.create_connection(address):
            line, _ = listening.accept()
            with line:
                limit = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        assert limit == UNREAD_MILLISECONDS
        assert other.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 0
