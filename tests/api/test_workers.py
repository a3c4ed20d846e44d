"""Several workers, none of which answers what was true before a receipt."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.served import UNLIMITED, records, served

PUBLICATIONS = 60
CLIENTS = 6


@pytest.fixture(scope="module")
def register():
    with served(workers=2, **UNLIMITED) as running:
        yield running


@pytest.mark.xdist_group("served")
def test_every_worker_knows_what_was_published_before_it_is_asked(register):
    model = records("demo-sante")[0]
    bearer = register.bearer()
    found = []

    def ask(query, expected):
        # A connection of its own, so that any worker may answer.
        with httpx.Client(base_url=register.url, timeout=60) as client:
            answer = client.get("/api/v1/records", params=query).json()
            found.append(answer["total"])
            assert answer["total"] == expected, query
            return answer

    with ThreadPoolExecutor(CLIENTS) as pool:
        for number in range(PUBLICATIONS):
            document = {
                **model,
                "id": f"demo-sante/worker-{number}",
                "source_id": f"worker-{number}",
                "name": {tag: f"{text} zellige {number}" for tag, text in model["name"].items()},
            }
            document.pop("related_records", None)
            path = f"/api/v1/filings/{document['id']}"
            with httpx.Client(base_url=register.url, headers=bearer, timeout=60) as client:
                saved = client.put(path, json=document, headers={"if-none-match": "*"})
                assert saved.status_code == 201, saved.text
                assert client.post(f"{path}/submit").status_code == 201
            asked = itertools.repeat({"q": "zellige", "facets": "agency"}, CLIENTS)
            list(pool.map(ask, asked, itertools.repeat(number + 1)))
    assert len(found) == PUBLICATIONS * CLIENTS
