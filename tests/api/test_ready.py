"""Ready bytes: whatever is asked, the answer is the one that the whole application gives."""

import msgspec
import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from registry.api import app as application
from registry.api import metrics, ready
from registry.api.app import create_app
from registry.store import kept

PROXY = "10.1.2.3"
RECORD = "/api/v1/records/demo-sante/prevision-lits"
GONE = "/api/v1/records/demo-sante/retire"
HOST = (b"host", b"register")


@pytest.fixture
def settings(settings):
    return msgspec.structs.replace(settings, trusted_proxies="10.0.0.0/8")


@pytest.fixture
async def both(settings, monkeypatch, started):
    """The application, and the same one without what is before it."""
    whole = create_app(settings)
    with monkeypatch.context() as patch:
        patch.setattr(application, "ready_first", lambda inner, *_: inner)
        slow = create_app(settings)
    async with started(whole), started(slow):
        yield whole, slow


@pytest.fixture
def counted(monkeypatch):
    """What was counted, as (operation, status)."""
    found = []

    def count(operation, status, _seconds):
        found.append((operation, status))

    monkeypatch.setattr(metrics, "count", count)
    return found


@pytest.fixture
async def tag(agency, publish, record):
    """The tag of a record in force; beside it there is one that was withdrawn."""
    other = {**record, "id": GONE.removeprefix("/api/v1/records/"), "source_id": "retire"}
    await publish(record)
    await publish(other)
    why = {"reason": "filed_in_error", "note": {"ar": "نشر خطأ", "fr": "Publié par erreur"}}
    gone = {"if-match": (await agency.get(GONE)).headers["etag"]}
    done = await agency.post(f"{GONE}/withdraw", json=why, headers=gone)
    assert done.status_code == 201, done.text
    return (await agency.get(RECORD)).headers["etag"]


async def ask(app, path=RECORD, query=b"", method="GET", headers=(HOST,), peer="127.0.0.1"):
    """Give the messages of an answer, its request's id in them as `ID`, and the line of the log."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query,
        "root_path": "", "headers": list(headers), "client": (peer, 1),
        "server": ("127.0.0.1", 80), "state": {},
    }  # fmt: skip
    with capture_logs(processors=[merge_contextvars]) as lines:
        await app(scope, receive, send)
    start, *rest = sent
    [named] = [value for name, value in start["headers"] if name == b"x-request-id"]
    for line in lines:
        line.pop("ms")
        assert line.pop("request").encode() == named
    given = dict(headers).get(b"x-request-id")
    shown = named if named == given else b"ID"
    heads = [(name, shown if value == named else value) for name, value in start["headers"]]
    body = b"".join(message["body"] for message in rest)
    return start["status"], heads, body.replace(named, shown), lines


def asking(tag):
    """Requests of every kind that may be taken for a plain reading, or just not."""
    yield {}
    suffixed = tag[:-1] + '-gz"'
    names = (tag, f"W/{tag}", "*", f'"other", {tag}', '"other"', tag[:-1], "", suffixed)
    for named in names:
        yield {"headers": (HOST, (b"if-none-match", named.encode()))}
    for query in (
        b"as_of=entry:0", b"as_of=entry:1", b"as_of=2026-11-24", b"as_of=1999-01-01", b"as_of=x",
        b"as_of=entry:1&as_of=entry:1", b"x=1", b"asof=entry:1", b"q", b"%00",
    ):  # fmt: skip
        yield {"query": query}
    for path in (
        GONE, "/api/v1/records/demo-sante/none", "/api/v1/records/DEMO/x", RECORD + "/",
        RECORD + "/versions", RECORD + "/versions/1", RECORD + "\x00", "/api/v1/records/a",
        "/api/v1/records//x", "/api/v1/records/" + "a" * 200 + "/b", "/api/v1/records/",
        "/api/v1/records/demo-sante/prévision",
    ):  # fmt: skip
        yield {"path": path}
    for method in ("HEAD", "POST", "DELETE", "OPTIONS", "BREW"):
        yield {"method": method}
    preflight = (b"access-control-request-method", b"GET")
    yield {"method": "OPTIONS", "headers": (HOST, preflight)}
    for headers in (
        (),
        (HOST, HOST),
        (HOST, (b"host", b"evil.example")),
        ((b"host", b"evil.example"),),
        ((b"host", b"127.0.0.1:8000"),),
        ((b"host", b"[::1"),),
        (HOST, (b"authorization", b"Bearer x")),
        (HOST, (b"authorization", b"")),
        (HOST, (b"origin", b"https://other.example")),
        (HOST, (b"accept-encoding", b"gzip, br"), (b"accept", b"text/html")),
        (HOST, (b"accept", b"a"), (b"accept", b"b")),
        (HOST, (b"range", b"bytes=0-3"), (b"if-modified-since", b"Tue, 24 Nov 2026 12:00:00 GMT")),
        (HOST, (b"x-request-id", b"Trace_1.2-3")),
        (HOST, (b"x-request-id", b"a b")),
        (HOST, (b"x-request-id", b"\xff")),
    ):
        yield {"headers": headers}
        yield {"headers": headers, "peer": PROXY}


async def test_every_answer_is_that_of_the_whole_application(both, counted, tag):
    whole, slow = both
    statuses = set()
    for request in asking(tag):
        counted.clear()
        expected = await ask(slow, **request)
        once = list(counted)
        # From the database or not at all, from memory, from memory.
        for _ in range(3):
            counted.clear()
            assert await ask(whole, **request) == expected, request
            assert counted == once, request
        statuses.add(expected[0])
    assert statuses == {200, 204, 304, 400, 404, 405, 410, 421}


async def test_a_record_in_force_needs_no_application_and_is_read_once(
    settings, monkeypatch, started, publish, record
):
    reads = []

    async def read(connection, name):
        reads.append(name)
        return await kept.read_in_force(connection, name)

    def nothing_but_its_life(inner, *_, **__):
        async def wrapped(scope, receive, send):
            assert scope["type"] == "lifespan"
            await inner(scope, receive, send)

        return wrapped

    monkeypatch.setattr(ready, "read_in_force", read)
    monkeypatch.setattr(application, "edge", nothing_but_its_life)
    await publish(record)
    other = {**record, "id": "demo-sante/autre", "source_id": "autre"}
    app = create_app(settings)
    async with started(app):
        for _ in range(3):
            assert (await ask(app))[0] == 200
        assert reads == [record["id"]]
        # What else is published leaves it as it is; its own amendment is seen at once.
        await publish(other)
        assert (await ask(app))[2].count(b'"version":1') == 1
        assert reads == [record["id"]]
        record["name"]["fr"] += " bis"
        await publish(record)
        assert (await ask(app))[2].count(b'"version":2') == 1
        assert reads == [record["id"]] * 2
        with pytest.raises(AssertionError):
            await ask(app, path="/api/v1/records/demo-sante/none")
