"""A store that speaks S3, and API hosts behind one address, for tests of more than one machine."""

import asyncio
import json
import logging
import os
import secrets
import threading
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from urllib.request import Request, urlopen

import httpx
import msgspec
import pytest

_PASSED = (
    "accept",
    "accept-encoding",
    "accept-language",
    "content-type",
    "if-none-match",
    "user-agent",
)
_READABLE = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::register/*",
        }
    ],
}
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
}


class Bucket(msgspec.Struct, frozen=True):
    """A prefix of its own in a bucket that anybody may read: as it is set, and as it is read."""

    address: str
    url: str

    def get(self, path):
        """Return headers and content of an object."""
        with urlopen(f"{self.url}/{path}") as answer:  # noqa: S310  it is our own
            return answer.headers, answer.read()


@contextmanager
def running_store():
    """Run a store with one bucket for the time of a block; yield its address."""
    server_module = pytest.importorskip("moto.server")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    before = {name: os.environ.get(name) for name in (*ENVIRONMENT, "AWS_ENDPOINT_URL")}
    os.environ |= ENVIRONMENT | {"AWS_ENDPOINT_URL": url}
    try:
        for place, content in (("register", b""), ("register?policy", json.dumps(_READABLE))):
            data = content.encode() if isinstance(content, str) else content
            headers = {"content-type": "application/json"}
            urlopen(Request(f"{url}/{place}", data, headers, method="PUT"))  # noqa: S310
        yield url
    finally:
        server.stop()
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def make_bucket(url):
    """Return a prefix that nobody has used."""
    prefix = secrets.token_hex(8)
    return Bucket(f"s3://register/{prefix}", f"{url}/register/{prefix}")


class Balancer:
    """One address of several applications, which take turns to answer reads."""

    def __init__(self):
        """Listen; whoever asks waits until there are applications."""
        self._loop = asyncio.get_running_loop()
        self._clients = None
        balancer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.pass_on()

            def do_POST(self):
                self.pass_on()

            def pass_on(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                answer = balancer.ask(self.command, self.path, self.headers, body)
                self.send_response(answer.status_code)
                for name, value in answer.headers.items():
                    if name not in ("content-length", "transfer-encoding"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def ask(self, method, path, headers, body):
        """Ask the next application."""
        given = {name: headers[name] for name in _PASSED if name in headers}
        given["accept-encoding"] = "identity"
        asked = next(self._clients).request(method, path, headers=given, content=body)
        return asyncio.run_coroutine_threadsafe(asked, self._loop).result(60)

    @asynccontextmanager
    async def before(self, *applications):
        """Serve applications for the time of a block."""
        clients = [
            httpx.AsyncClient(
                transport=httpx.ASGITransport(one, raise_app_exceptions=False), base_url=self.url
            )
            for one in applications
        ]
        self._clients = cycle(clients)
        serving = threading.Thread(target=self._server.serve_forever, daemon=True)
        serving.start()
        try:
            yield clients
        finally:
            self._server.shutdown()
            self._server.server_close()
            serving.join()
            for client in clients:
                await client.aclose()
