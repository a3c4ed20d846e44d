"""Many records in one request: an answer a line, as they come."""

import asyncio
import copy
import json

import pytest
from structlog.testing import capture_logs

from registry.api import bulk as api
from registry.errors import Unavailable
from registry.services.filing import pipeline

PATH = "/api/v1/filings"
NDJSON = {"content-type": "application/x-ndjson"}


def variant(record, number, **changes):
    document = copy.deepcopy(record)
    document["id"] = f"demo-sante/line-{number}"
    document["source_id"] = f"L-{number}"
    document["name"] = {tag: f"{text} {number}" for tag, text in document["name"].items()}
    return document | changes


def written(*documents):
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


def told(response):
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/x-ndjson"
    assert response.headers["cache-control"] == "no-store"
    assert response.content.endswith(b"\n") or response.content == b""
    return [json.loads(line) for line in response.content.splitlines()]


@pytest.fixture
def file(agency):
    async def file(content, action="submit", **options):
        return await agency.post(
            PATH, params={"action": action}, content=content, headers=NDJSON, **options
        )

    return file


async def test_each_line_gets_the_receipt_that_a_single_filing_gets(agency, client, file, record):
    documents = [variant(record, number) for number in range(3)]
    lines = told(await file(written(*documents)))
    single = variant(record, 9)
    path = f"{PATH}/{single['id']}"
    await agency.put(path, json=single, headers={"if-none-match": "*"})
    receipt = (await agency.post(f"{path}/submit")).json()
    for number, (line, document) in enumerate(zip(lines, documents, strict=True), start=1):
        assert set(line) == {"line", "id", "outcome", "receipt"}
        assert (line["line"], line["id"], line["outcome"]) == (number, document["id"], "published")
        assert set(line["receipt"]) == set(receipt)
        assert set(line["receipt"]["links"]) == set(receipt["links"])
        public = await client.get(f"/api/v1/records/{document['id']}")
        assert public.json()["record"] == document
        assert public.json()["register"]["hash"] == line["receipt"]["hash"]
    again = told(await file(written(*documents)))
    assert [line["outcome"] for line in again] == ["unchanged"] * 3
    assert [line["receipt"] | {"outcome": "published"} for line in again] == [
        line["receipt"] for line in lines
    ]


async def test_drafts_say_whether_they_could_be_published(agency, client, file, record):
    incomplete = {key: value for key, value in variant(record, 1).items() if key != "purpose"}
    lines = told(await file(written(variant(record, 0), incomplete), action="draft"))
    assert [line["outcome"] for line in lines] == ["created", "created"]
    assert [line["receipt"]["publishable"] for line in lines] == [True, False]
    draft = lines[1]["receipt"]["links"]["draft"].removeprefix("https://algorithms.example")
    read = await agency.get(draft)
    assert read.headers["etag"] == f'"{lines[1]["receipt"]["tag"]}"'
    assert (await client.get(f"/api/v1/records/{incomplete['id']}")).status_code == 404


async def test_a_refused_line_has_its_whole_problem(file, record):
    incomplete = {key: value for key, value in variant(record, 1).items() if key != "purpose"}
    content = written(incomplete) + b"{,}\n\n" + written(variant(record, 2, id="demo-education/x"))
    response = await file(content)
    lines = told(response)
    assert [(line["line"], line["id"], line["outcome"]) for line in lines] == [
        (1, incomplete["id"], "refused"),
        (2, None, "refused"),
        (4, "demo-education/x", "refused"),
    ]
    problems = [line["problem"] for line in lines]
    assert [one["type"].split("/")[-1] for one in problems] == [
        "invalid-record",
        "unreadable-document",
        "forbidden",
    ]
    assert [one["status"] for one in problems] == [422, 400, 403]
    assert "/purpose/goal" in {finding["pointer"] for finding in problems[0]["findings"]}
    assert {one["request"] for one in problems} == {response.headers["x-request-id"]}
    assert "receipt" not in lines[0]


async def test_findings_that_are_cut_come_with_their_number(agency, file, record, problem):
    flooded = variant(record, 1) | {f"x{number}": 1 for number in range(70)}
    [line] = told(await file(written(flooded), action="draft"))
    assert (len(line["problem"]["findings"]), line["problem"]["findings_total"]) == (50, 70)
    path = f"{PATH}/{flooded['id']}"
    saved = await agency.put(path, json=flooded, headers={"if-none-match": "*"})
    assert problem(saved, 422, "invalid-record")["findings_total"] == 70
    checked = (await agency.post("/api/v1/validate", json=flooded)).json()
    assert (len(checked["findings"]), checked["findings_total"]) == (50, 70)


async def test_findings_come_in_the_language_asked_for(file, agency, record):
    incomplete = {key: value for key, value in variant(record, 1).items() if key != "purpose"}
    response = await agency.post(
        f"{PATH}?action=submit&lang=ar", content=written(incomplete), headers=NDJSON
    )
    [line] = told(response)
    assert {finding["lang"] for finding in line["problem"]["findings"]} == {"ar"}


async def test_nothing_sent_is_nothing_answered(file):
    for content in (b"", b"\n\n \r\n"):
        assert told(await file(content)) == []


async def test_what_is_wrong_with_the_request_is_one_problem(
    agency, client, token, problem, record
):
    body = written(record)
    for query in ("", "?action=publish", "?action=submit&action=draft", "?acton=submit"):
        answer = await agency.post(f"{PATH}{query}", content=body, headers=NDJSON)
        problem(answer, 400, "invalid-parameter")
    path = f"{PATH}?action=submit"
    plain = await agency.post(path, content=body, headers={"content-type": "application/json"})
    problem(plain, 415, "unsupported-media-type")
    coded = await agency.post(path, content=body, headers=NDJSON | {"content-encoding": "gzip"})
    problem(coded, 415, "unsupported-media-type")
    problem(await client.post(path, content=body, headers=NDJSON), 401, "unauthorized")
    reviewer = {"authorization": f"Bearer {await token(scopes=('review',))}"}
    problem(await client.post(path, content=body, headers=NDJSON | reviewer), 403, "forbidden")
    assert (await client.get("/api/v1/records")).json()["total"] == 0


async def test_a_request_may_be_larger_than_one_document(file, record):
    padding = b" " * 500_000
    content = b"".join(written(variant(record, n)) + padding + b"\n" for n in range(30))
    lines = told(await file(content))
    assert [line["line"] for line in lines] == list(range(1, 60, 2))
    assert {line["outcome"] for line in lines} == {"published"}


async def test_a_fault_of_ours_is_the_affair_of_its_line(file, record, monkeypatch):
    whole = pipeline.append

    async def faulty(connection, guard, state, entries, **options):
        if entries[0].record.endswith("-1"):
            raise RuntimeError("a secret of the database")
        return await whole(connection, guard, state, entries, **options)

    monkeypatch.setattr(pipeline, "append", faulty)
    # To write the story of a fault for a terminal takes seconds.
    with capture_logs() as faults:
        lines = told(await file(written(*(variant(record, number) for number in range(3)))))
    assert [fault["event"] for fault in faults] == ["fault"]
    assert [line["outcome"] for line in lines] == ["published", "refused", "published"]
    assert lines[1]["problem"]["type"] == "/problems/internal-error"
    assert "secret" not in json.dumps(lines)


async def test_the_end_of_the_database_is_told_line_by_line(file, record, monkeypatch):
    async def gone(*_):
        raise Unavailable("the database does not answer")

    monkeypatch.setattr(pipeline, "_execute_group", gone)
    lines = told(await file(written(*(variant(record, number) for number in range(3)))))
    assert [line["problem"]["type"] for line in lines] == ["/problems/unavailable"] * 3


class Conversation:
    """A request whose pieces are sent one by one, and whose answer is read as it comes."""

    def __init__(self, app, headers):
        self.sent = asyncio.Queue()
        self.told = asyncio.Queue()
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": PATH,
            "raw_path": PATH.encode(),
            "query_string": b"action=submit",
            "root_path": "",
            "headers": [(b"host", b"register"), *headers],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "state": {},
        }
        self.running = asyncio.create_task(app(scope, self.sent.get, self.told.put))

    def send(self, body, *, more=True):
        self.sent.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def go(self):
        self.sent.put_nowait({"type": "http.disconnect"})

    async def line(self):
        while True:
            message = await self.told.get()
            if message["type"] == "http.response.body":
                return message["body"]


@pytest.fixture
async def converse(app, agency):
    headers = [
        (b"content-type", b"application/x-ndjson"),
        (b"authorization", agency.headers["authorization"].encode()),
    ]
    return lambda: Conversation(app, headers)


async def test_a_line_is_filed_as_it_comes_and_answered_when_the_request_is_whole(
    client, converse, record
):
    """A client that sends everything first would be ended for what it leaves unread."""
    talk = converse()
    talk.send(written(record))
    await until_published(client, 1)
    assert talk.told.empty()
    talk.send(written(variant(record, 1))[:-1], more=False)
    assert json.loads(await talk.line())["line"] == 1
    assert json.loads(await talk.line())["line"] == 2
    assert await talk.line() == b""
    await talk.running


@pytest.mark.parametrize("held", [1, 1000, 100_000])
async def test_answers_wait_in_memory_or_on_the_disk_and_come_in_order(
    converse, record, monkeypatch, held
):
    """However much of them there is when somebody begins to read."""
    monkeypatch.setattr(api, "_IN_MEMORY", held)
    talk = converse()
    for number in range(9):
        talk.send(b'{"id": "demo-sante/%d", "extra": 1}\n' % number)
    talk.send(written(record), more=False)
    lines = [json.loads(await talk.line()) for _ in range(10)]
    assert [line["line"] for line in lines] == list(range(1, 11))
    assert [line["outcome"] for line in lines] == [*["refused"] * 9, "published"]
    assert await talk.line() == b""
    await talk.running


async def test_who_goes_away_in_the_middle_ends_the_work(client, converse, record):
    talk = converse()
    talk.send(written(record) + written(variant(record, 1))[:100])
    await until_published(client, 1)
    talk.go()
    await talk.running
    assert (await client.get("/api/v1/records")).json()["total"] == 1


async def until_published(client, total):
    while (await client.get("/api/v1/records")).json()["total"] < total:  # noqa: ASYNC110  not our event
        await asyncio.sleep(0.02)


async def test_who_goes_away_before_reading_ends_the_work(client, converse, record, monkeypatch):
    begun = asyncio.Event()

    async def slow(*_):
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(pipeline, "_execute_group", slow)
    talk = converse()
    talk.send(written(record), more=False)
    await begun.wait()
    talk.go()
    await talk.running
    assert talk.told.qsize() == 1  # the head; no end, which would say that it is all


async def test_a_line_that_does_not_end_is_told_so(converse, record, monkeypatch):
    monkeypatch.setattr(api, "BODY_SECONDS", 0.2)
    talk = converse()
    talk.send(written(record) + b'{"id":')
    dripping = asyncio.create_task(drip(talk))
    assert json.loads(await talk.line())["outcome"] == "published"
    line = json.loads(await talk.line())
    dripping.cancel()
    assert (line["line"], line["problem"]["type"]) == (2, "/problems/request-timeout")
    assert await talk.line() == b""
    await talk.running


async def drip(talk):
    while True:
        talk.send(b" ")
        await asyncio.sleep(0.02)
