"""The largest documents that the format allows are examined beside the event loop."""

import copy
import json
import threading

import pytest

from registry.record.fast_validator import FastValidator
from registry.record.schema import fields
from registry.resources import SCHEMAS
from registry.work import QUICK_BYTES

LANGUAGES = ("fr", "ar", "en", "zgh", "es", "nl", "de", "it")
ID = "demo-sante/maxima"
PATH = f"/api/v1/filings/{ID}"
NEW = {"if-none-match": "*"}


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
    assert len(json.dumps(document)) > 3 * QUICK_BYTES
    return document


async def test_the_document_of_all_maxima_holds_up_nobody(agency, client, maxima, monkeypatch):
    threads = []
    accepts = FastValidator.accepts

    def noted(self, *document):
        threads.append(threading.current_thread())
        return accepts(self, *document)

    monkeypatch.setattr(FastValidator, "accepts", noted)
    for profile in ("draft", "publication"):
        answer = await client.post("/api/v1/validate", params={"profile": profile}, json=maxima)
        assert answer.status_code == 200
    saved = await agency.put(PATH, json=maxima, headers=NEW)
    assert saved.status_code in {201, 422}
    line = json.dumps(maxima).encode()
    told = await agency.post(
        "/api/v1/filings",
        params={"action": "draft"},
        content=line + b"\n",
        headers={"content-type": "application/x-ndjson"},
    )
    assert told.status_code == 200
    assert (await agency.post(f"{PATH}/submit")).status_code in {201, 404, 422}
    assert len(threads) >= 4
    assert threading.main_thread() not in threads
