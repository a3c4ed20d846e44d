"""Many lines in one request: whoever sends them as no client should is answered all the same."""

import json
import socket

from registry.record.parse import MAX_BYTES
from registry.services.filing.bulk import MOST_LINES
from tests.served import PATIENCE

# What a line that is no record costs in answer, at least: more in all than the sockets can hold, of
# which the one that reads is made small.
FINDINGS = (
    b'{"id":"demo-sante/many-%d","'
    + b'":1,"'.join(b"abcde"[at : at + 1] * 300 for at in range(5))
    + b'":1}\n'
)
LINES = 1_000


def converse(register, agency, *pieces, length=None):
    """Send everything, then read everything; gives the lines of the answer."""
    size = sum(map(len, pieces)) if length is None else length
    head = (
        "POST /api/v1/filings?action=submit HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{register.port}\r\n"
        f"Authorization: {agency['authorization']}\r\n"
        "Content-Type: application/x-ndjson\r\n"
        f"Content-Length: {size}\r\nConnection: close\r\n\r\n"
    ).encode()
    received = bytearray()
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.settimeout(PATIENCE)
        line.connect(("127.0.0.1", register.port))
        for piece in (head, *pieces):
            line.sendall(piece)
        while block := line.recv(1 << 20):
            received += block
    top, _, body = bytes(received).partition(b"\r\n\r\n")
    assert top.startswith(b"HTTP/1.1 200 ")
    assert body.endswith(b"0\r\n\r\n")
    return [json.loads(one) for one in unchunked(body).splitlines()]


def unchunked(body):
    whole = bytearray()
    while True:
        size, _, body = body.partition(b"\r\n")
        if (count := int(size, 16)) == 0:
            return bytes(whole)
        whole += body[:count]
        body = body[count + 2 :]


def slug(line):
    return line["problem"]["type"].removeprefix("/problems/")


def test_everything_sent_before_anything_is_read(register, agency, untouched):
    told = converse(register, agency, b"".join(FINDINGS % number for number in range(LINES)))
    assert [line["line"] for line in told] == list(range(1, LINES + 1))
    assert {slug(line) for line in told} == {"invalid-record"}
    assert 1_000_000 < sum(len(json.dumps(line)) for line in told) < 3_000_000


def test_lines_without_end_in_number(register, agency, untouched):
    told = converse(register, agency, b"[]\n" * (2 * MOST_LINES + 500))
    assert len(told) == 2 * MOST_LINES + 1
    assert {slug(line) for line in told[:MOST_LINES]} == {"unreadable-document"}
    assert {slug(line) for line in told[MOST_LINES:]} == {"payload-too-large"}
    assert "nothing was read" in told[-1]["problem"]["detail"]


def test_a_line_without_end_in_length(register, agency, untouched):
    told = converse(register, agency, b"x" * (5 * MAX_BYTES), b"\n", FINDINGS % 1)
    assert [(line["line"], slug(line)) for line in told] == [
        (1, "payload-too-large"),
        (2, "invalid-record"),
    ]


def test_lines_that_are_no_lines(register, agency, untouched):
    nasty = [
        b"\x00",
        b"\xff\xfe{\x00}\x00",
        b"[" * 5000,
        b'"\\ud800"',
        b"1e999",
        b"\x1e{}",
        b"\xe2\x80\xa8",
    ]
    told = converse(register, agency, b"\n".join(nasty))
    assert [line["line"] for line in told] == list(range(1, len(nasty) + 1))
    assert {slug(line) for line in told} == {"unreadable-document"}
