"""Several workers, none of which answers what was true before a receipt.

`PUBLICATIONS=1000` makes it the long campaign.
"""

import itertools
import os
import ssl
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.served import UNLIMITED, records, served

PUBLICATIONS = int(os.environ.get("PUBLICATIONS", "20"))
CLIENTS = 6
# To read the certificates of this machine takes longer than to ask.
NO_TLS = ssl.create_default_context()


@pytest.fixture(scope="module")
def register():
    with served(workers=2, **UNLIMITED) as running:
        running.agency = running.bearer()
        yield running


def test_every_worker_knows_what_was_published_before_it_is_asked(register):
    model = records("demo-sante")[0]
    found = []

    def ask(query, expected):
        # A connection of its own, so that any worker may answer.
        with httpx.Client(base_url=register.url, timeout=60, verify=NO_TLS) as client:
            answer = client.get("/api/v1/records", params=query).json()
            found.append(answer["total"])
            assert answer["total"] == expected, query

    with ThreadPoolExecutor(CLIENTS) as pool:
        for number in range(PUBLICATIONS):
            document = {
                **model,
                "id": f"demo-sante/worker-{number}",
                "source_id": f"worker-{number}",
                "name": {tag: f"{text} zellige {number}" for tag, text in model["name"].items()},
            }
            document.pop("related_records", None)
            publish(register, document, {"if-none-match": "*"})
            asked = itertools.repeat({"q": "zellige", "facets": "agency"}, CLIENTS)
            list(pool.map(ask, asked, itertools.repeat(number + 1)))
    assert len(found) == PUBLICATIONS * CLIENTS


def test_every_worker_has_the_version_that_was_published_before_it_is_asked(register):
    document = records("demo-sante")[0]
    path = f"/api/v1/records/{document['id']}"
    precondition, stale = {"if-none-match": "*"}, []

    def ask(version):
        with httpx.Client(base_url=register.url, timeout=60, verify=NO_TLS) as client:
            answer = client.get(path)
            assert answer.json()["register"]["version"] == version
            tag = answer.headers["etag"]
            assert client.get(path, headers={"if-none-match": tag}).status_code == 304
            for old in stale[-2:]:
                assert client.get(path, headers={"if-none-match": old}).status_code == 200
            return tag

    with ThreadPoolExecutor(CLIENTS) as pool:
        for version in range(1, PUBLICATIONS + 1):
            document["summary"] = {
                tag: f"{text[:200]} {version}" for tag, text in document["summary"].items()
            }
            if version > 1:
                note = dict.fromkeys(document["name"], f"{version}. Correction du résumé")
                document["publication"] = {**document["publication"], "change_note": note}
            publish(register, document, precondition)
            [tag] = set(pool.map(ask, itertools.repeat(version, CLIENTS)))
            stale.append(tag)
            precondition = {"if-match": tag}
    assert len(set(stale)) == PUBLICATIONS


def publish(register, document, precondition):
    """File a document and submit it: it is published, and the receipt is here."""
    path = f"/api/v1/filings/{document['id']}"
    with httpx.Client(
        base_url=register.url, headers=register.agency, timeout=60, verify=NO_TLS
    ) as client:
        saved = client.put(path, json=document, headers=precondition)
        assert saved.is_success, saved.text
        done = client.post(f"{path}/submit")
        assert done.status_code == 201, done.text
