"""Slow bodies, heads and readers: who says or takes nothing holds up nobody, and is sent away."""

import asyncio
import json
import os
import socket
import sys
from pathlib import Path

import pytest

from registry.api.app import UNREAD_MILLISECONDS
from registry.api.request import BODY_SECONDS
from tests.served import PATIENCE

pytestmark = pytest.mark.usefixtures("untouched")

BODY = b'{"id": "demo-sante/slow"}'

# What each says after its head, a piece every half second and then nothing.
SLOW = {
    "no body": ("Content-Length: 5000", []),
    "a body byte by byte": (f"Content-Length: {len(BODY) + 1}", [bytes([one]) for one in BODY]),
    "a chunk without end": ("Transfer-Encoding: chunked", [b"1388\r\n", BODY]),
    "chunks without end": ("Transfer-Encoding: chunked", [b"1\r\n{\r\n", b"1\r\n \r\n"]),
}


async def slowly(register, agency, headers, pieces):
    """Ask, send the pieces, and wait for the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", register.port)
    lines = [
        "PUT /api/v1/filings/demo-sante/slow HTTP/1.1",
        f"Host: 127.0.0.1:{register.port}",
        f"Authorization: {agency['authorization']}",
        "If-None-Match: *",
        "Content-Type: application/json",
        *headers,
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.5)
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        named = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:-2])
        body = await reader.readexactly(int(named["content-length"]))
        # Nothing more is waited for on this line.
        assert await reader.read() == b""
        return status, named, body
    finally:
        writer.close()


# What may be said of a head before silence: nothing, a part, or that another protocol follows.
SILENT = [
    b"",
    b"GET /api/v1/records HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ",
    b"PRI * HTTP/2.0\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4" + bytes(5),
]


async def silent_head(register, said):
    """Begin a head and never end it; the line is closed, with or without a word."""
    reader, writer = await asyncio.open_connection("127.0.0.1", register.port)
    try:
        writer.write(said)
        await writer.drain()
        return await reader.read()
    finally:
        writer.close()


async def answered(register):
    """Ask twenty times, and yield after each answer."""
    for _ in range(20):
        answer = await asyncio.to_thread(register.client.get, "/api/v1/records")
        assert answer.status_code == 200
        yield


PEERS = int(os.environ.get("PEERS", "60"))
"""Who asks and reads nothing; `PEERS=1100` repeats the attack that this was found by."""


def ask_and_read_nothing(register):
    """Ask for a large answer through a window that is soon full; return the line."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.connect(("127.0.0.1", register.port))
    host = f"Host: 127.0.0.1:{register.port}"
    line.sendall(f"GET /openapi.json HTTP/1.1\r\n{host}\r\n\r\n".encode())
    return line


def untaken(register):
    """Return how many of the server's connections have bytes that nobody takes (proc(5))."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    local = f":{register.port:04X}"
    return sum(row[1].endswith(local) and not row[4].startswith("00000000") for row in rows)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is an option of Linux's sockets")
async def test_who_reads_nothing_is_left(register):
    lines = [ask_and_read_nothing(register) for _ in range(PEERS)]
    try:
        # More peers than a worker takes connections are taken in turn.
        async with asyncio.timeout(3 * UNREAD_MILLISECONDS / 1000 + PATIENCE):
            while not untaken(register):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            met = [bool(untaken(register)) async for _ in answered(register)]
            assert any(met)
            while untaken(register):  # noqa: ASYNC110
                await asyncio.sleep(0.5)
    finally:
        for line in lines:
            line.close()


async def test_slow_bodies_are_sent_away_and_nobody_waits_for_them(register, agency, refused):
    async with asyncio.timeout(BODY_SECONDS + PATIENCE):
        slow = [
            asyncio.create_task(slowly(register, agency, [header], pieces))
            for header, pieces in SLOW.values()
            for _ in range(25)
        ]
        heads = [asyncio.create_task(silent_head(register, said)) for said in SILENT]
        await asyncio.sleep(1)
        met = [not any(one.done() for one in slow) async for _ in answered(register)]
        assert any(met)
        for answer in await asyncio.gather(*slow):
            problem = refused(answer, 408, "request-timeout")
            assert json.loads(answer[2]) == problem
        for told in await asyncio.gather(*heads):
            assert told[:13] in {b"", b"HTTP/1.1 400 ", b"HTTP/1.1 408 "}


async def test_who_goes_away_in_the_middle_leaves_nothing(register, agency):
    for _ in range(20):
        _, writer = await asyncio.open_connection("127.0.0.1", register.port)
        lines = [
            "PUT /api/v1/filings/demo-sante/slow HTTP/1.1",
            f"Host: 127.0.0.1:{register.port}",
            f"Authorization: {agency['authorization']}",
            "If-None-Match: *",
            "Content-Type: application/json",
            "Content-Length: 5000",
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode() + BODY)
        await writer.drain()
        writer.close()
    assert (await asyncio.to_thread(register.client.get, "/health/live")).status_code == 200
