"""Plain readings: whatever is asked, the answer is the one that the whole application gives."""

import gzip

import msgspec
import pytest

from registry.api import app as application
from registry.api import plain
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
        patch.setattr(application, "plain_first", lambda inner, *_: inner)
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
    heads = sorted((name, shown if value == named else value) for name, value in start["headers"])
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


SEARCH = "/api/v1/records"
QUESTIONS = (
    "",
    *r"""
    q=lits q= q=+&limit=2 q=lits+-prevision&facets=risk,agency,origin limit=1 limit=0 limit=100
    limit=101 limit=%2B1 limit=٣ limit=1.0 limit= limit=01 limit=1&limit=1 limit=null q=null
    sort=newest sort=relevance sort=relevance&q=lits sort=age facets= facets=risk,risk facets=x
    x=1 && = risk=high&risk=limited&sector=health risk=high,limited risk= risk=High risk
    sector=health&risk=limited&limit=1 agency=demo-sante agency=nobody origin=local
    origin=nowhere territory=MA-01&territory=FR territory=XX-1 technique=rules technique=x
    supplier=none supplier=%20 finding=R15 finding=R99 missing=rights.contestation
    missing=/rights/contestation missing=x withheld=x restricted= overdue=true overdue=false
    risk_change=raised completeness_min=10&completeness_max=90 completeness_min=-1
    completeness_min=90&completeness_max=10 completeness_max=101 changed_since=2026-01-01
    changed_until=1999-01-01 changed_since=soon lang=fr&q=lits lang=xx as_of=entry:1
    as_of=entry:0&q=lits as_of=2026-11-24 as_of=later as_of=entry:1&as_of=entry:1 cursor=x
    cursor= q=%00 q=a%00b q=%ff q=%F0%9F%98%80 q=هذا q=%D9%87 q=%22lits%22 q=%22lits q=li*
    q=litz q=-lits q=a;b q=lits&unknown=1 Q=lits q=lits&q=lits
    """.split(),  # noqa: SIM905  so many are read more easily
    f"limit={'9' * 500}",
    "q=" + "a" * 501,
    "&".join(["risk=high"] * 101),
)
"""Queries of every parameter, rightly and wrongly asked."""


async def pages(app, query):
    """Give the answers of a question page by page, as long as there are more."""
    following = query.encode()
    while following is not None:
        found = await ask(app, path=SEARCH, query=following)
        yield found
        link = dict(found[1]).get(b"link")
        following = None if link is None else link.partition(b"?")[2].partition(b">")[0]


async def test_every_page_is_that_of_the_whole_application(both, counted, tag, lines, monkeypatch):
    whole, slow = both
    answered = []
    plainly = plain._page

    async def page(*asked):
        found = await plainly(*asked)
        answered.extend([] if found is None else [found])
        return found

    statuses = set()
    right = 0
    for query in QUESTIONS:
        counted.clear()
        lines.clear()
        expected = [found async for found in pages(slow, query)]
        once, line = list(counted), told(lines)
        counted.clear()
        with monkeypatch.context() as patch:
            patch.setattr(plain, "_page", page)
            assert [found async for found in pages(whole, query)] == expected, query
        assert counted == once, query
        assert told(lines) == line, query
        statuses |= {status for status, *_ in expected}
        right += sum(status == 200 for status, *_ in expected) * query.isascii()
        named = dict(expected[0][1]).get(b"etag")
        for known, method in ((named, "GET"), (b"*", "HEAD"), (b'"x"', "HEAD")):
            request = {
                "path": SEARCH,
                "query": query.encode(),
                "method": method,
                "headers": (HOST, GZIP) if known is None else (HOST, (b"if-none-match", known)),
            }
            assert await ask(whole, **request) == await ask(slow, **request), request
    assert statuses == {200, 400}
    # What is rightly asked does not need the application.
    assert len(answered) == right > 40


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
