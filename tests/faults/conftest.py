"""An agency that files over the real application, and what breaks between it and PostgreSQL."""

import asyncio
import datetime as dt
import secrets
import shutil
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
import pytest

from registry.api.app import create_app
from registry.services.people.access_tokens import create_token
from registry.settings import Settings
from tests.api.conftest import lifespan
from tests.crash.invariants import broken_laws
from tests.prepared import make_folder


class Agency:
    """A client with a token of demo-sante; every fault is answered 503, never 500."""

    def __init__(self, http, record):
        self.http = http
        self.record = record

    def document(self, slug, **changes):
        return self.record | {"id": f"demo-sante/{slug}", "source_id": slug} | changes

    async def ask(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.http.request(method, f"/api/v1/{path}", json=body, headers=headers)
        if answer.status_code >= 500:
            assert answer.status_code == 503, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            assert int(answer.headers["retry-after"]) > 0
        return answer

    async def save(self, document, tag=None):
        headers = {"if_none_match": "*"} if tag is None else {"if_match": f'"{tag}"'}
        return await self.ask("PUT", f"filings/{document['id']}", document, **headers)

    async def submit(self, document):
        return await self.ask("POST", f"filings/{document['id']}/submit")

    async def publish(self, document, tag=None):
        saved = await self.save(document, tag)
        assert saved.is_success, saved.text
        done = await self.submit(document)
        assert done.status_code == 201, done.text
        return done.json()


@pytest.fixture
def folder():
    """A short path for a register of its own: the embedded server's socket lies in it."""
    made = make_folder("f")
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def make_token():
    """Make a token of demo-sante."""

    async def made(database):
        return await create_token(
            database,
            agency="demo-sante",
            scopes=["file"],
            actor=None,
            days=30,
            now=dt.datetime.now(dt.UTC),
            random=secrets.token_bytes,
        )

    return made


@pytest.fixture
def agency_at(database, make_token, tmp_path, record):
    """Open the application on a database's address, with a client that may file."""

    @asynccontextmanager
    async def opened(url):
        token = await make_token(database)
        app = create_app(Settings(data_dir=tmp_path, database_url=url, limit_writes=0), tell=None)
        async with lifespan(app):
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            headers = {"authorization": f"Bearer {token}"}
            async with httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1:8000", headers=headers
            ) as http:
                yield Agency(http, record)

    return opened


@pytest.fixture
async def agency(agency_at, database_url):
    async with agency_at(database_url) as opened:
        yield opened


@pytest.fixture
async def intruder(database_url):
    """A connection beside the register's, with which tests get in its way."""
    connection = await asyncpg.connect(
        database_url, server_settings={"application_name": "intruder"}
    )
    yield connection
    await connection.close()


@pytest.fixture
def is_whole(database_url, pack):
    """Check the whole register."""

    async def check():
        assert await broken_laws(database_url, pack) == []

    return check


@pytest.fixture
def waiting(database_url):
    """Wait until a connection, the register's or another's, waits for a lock; give its backend."""

    async def found(whose="registry"):
        connection = await asyncpg.connect(database_url)
        question = (
            "select pid from pg_stat_activity where wait_event_type = 'Lock'"
            " and datname = current_database() and application_name = $1"
        )
        try:
            async with asyncio.timeout(120):
                while (pid := await connection.fetchval(question, whose)) is None:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
                return pid
        finally:
            await connection.close()

    return found


class Wire:
    """A stretch of network before PostgreSQL that can be cut at any message.

    `cut_at`: at which message of the register, from 1, the wire breaks; None: it holds.
    `delivered`: whether that message still arrives, and only its answer is lost. While it is
    silent, nothing arrives and nothing ends; a connection of that time never speaks again.
    """

    def __init__(self):
        self.silent = False
        self.lines = []
        self.cut_at = None
        self.delivered = False
        self.messages = 0
        self.broke = False

    def arm(self, cut_at, *, delivered):
        self.cut_at, self.delivered = cut_at, delivered
        self.messages, self.broke = 0, False

    def silence(self):
        self.silent = True
        for mute in self.lines:
            mute.set()

    async def connect(self, reader, writer, path):
        theirs, to_them = await asyncio.open_unix_connection(path)
        cut, mute = asyncio.Event(), asyncio.Event()
        self.lines.append(mute)
        if self.silent:
            mute.set()
        answers = asyncio.create_task(self._carry_answers(theirs, writer, cut, mute))
        try:
            while message := await reader.read(1 << 20):
                if mute.is_set():
                    continue
                self.messages += 1
                if self.messages == self.cut_at:
                    cut.set()
                    self.broke = True
                    if not self.delivered:
                        break
                # What follows is the rest of a long message, until its answer is lost.
                to_them.write(message)
                await to_them.drain()
        except ConnectionError:
            pass
        finally:
            answers.cancel()
            to_them.close()
            writer.close()

    async def _carry_answers(self, theirs, writer, cut, mute):
        while answer := await theirs.read(1 << 20):
            if mute.is_set():
                continue
            if cut.is_set():
                break
            writer.write(answer)
        if not mute.is_set():
            writer.close()


@pytest.fixture
async def wire_to():
    """Lay a wire to a database; its `url` is the database's address at the near end."""
    servers = []

    async def laid(database_url):
        parts = urlsplit(database_url)
        [folder] = parse_qs(parts.query)["host"]
        socket = f"{folder}/.s.PGSQL.5432"
        wire = Wire()
        server = await asyncio.start_server(
            lambda reader, writer: wire.connect(reader, writer, socket), "127.0.0.1"
        )
        servers.append(server)
        port = server.sockets[0].getsockname()[1]
        wire.url = f"postgresql://postgres@127.0.0.1:{port}{parts.path}"
        return wire

    yield laid
    for server in servers:
        server.close()
        await server.wait_closed()


@pytest.fixture
async def wire(wire_to, database_url):
    return await wire_to(database_url)
