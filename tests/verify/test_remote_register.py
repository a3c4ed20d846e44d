"""Asking a register at the pace that it allows."""

from http.server import BaseHTTPRequestHandler

import pytest

from registry.errors import ConfigurationError, Unavailable
from registry.verify import remote_register
from registry.verify.remote_register import RemoteRegister
from tests.listening import listening


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asked = self.server.asked
        asked.append(self.path)
        status, later = 200, None
        if self.path.startswith("/busy") and asked.count(self.path) < 3:
            status, later = 429, "7"
        if self.path == "/never":
            status = 503
        if self.path == "/gone":
            status = 410
        body = f'{{"path":"{self.path}"}}'.encode()
        if self.path.startswith("/lines"):
            body = b"one\ntwo\nthree"
        self.send_response(status)
        if later is not None:
            self.send_header("retry-after", later)
        self.send_header("content-length", str(len(body) + 9 * self.path.endswith("cut")))
        if self.path.endswith("cut"):
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with listening(Handler, asked=[]) as running:
        yield running


@pytest.fixture
def waits():
    return []


@pytest.fixture
def register(server, waits):
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    with RemoteRegister(url, sleep=waits.append) as asked:
        yield asked


def test_many_questions_are_answered_in_their_order(register):
    paths = [f"/{number}" for number in range(100)]
    found = list(register.each(paths, register.get))
    assert [(path, answer.status, answer.json["path"]) for path, answer in found] == [
        (path, 200, path) for path in paths
    ]


def test_it_waits_as_long_as_it_is_told(register, server, waits):
    assert register.get("/busy").status == 200
    assert (waits, server.asked.count("/busy")) == ([7, 7], 3)
    assert register.get("/gone").status == 410


def test_it_gives_up_one_that_stays_busy(register, waits):
    with pytest.raises(Unavailable, match="/never answers 503, 6 times in turn"):
        register.get("/never")
    assert waits == [1, 2, 4, 8, 16, 32]


def test_what_fails_ends_the_rest(register, server):
    paths = ["/never", *(f"/{number}" for number in range(100))]
    with pytest.raises(Unavailable):
        list(register.each(paths, register.get))
    assert len(server.asked) < 60


def test_lines_are_read_as_they_come(register, waits, monkeypatch):
    with register.stream("/lines") as (status, lines):
        assert (status, list(lines)) == (200, [b"one\n", b"two\n", b"three"])
    with register.stream("/busy") as (status, lines):
        assert (status, list(lines)) == (200, [b'{"path":"/busy"}'])
    assert waits == [7, 7]
    with register.stream("/gone") as (status, _):
        assert status == 410
    with register.stream("/lines/cut") as (_, lines):
        assert next(lines) == b"one\n"
        with pytest.raises(Unavailable, match="ended before its end"):
            list(lines)
    monkeypatch.setattr(remote_register, "LONGEST", 4)
    with (
        register.stream("/lines") as (_, lines),
        pytest.raises(Unavailable, match="longer than any"),
    ):
        list(lines)
    with pytest.raises(Unavailable, match="6 times in turn"), register.stream("/never"):
        pass


def test_an_address_without_https_is_refused():
    with pytest.raises(ConfigurationError, match="begins with https"):
        RemoteRegister("http://register.example/")
