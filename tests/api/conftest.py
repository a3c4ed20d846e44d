"""The real application on a real database, asked over ASGI."""

import asyncio
import datetime as dt
import json
import secrets
from contextlib import asynccontextmanager, contextmanager

import httpx
import msgspec
import pytest

from registry.api import openapi
from registry.api.app import create_app
from registry.api.openapi_reading import READING_PATH
from registry.ledger import append
from registry.services.people import access_tokens
from registry.settings import Settings
from registry.store.database import connect
from registry.work import WorkProcess
from tests.conftest import NOW, as_role, make_record
from tests.described import Described
from tests.published import given_times
from tests.served import add_member

PROBLEM = "application/problem+json"
PLAIN = {"accept-encoding": "identity"}
"""Tags are compared with hashes here; `test_compression` looks at those of compressed forms."""


UNLIMITED = {
    "limit_validations": 0,
    "limit_failures": 0,
    "limit_exports": 0,
    "limit_export_records": 0,
    "limit_work": 0,
}


def settings_of(folder, url, **more):
    return Settings(
        data_dir=folder,
        database_url=url,
        base_url="https://algorithms.example",
        allowed_hosts="algorithms.example,register",
        **more,
    )


@contextmanager
def shared_by_applications():
    """Let all applications have one process for workbooks, and describe themselves once.

    Either takes an application of its own a second.
    """
    kept, described = WorkProcess("workbooks", seconds=60), {}

    def made(what, *, seconds):
        return kept if what == "workbooks" else WorkProcess(what, seconds=seconds)

    def describe(app, pack, whole=openapi.describe):
        paths = (route.path for route in app.routes)
        key = id(pack), app.openapi_config.servers[0].url, *paths
        if key not in described:
            described[key] = pack, whole(app, pack)
        return described[key][1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("registry.api.app.WorkProcess", made)
        patch.setattr(kept, "close", lambda: None)
        patch.setattr(openapi, "describe", describe)
        yield
    kept.close()


@pytest.fixture(scope="session", autouse=True)
def shared():
    with shared_by_applications():
        yield


@pytest.fixture
def settings(tmp_path, database_url):
    return settings_of(tmp_path, as_role("serving", database_url))


@pytest.fixture
async def database(database_url):
    """The register's database, as another process of the same host has it open."""
    opened = await connect(database_url)
    yield opened
    await opened.close()


@pytest.fixture
def lines():
    """The access log."""
    return []


@pytest.fixture
async def app(settings, lines):
    application = create_app(settings, tell=lines.append)
    async with lifespan(application):
        yield application


@pytest.fixture(scope="session")
def described():
    """The description that every answer of this suite must keep to."""

    async def ask():
        transport = httpx.ASGITransport(create_app(Settings(), tell=None))
        async with httpx.AsyncClient(transport=transport, base_url="http://register") as opened:
            return (await opened.get("/openapi.json")).json()

    return Described(asyncio.run(ask()))


@pytest.fixture(scope="session")
def hooks(described):
    """What every client of this suite does with every answer."""

    async def check(answer):
        path = answer.request.url.path
        if path.startswith(("/api/", "/health/")) and path != READING_PATH:
            body = await answer.aread()
            method, status = answer.request.method, answer.status_code
            fault = described.fault(method, path, status, answer.headers, body)
            assert fault is None, f"{method} {path}: {fault}"

    return {"response": [check]}


@pytest.fixture
async def client(app, hooks):
    """A client that has no token."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://register", headers=PLAIN, event_hooks=hooks
    ) as opened:
        yield opened


@pytest.fixture(scope="session")
async def reader(shared_url, tmp_path_factory, publication, hooks):
    """A client of a register with one record, for the tests that change nothing in it."""
    folder = tmp_path_factory.mktemp("reader")
    settings = settings_of(folder, as_role("serving", shared_url), **UNLIMITED)
    database = await connect(shared_url)
    async with database.transaction() as connection:
        one = publication(make_record())
        await append.publish(
            connection, [one], guard=given_times(), now=NOW, random=secrets.token_bytes
        )
    await database.close()
    application = create_app(settings, tell=None)
    transport = httpx.ASGITransport(application, raise_app_exceptions=False)
    async with (
        lifespan(application),
        httpx.AsyncClient(
            transport=transport, base_url="http://register", headers=PLAIN, event_hooks=hooks
        ) as opened,
    ):
        yield opened


@pytest.fixture
def token(database):
    """Make tokens; what reviews for an agency is a member's."""

    async def make(agency="demo-sante", scopes=("file",), days=30, now=None, actor=None):
        member = None
        if agency is not None and "review" in scopes:
            member = await add_member(database, agency)
        return await access_tokens.create_token(
            database,
            agency=agency,
            scopes=scopes,
            actor=actor,
            member=member,
            days=days,
            now=now or dt.datetime.now(dt.UTC),
            random=secrets.token_bytes,
        )

    return make


@pytest.fixture
async def agency(app, token, hooks):
    """A client with the token of demo-sante."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = PLAIN | {"authorization": f"Bearer {await token()}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://register", headers=headers, event_hooks=hooks
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
def started(hooks):
    """Start an application beside the test's own, for a client of it."""

    @asynccontextmanager
    async def start(application):
        async with lifespan(application):
            transport = httpx.ASGITransport(application, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://register", headers=PLAIN, event_hooks=hooks
            ) as opened:
                yield opened

    return start


class Clock:
    """A clock that a test sets."""

    now = dt.datetime(2026, 12, 1, 7, 0, tzinfo=dt.UTC)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def asker(settings, clock, started):
    """A client without a token of an application that goes by the test's clock."""
    unlimited = msgspec.structs.replace(settings, limit_exports=0)
    async with started(create_app(unlimited, tell=None, clock=lambda: clock.now)) as opened:
        yield opened


@pytest.fixture
def raw(app):
    """Ask with a path and query that no client would send."""

    async def ask(path, query=b"", method="GET", headers=(), peer="127.0.0.1", messages=()):
        sent = []
        waiting = list(messages) or [{"type": "http.request", "body": b"", "more_body": False}]
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
            "client": (peer, 1),
            "server": ("127.0.0.1", 80),
            "state": {},
        }

        async def receive():
            return waiting.pop(0)

        async def send(message):
            sent.append(message)

        await app(scope, receive, send)
        body = b"".join(message.get("body", b"") for message in sent[1:])
        head = [(key.decode(), value.decode("latin-1")) for key, value in sent[0]["headers"]]
        return httpx.Response(sent[0]["status"], headers=head, content=body)

    return ask


@asynccontextmanager
async def lifespan(application):
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
