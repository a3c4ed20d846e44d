"""Readers who leave in the middle of an answer: nobody beside them meets a fault of ours."""

import copy
import json
import os
import socket
import struct
import threading
from collections import Counter

from tests.served import PATIENCE

ABORTED = int(os.environ.get("ABORTED", "90"))
"""Exports that are left; `ABORTED=600` repeats the attack that this was found by."""

AT_ONCE = 6
RECORDS = 150
_RESET = struct.pack("ii", 1, 0)


def leave(register):
    """Begin an export, read a little of it, and end the connection amid it."""
    with socket.socket() as line:
        # Little is under way, so the answer is not written to its end.
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        line.settimeout(PATIENCE)
        line.connect(("127.0.0.1", register.port))
        host = f"Host: 127.0.0.1:{register.port}"
        line.sendall(f"GET /api/v1/exports/records.jsonl HTTP/1.1\r\n{host}\r\n\r\n".encode())
        return int(line.recv(64)[9:12])


def test_who_leaves_an_export_makes_nobody_elses_request_a_fault(register, agency, document):
    lines = []
    for number in range(RECORDS):
        one = copy.deepcopy(document)
        one["id"] = f"demo-sante/leaving-{number}"
        one["source_id"] = f"LEAVING-{number}"
        one["name"] = {tag: f"{text} {number}" for tag, text in one["name"].items()}
        lines.append(json.dumps(one))
    filed = register.client.post(
        "/api/v1/filings?action=submit",
        content="\n".join(lines),
        headers=agency | {"content-type": "application/x-ndjson"},
    )
    assert Counter(json.loads(line)["outcome"] for line in filed.text.splitlines()) == {
        "published": RECORDS
    }
    statuses, over = Counter(), threading.Event()

    def read_on():
        while not over.is_set():
            statuses["read", register.client.get("/api/v1/changes?limit=1000").status_code] += 1

    def leave_often():
        for _ in range(ABORTED // AT_ONCE):
            statuses["left", leave(register)] += 1

    reading = threading.Thread(target=read_on)
    leaving = [threading.Thread(target=leave_often) for _ in range(AT_ONCE)]
    reading.start()
    for one in leaving:
        one.start()
    for one in leaving:
        one.join()
    over.set()
    reading.join()
    # Two exports at a time are written for one address by a worker.
    assert {status for _, status in statuses} <= {200, 429}, statuses
    assert statuses["read", 200] > 0
    assert statuses["left", 200] > 0
    assert register.faults() == []
