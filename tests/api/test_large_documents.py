"""Large documents are worked on in a process of their own, one at a time; too many are refused."""

import asyncio
import copy
import json
import os
import signal
import time
from contextlib import contextmanager, suppress

import psutil
import pytest

from registry.errors import Unavailable
from registry.record import diff, parse, validate
from registry.record.schema import fields
from registry.resources import SCHEMAS
from registry.services.context import LARGE_BYTES, QUICK_BYTES
from registry.work import MOST_PIECES, WorkProcess
from tests.bench.corpus import FILLED

LANGUAGES = ("fr", "ar", "en", "zgh", "es", "nl", "de", "it")
ID = "demo-sante/maxima"
PATH = f"/api/v1/filings/{ID}"
NEW = {"if-none-match": "*"}
LINES = {"content-type": "application/x-ndjson"}


def grown(node, most, path=()):
    """Give a document lists at their maximum, and texts in eight languages."""
    if isinstance(node, dict):
        if (
            node
            and set(node) <= {*LANGUAGES}
            and all(isinstance(one, str) for one in node.values())
        ):
            return dict.fromkeys(LANGUAGES, "x")
        return {name: grown(one, most, (*path, name)) for name, one in node.items()}
    if isinstance(node, list) and node:
        held = [grown(one, most, (*path, "*")) for one in node]
        return [copy.deepcopy(held[n % len(held)]) for n in range(most.get(path, len(held)))]
    return node


@pytest.fixture(scope="module")
def maxima():
    most = {one.path: one.schema["maxItems"] for one in fields() if "maxItems" in one.schema}
    complete = json.loads((SCHEMAS / "examples" / "complete.json").read_text("utf-8"))
    document = grown(complete, most) | {"id": ID, "source_id": "MAXIMA"}
    assert len(json.dumps(document)) > 3 * LARGE_BYTES
    return document


@pytest.fixture(scope="module")
def filled():
    """A large document that can be published: its texts are long."""
    document = json.loads((SCHEMAS / "examples" / "complete.json").read_text("utf-8"))
    for key, name in FILLED:
        texts = document[key].get(name, {})
        for tag, said in texts.items():
            texts[tag] = " ".join([said] * (990 // (len(said) + 1)))
    document |= {"id": ID, "source_id": "MAXIMA"}
    assert len(json.dumps(document, ensure_ascii=False).encode()) > LARGE_BYTES
    return document


@pytest.fixture
def here(monkeypatch):
    """The names of what takes long that was done with a document in this process."""
    done = []

    def note(module, name):
        whole = getattr(module, name)

        def noted(*given, **more):
            done.append(name)
            return whole(*given, **more)

        monkeypatch.setattr(module, name, noted)

    note(validate, "shape_remarks")
    note(validate, "score")
    note(parse, "_is_faithful")
    note(parse, "_explain")
    note(diff, "_of_objects")
    return done


def of_work():
    """The processes that this one has for the work of all its applications."""
    return {
        one for one in psutil.Process().children() if "registry.work" in " ".join(one.cmdline())
    }


@pytest.fixture
def processes():
    """Return those that were begun in this test."""
    before = of_work()
    return lambda: [*(of_work() - before)]


@pytest.fixture
def stopped(processes):
    """Stop the process for large documents for a block, as if it had much to do."""

    @contextmanager
    def stop():
        [process] = processes()
        process.suspend()
        try:
            yield process
        finally:
            with suppress(psutil.NoSuchProcess):
                process.resume()

    return stop


async def test_the_document_of_all_maxima_holds_up_nobody(agency, client, maxima, here, processes):
    for profile in ("draft", "publication"):
        answer = await client.post("/api/v1/validate", params={"profile": profile}, json=maxima)
        assert answer.status_code == 200
        assert answer.json()["findings_total"] > 50
    saved = await agency.put(PATH, json=maxima, headers=NEW)
    assert saved.status_code == 422
    for action in ("draft", "submit"):
        told = await agency.post(
            "/api/v1/filings",
            params={"action": action},
            content=json.dumps(maxima).encode() + b"\n",
            headers=LINES,
        )
        assert told.json()["problem"]["status"] == 422
    assert here == []
    assert len(processes()) == 1


async def test_a_large_document_is_filed_read_and_compared_aside(agency, client, filled, here):
    saved = await agency.put(PATH, json=filled, headers=NEW)
    assert saved.status_code == 201
    assert saved.json()["publishable"] is True, saved.json()["findings"]
    assert (await agency.get(PATH)).json()["findings_total"] == saved.json()["findings_total"]
    assert (await agency.get(f"{PATH}/changes")).status_code == 200
    published = await agency.post(f"{PATH}/submit")
    assert published.status_code == 201
    amended = filled | {"name": filled["name"] | {"fr": "Autre nom"}}
    note = {"fr": "Le nom a été rendu plus simple."}
    amended["publication"] = {**filled["publication"], "change_note": note}
    told = await agency.post(
        "/api/v1/filings",
        params={"action": "submit"},
        content=json.dumps(amended).encode() + b"\n",
        headers=LINES,
    )
    assert told.json()["outcome"] == "published", told.text
    changed = await client.get(f"/api/v1/records/{ID}/changes")
    assert "/name/fr" in [one["pointer"] for one in changed.json()["items"]]
    assert here == []


async def test_what_is_wrong_is_told_as_of_small_documents(client, maxima, here, processes):
    """Of the middle: what the fast validator accepts is not sent away, anything else is."""
    small = json.loads((SCHEMAS / "examples" / "complete.json").read_text("utf-8"))
    content = json.dumps(small, ensure_ascii=False).encode()
    assert QUICK_BYTES < len(content) < LARGE_BYTES
    assert (await client.post("/api/v1/validate", json=small)).json()["publishable"] is True
    assert {"_is_faithful", "score"} == set(here) - {"shape_remarks"}, "one in 1,000 is"
    assert processes() == []
    here.clear()
    wrong = await client.post("/api/v1/validate", json=small | {"purpos": {}})
    assert "/purpos" in [one["pointer"] for one in wrong.json()["findings"]]
    assert here == ["_is_faithful"]
    for whole in (content, json.dumps(maxima).encode()):
        here.clear()
        cut = await client.post(
            "/api/v1/validate",
            content=b"\n" + whole[:-1] + b',"id":1}',
            headers={"content-type": "application/json"},
        )
        assert cut.status_code == 400
        assert "the member 'id' comes twice; keep one (line 2, column" in cut.json()["detail"]
        assert "_explain" not in here


async def test_too_many_are_refused_and_nobody_else_waits(app, agency, client, maxima, stopped):
    await client.post("/api/v1/validate", json=maxima)
    with stopped():
        waiting = [
            asyncio.create_task(client.post("/api/v1/validate", json=maxima))
            for _ in range(MOST_PIECES)
        ]
        room = app._state.context.large._room
        while room._value:  # noqa: ASYNC110  threads tell no loop of it
            await asyncio.sleep(0.01)
        refused = await agency.put(PATH, json=maxima, headers=NEW)
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        assert "other large documents are being worked on" in refused.json()["detail"]
        line = asyncio.create_task(
            agency.post(
                "/api/v1/filings",
                params={"action": "draft"},
                content=json.dumps(maxima).encode() + b"\n",
                headers=LINES,
            )
        )
        for path in ("/api/v1/records", "/api/v1/codelists", "/health/ready"):
            assert (await client.get(path)).status_code in {200, 503}, path
        assert not any(one.done() for one in [*waiting, line])
    assert {one.status_code for one in await asyncio.gather(*waiting)} == {200}
    assert (await line).json()["problem"]["status"] == 422, "a line waits for its turn"
    assert (await agency.get(PATH)).status_code == 404, "what was refused is not there"


async def test_the_process_is_started_anew_when_it_has_died(
    agency, client, maxima, processes, stopped
):
    await client.post("/api/v1/validate", json=maxima)
    [first] = processes()
    os.kill(first.pid, signal.SIGKILL)
    assert (await client.post("/api/v1/validate", json=maxima)).status_code == 200
    with stopped() as second:
        assert second != first
        saving = asyncio.create_task(agency.put(PATH, json=maxima, headers=NEW))
        await asyncio.sleep(0.2)
        second.kill()
        assert (await saving).status_code == 422, "it was asked again"
    assert (await client.post("/api/v1/validate", json=maxima)).status_code == 200


async def test_what_takes_too_long_is_ended():
    one = WorkProcess("sleepers", seconds=5)
    with pytest.raises(Unavailable, match="took longer than 5 seconds"):
        await one.run(time.sleep, 600)
    assert await one.run(abs, -1) == 1
    one.close()
