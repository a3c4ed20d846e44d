"""The log: JSON lines that tell where a fault is and nothing that was sent, and never hold up."""

import datetime as dt
import io
import json
import logging
import os
import subprocess
import sys
import threading
from itertools import count
from pathlib import Path

import pytest
import structlog

from registry.api.request import AccessLogEntry
from registry.cli import log_output

SECRET = "regt_geheim"
PATIENCE = 180
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def as_it_was():
    handlers = logging.root.handlers[:]
    yield
    logging.root.handlers[:] = handlers
    structlog.reset_defaults()


def told(work):
    """What the log says of some work, line by line."""
    stream = io.StringIO()
    log_output.configure(stream)
    work(structlog.get_logger())
    structlog.get_config()["logger_factory"]().close()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_what_a_library_tells_is_a_line_without_its_sentence():
    def work(_):
        lost = ConnectionError(SECRET)
        logging.getLogger("asyncpg.pool").warning("lost %s", SECRET, exc_info=lost)
        logging.getLogger("asyncpg.pool").info("not worth a line")

    log_output.configure(io.StringIO())  # the last one holds, and alone
    [line] = told(work)
    assert (line["event"], line["library"]) == ("told by a library", "asyncpg.pool")
    assert line["level"] == "warning"
    assert line["place"] == "test_log_output.work"
    assert line["exception"].endswith("ConnectionError")
    assert SECRET not in json.dumps(line)


def test_a_line_is_an_object_with_the_id_of_the_request():
    def work(log):
        with structlog.contextvars.bound_contextvars(request="abc"):
            log.info("request", status=200, path="/a\nb")
        log.debug("not worth a line")

    [line] = told(work)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "request", "level": "info", "status": 200, "path": "/a\nb", "request": "abc"
    }  # fmt: skip


LINE = AccessLogEntry(
    "GET", "/a\nb", 200, 1.5, None, None, "abc", dt.datetime(2026, 11, 24, 18, 7, tzinfo=dt.UTC)
)


def test_an_answer_is_a_line_among_the_others_in_the_order_they_were_told():
    stream = io.StringIO()
    tell = log_output.configure(stream)
    tell(LINE)
    structlog.get_logger().warning("between")
    tell(LINE)
    structlog.get_config()["logger_factory"]().close()
    first, between, last = map(json.loads, stream.getvalue().splitlines())
    assert first == last == {
        "event": "request", "level": "info", "method": "GET", "path": "/a\nb", "status": 200,
        "ms": 1.5, "actor": None, "token": None, "request": "abc",
        "timestamp": "2026-11-24T18:07:00Z",
    }  # fmt: skip
    assert between["event"] == "between"


def test_on_a_terminal_an_answer_is_told_in_words():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    log_output.configure(stream)(LINE)
    structlog.get_config()["logger_factory"]().close()
    [line] = stream.getvalue().splitlines()
    assert "request" in line
    assert "abc" in line
    assert not line.startswith("{")


def test_what_was_told_last_is_written_when_the_process_ends():
    program = (
        "from registry.cli import log_output\n"
        "from tests.cli.test_log_output import LINE\n"
        "tell = log_output.configure()\n"
        "for _ in range(5_000): tell(LINE)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert len(done.stderr.splitlines()) == 5_000


def test_of_a_fault_the_kind_and_the_places_are_told_and_no_value():
    def inner(document):
        raise ValueError(document)

    def work(log):
        try:
            try:
                inner(SECRET)
            except ValueError as error:
                raise OSError(28, "No space left on device", SECRET) from error
        except OSError:
            log.exception("fault")

    [line] = told(work)
    story = line["exception"]
    assert "OSError (No space left on device)" in story
    assert "caused by:" in story
    assert story.endswith("ValueError")
    assert "in inner" in story
    assert SECRET not in json.dumps(line)


def test_a_log_that_nobody_reads_holds_nothing_up():
    read, write = os.pipe()
    with os.fdopen(read) as reader:
        with os.fdopen(write, "w") as stream:
            log_output.configure(stream)
            log = structlog.get_logger()
            done = threading.Event()

            def work():
                for number in range(20_000):
                    log.info("request", number=number, path="x" * 100)
                done.set()

            threading.Thread(target=work, daemon=True).start()
            assert done.wait(PATIENCE)
            # Somebody begins to read after all: what has waited comes, what had no room does not.
            first = [json.loads(reader.readline())["number"] for _ in range(5_000)]
            assert first == list(range(5_000))
            # There is room again once the writer has taken what waits, which may be a little later.
            for number in count():
                if number % 1_000 == 0:
                    log.info("again")
                if json.loads(reader.readline())["event"] == "again":
                    break
            structlog.get_config()["logger_factory"]().close()
        assert {json.loads(line)["event"] for line in reader} <= {"again"}
