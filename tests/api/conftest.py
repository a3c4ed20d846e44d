"""The real application on a real database, asked over ASGI."""

import asyncio
import datetime as dt
import json
import secrets
from contextlib import asynccontextmanager

import httpx
import pytest

from registry.api.app import create_app
from registry.office import access
from registry.settings import Settings

PROBLEM = "application/problem+json"


@pytest.fixture
def settings(tmp_path, database_url):
    return Settings(
        data_dir=tmp_path, database_url=database_url, base_url="https://algorithms.example"
    )


@pytest.fixture
async def app(settings):
    application = create_app(settings)
    async with _lifespan(application):
        yield application


@pytest.fixture
async def client(app):
    """A client that has no token."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://register") as opened:
        yield opened


@pytest.fixture
def token(database):
    """Make tokens."""

    async def make(agency="demo-sante", scopes=("file",), days=30, now=None):
        return await access.create_token(
            database,
            agency=agency,
            scopes=scopes,
            actor=None,
            days=days,
            now=now or dt.datetime.now(dt.UTC),
            random=secrets.token_bytes,
        )

    return make


@pytest.fixture
async def agency(app, token):
    """A client with the token of demo-sante."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"authorization": f"Bearer {await token()}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://register", headers=headers
    ) as opened:
        yield opened


@pytest.fixture
def problem():
    """Check that an answer is a problem of a slug, and give it."""

    def check(response, status, slug):
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == PROBLEM
        assert response.headers["cache-control"] == "no-store"
        body = json.loads(response.content)
        assert body["type"] == f"/problems/{slug}"
        assert body["status"] == status
        assert body["title"]
        assert body["detail"]
        assert "Traceback" not in response.text
        return body

    return check


@pytest.fixture
def raw(app):
    """Ask with a path and query that no client would send."""

    async def ask(path, query=b"", method="GET", headers=()):
        sent = []
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode("utf-8", "surrogatepass"),
            "query_string": query,
            "root_path": "",
            "headers": [(b"host", b"register"), *headers],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "state": {},
        }

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            sent.append(message)

        await app(scope, receive, send)
        body = b"".join(message.get("body", b"") for message in sent[1:])
        head = [(key.decode(), value.decode("latin-1")) for key, value in sent[0]["headers"]]
        return httpx.Response(sent[0]["status"], headers=head, content=body)

    return ask


@asynccontextmanager
async def _lifespan(application):
    asked, answered = asyncio.Queue(), asyncio.Queue()
    running = asyncio.create_task(
        application(
            {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, asked.get, answered.put
        )
    )
    await asked.put({"type": "lifespan.startup"})
    assert (await answered.get())["type"] == "lifespan.startup.complete"
    yield
    await asked.put({"type": "lifespan.shutdown"})
    assert (await answered.get())["type"] == "lifespan.shutdown.complete"
    await running
