"""Fetching from another's host: what is there, what is not, and what is not followed."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from registry.errors import ConfigurationError, Unavailable
from registry.exchange import remote_log
from registry.exchange.remote_log import reader


@pytest.fixture
def host():
    """A server that keeps count of its connections."""
    connections = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self):
            connections.append(1)
            super().setup()

        def do_GET(self):
            name = self.path.rsplit("/", 1)[-1]
            status = {"none": 404, "moved": 302, "fault": 500}.get(name, 200)
            content = b"x" * 2000 if name == "long" else self.path.encode()
            self.send_response(status)
            if status == 302:
                self.send_header("location", "/log/elsewhere")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            # Without a word: the next to ask on this connection finds it ended.
            self.close_connection = name == "last"

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/log", connections
    server.shutdown()
    thread.join()
    server.server_close()


def test_many_files_come_over_one_connection(host):
    url, connections = host
    with reader(url + "/") as read:
        assert [read(name) for name in ("a", "tile/0/000", "b")] == [
            b"/log/a", b"/log/tile/0/000", b"/log/b"
        ]  # fmt: skip
        assert len(connections) == 1
        assert read("last") == b"/log/last"
        assert read("next") == b"/log/next"
        assert len(connections) == 2


def test_what_is_not_there_or_elsewhere(host):
    with reader(host[0]) as read:
        with pytest.raises(FileNotFoundError, match="/log/none"):
            read("none")
        with pytest.raises(Unavailable, match="answers 302"):
            read("moved")
        with pytest.raises(Unavailable, match="answers 500"):
            read("fault")
        assert read("a") == b"/log/a"


def test_what_is_too_large_is_refused(host, monkeypatch):
    monkeypatch.setattr(remote_log, "_LONGEST", 1000)
    with reader(host[0]) as read:
        with pytest.raises(Unavailable, match="larger"):
            read("long")
        assert read("a") == b"/log/a"


def test_a_host_that_does_not_answer_is_told():
    with (
        reader("http://127.0.0.1:9/log") as read,
        pytest.raises(Unavailable, match="cannot be read"),
    ):
        read("checkpoint")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/log", "ftp://example.org/log", "file:///etc/passwd", "example.org/log",
        "https://", "https://example.org/log?x=1", "https://example.org/log#x",
        "http://127.0.0.1.example.org/", "https://example.org:port/",
    ],
)  # fmt: skip
def test_only_https_is_read(url):
    with pytest.raises(ConfigurationError), reader(url):
        pass
