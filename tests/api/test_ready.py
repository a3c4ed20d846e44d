"""Ready bytes: whatever is asked, the answer is the one that the whole application gives."""

import gzip

import msgspec
import pytest

from registry.api import app as application
from registry.api.app import create_app
from registry.api.metrics import Figures
from registry.store import kept
from registry.store.kept import read_in_force

PROXY = "10.1.2.3"
RECORD = "/api/v1/records/demo-sante/prevision-lits"
GONE = "/api/v1/records/demo-sante/retire"
HOST = (b"host", b"register")
GZIP = (b"accept-encoding", b"gzip")


@pytest.fixture
def settings(settings):
    return msgspec.structs.replace(settings, trusted_proxies="10.0.0.0/8")


@pytest.fixture
async def both(settings, monkeypatch, started, lines, counted):
    """The application, and the same one without what is before it."""
    whole = create_app(settings, tell=lines.append)
    with monkeypatch.context() as patch:
        patch.setattr(application, "ready_first", lambda inner, *_: inner)
        slow = create_app(settings, tell=lines.append)
    async with started(whole), started(slow):
        yield whole, slow


@pytest.fixture
def counted(monkeypatch):
    """What was counted, as (operation, status)."""
    found = []

    def count(_figures, operation, status, _seconds):
        found.append((operation, status))

    monkeypatch.setattr(Figures, "count", count)
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
    """Give an answer: its status, headers and body, its request's id in them as `ID`."""
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
    await app(scope, receive, send)
    start, *rest = sent
    [named] = [value for name, value in start["headers"] if name == b"x-request-id"]
    given = dict(headers).get(b"x-request-id")
    shown = named if named == given else b"ID"
    heads = [(name, shown if value == named else value) for name, value in start["headers"]]
    body = b"".join(message["body"] for message in rest)
    return start["status"], heads, body.replace(named, shown)


def told(lines):
    """Give what the access log says, without what differs from one time to the next."""
    found = [msgspec.to_builtins(line) for line in lines]
    lines.clear()
    return [
        {name: line[name] for name in line if name not in {"ms", "request", "timestamp"}}
        for line in found
    ]


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
        (HOST, (b"accept-encoding", b"br, gzip;q=0, *;q=0.5"), (b"accept", b"text/html")),
        (HOST, (b"accept-encoding", b"identity, gzip;q=0.9")),
        (HOST, (b"accept-encoding", b"")),
        (HOST, (b"accept", b"a"), (b"accept", b"b")),
        (HOST, (b"range", b"bytes=0-3"), (b"if-modified-since", b"Tue, 24 Nov 2026 12:00:00 GMT")),
        (HOST, (b"x-request-id", b"Trace_1.2-3")),
        (HOST, (b"x-request-id", b"a b")),
        (HOST, (b"x-request-id", b"\xff")),
    ):
        yield {"headers": headers}
        yield {"headers": headers, "peer": PROXY}


async def test_every_answer_is_that_of_the_whole_application(both, counted, tag, lines):
    whole, slow = both
    statuses = set()
    for request in asking(tag):
        counted.clear()
        lines.clear()
        expected = await ask(slow, **request)
        once, line = list(counted), told(lines)
        # From the database or not at all, from memory, from memory.
        for _ in range(3):
            counted.clear()
            assert await ask(whole, **request) == expected, request
            assert counted == once, request
            assert told(lines) == line, request
        statuses.add(expected[0])
    assert statuses == {200, 204, 304, 400, 404, 405, 410, 421}


async def test_whoever_takes_gzip_gets_the_same_bytes_smaller_and_a_tag_of_their_own(both, tag):
    whole, slow = both
    coded = tag[:-1] + '-gz"'
    _, _, body = await ask(slow)
    for method in ("GET", "HEAD", "GET"):
        for accepted in (b"gzip", b"br;q=1.0, GZIP ; q=0.5", b"deflate, *;q=0.1", b"x-gzip"):
            named = (b"accept-encoding", accepted)
            status, pairs, small = await ask(whole, method=method, headers=(HOST, named))
            heads = dict(pairs)
            assert (status, heads[b"etag"].decode()) == (200, coded), accepted
            assert (heads[b"content-encoding"], heads[b"vary"]) == (b"gzip", b"accept-encoding")
            assert int(heads[b"content-length"]) < len(body)
            if method == "HEAD":
                assert small == b""
            else:
                assert len(small) == int(heads[b"content-length"])
                assert gzip.decompress(small) == body
    # Either tag is of this version, whatever the client takes now.
    for known in (tag, coded, f'"other", W/{coded}'):
        for headers in ((HOST,), (HOST, GZIP)):
            named = (b"if-none-match", known.encode())
            status, pairs, nothing = await ask(whole, headers=(*headers, named))
            assert (status, nothing) == (304, b"")
            assert dict(pairs)[b"etag"].decode() in known
            assert b"content-encoding" not in dict(pairs)


async def test_a_record_in_force_needs_no_application_and_is_read_once(
    settings, monkeypatch, started, publish, record
):
    reads = []

    async def read(connection, names):
        reads.extend(names)
        return await read_in_force(connection, names)

    def nothing_but_its_life(inner, *_, **__):
        async def wrapped(scope, receive, send):
            assert scope["type"] == "lifespan"
            await inner(scope, receive, send)

        return wrapped

    monkeypatch.setattr(kept, "read_in_force", read)
    monkeypatch.setattr(application, "edge", nothing_but_its_life)
    await publish(record)
    other = {**record, "id": "demo-sante/autre", "source_id": "autre"}
    app = create_app(settings, tell=None)
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
