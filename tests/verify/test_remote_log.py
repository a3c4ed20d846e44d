"""Fetching from another's host: what is there, what is not, and what is not followed."""

import socket
import ssl
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from urllib.parse import urlsplit

import pytest

from registry.errors import ConfigurationError, Unavailable
from registry.http_client import is_public
from registry.verify import remote_register
from registry.verify.remote_register import reader
from tests.listening import dripping, listening, write_certificate


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
            if name == "packed":
                self.send_header("content-encoding", "gzip")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            # Without a word: the next to ask on this connection finds it ended.
            self.close_connection = name == "last"

        def log_message(self, *_):
            pass

    with listening(Handler) as server:
        yield f"http://127.0.0.1:{server.server_port}/log", connections


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
    monkeypatch.setattr(remote_register, "LONGEST", 1000)
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


def test_only_addresses_of_the_public_internet_are_public():
    inside = [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "240.0.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1",
        "::1", "::", "fe80::1", "fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1",
        # Through these one comes to an address of IPv4.
        "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::8.8.8.8",
        "64:ff9b:1::1", "2002:7f00:1::", "2001:0:7f00:1::",
    ]  # fmt: skip
    outside = ["8.8.8.8", "196.200.131.1", "2a00:1450:4007::1", "2c0f:fb50::1"]
    found = {text: is_public(ip_address(text)) for text in [*inside, *outside]}
    assert found == dict.fromkeys(inside, False) | dict.fromkeys(outside, True)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/log", "http://localhost/log", "http://[::1]/log"]
)
def test_what_must_be_public_is_not_read_without_encryption(url):
    with pytest.raises(ConfigurationError), reader(url, only_public=True):
        pass


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::1", "64:ff9b::7f00:1"])
def test_a_name_of_an_inner_address_is_never_connected_to(monkeypatch, address):
    def resolve(host, port, **_):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    def connect(*_):
        raise AssertionError("connected")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", connect)
    with (
        reader("https://register.example/log", only_public=True) as read,
        pytest.raises(Unavailable, match="is no public address"),
    ):
        read("checkpoint")


def test_the_connection_goes_to_the_address_that_was_looked_at(host, monkeypatch):
    """A name may mean another address a moment later: it is asked for once a connection."""
    asked = []
    port = urlsplit(host[0]).port

    def resolve(name, *_, **__):
        asked.append(name)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with reader(f"http://localhost:{port}/log") as read:
        assert read("a") == b"/log/a"
        assert read("b") == b"/log/b"
    # The address itself is looked up as well, which asks nobody.
    assert asked == ["localhost", "127.0.0.1"]


def test_what_is_compressed_is_not_unpacked(host):
    with reader(host[0]) as read, pytest.raises(Unavailable, match="compressed"):
        read("packed")


def test_what_comes_too_slowly_is_given_up(host, monkeypatch):
    monkeypatch.setattr(remote_register, "LONGEST_SECONDS", -1.0)
    with reader(host[0]) as read, pytest.raises(Unavailable, match="longer"):
        read("a")


@pytest.mark.parametrize("is_encrypted", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize(
    "begun", [b"HTTP/1.1 200 OK\r\nx: ", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["head", "content"]
)
def test_what_never_ends_is_given_up_though_each_byte_comes_soon(
    monkeypatch, tmp_path, begun, is_encrypted
):
    served = None
    if is_encrypted:
        served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        served.load_cert_chain(file := write_certificate(tmp_path, days=1))
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.setattr(remote_register, "LONGEST_SECONDS", 0.5)
    with (
        dripping(begun, served) as address,
        reader(f"{address}/log") as read,
        # Not our own limit of a read ends it: that is 30 seconds.
        pytest.raises(Unavailable, match=r"longer|timed out"),
    ):
        read("a")
