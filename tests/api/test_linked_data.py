"""Linked data over HTTP: the catalogue, the context, and the export they lead to."""

import copy
import json
import re
from urllib.parse import urlsplit

import pytest
from rdflib import RDF, URIRef
from rdflib.namespace import DCAT, DCTERMS

from registry.resources import SCHEMAS
from tests.linked import PAR, graph

CATALOGUE = "/api/v1/catalogue"
CONTEXT = "/api/v1/contexts/1.0"
EXPORT = "/api/v1/exports/records.jsonld"
SITE = "https://algorithms.example"


async def test_the_context_is_served_to_the_byte_and_lasts(client, problem):
    answer = await client.get(CONTEXT)
    assert answer.content == (SCHEMAS / "context/1.0/context.jsonld").read_bytes()
    assert answer.headers["content-type"] == "application/ld+json"
    assert "immutable" in answer.headers["cache-control"]
    for document in (await client.get(CATALOGUE), await client.get(EXPORT)):
        assert document.json()["@context"] == answer.json()["@context"]
    for version in ("2.0", "1", "..%2F1.0"):
        problem(await client.get(f"/api/v1/contexts/{version}"), 404, "not-found")


async def test_every_address_of_ours_in_the_catalogue_answers(client, publish, record):
    await publish(record)
    answer = await client.get(CATALOGUE)
    assert answer.headers["content-type"] == "application/ld+json"
    found = graph(answer.content)
    register = found.value(URIRef(f"{SITE}{CATALOGUE}"), DCAT.dataset)
    assert found.value(register, PAR.record_count).toPython() == 1
    assert found.value(register, PAR.register_size).toPython() == 2
    files = list(found.objects(register, DCAT.distribution))
    assert len(files) == 4
    for place in (DCAT.downloadURL, DCAT.accessURL, DCTERMS.conformsTo, DCAT.endpointDescription):
        for address in found.objects(None, place):
            assert str(address).startswith(f"{SITE}/")
            assert (await client.get(urlsplit(address).path)).status_code == 200, address


async def test_the_catalogue_tells_when_something_was_published(client, publish, record):
    before = await client.get(CATALOGUE)
    await publish(record)
    after = await client.get(CATALOGUE)
    assert after.headers["etag"] != before.headers["etag"]
    told = [json.loads(answer.content)["datasets"][0] for answer in (before, after)]
    assert [one["register_size"] for one in told] == [1, 2]
    assert told[0]["issued"] == told[1]["issued"] == told[1]["temporal"]["start_date"]
    assert told[1]["modified"] == "2026-11-24T12:00:00Z"
    again = await client.get(CATALOGUE, headers={"if-none-match": after.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_an_export_has_what_search_finds(client, publish, record, subtests):
    for number in range(4):
        document = copy.deepcopy(record)
        document["id"] = f"demo-sante/copy-{number}"
        document["risk"]["level"] = "high" if number % 2 else "limited"
        await publish(document)
    for query in ["", "risk=high", "q=lits&risk=limited", "q=zzz"]:
        with subtests.test(query=query):
            items = (await client.get(f"/api/v1/records?{query}")).json()["items"]
            found = graph((await client.get(f"{EXPORT}?{query}")).content)
            algorithms = set(found.subjects(RDF.type, PAR.Algorithm))
            assert algorithms == {URIRef(f"{SITE}/api/v1/records/{item['id']}") for item in items}
            for one in algorithms:
                for address in (one, found.value(one, DCTERMS.hasVersion)):
                    assert (await client.get(urlsplit(address).path)).status_code == 200
                assert found.value(one, DCTERMS.publisher) == URIRef(
                    f"{SITE}/api/v1/agencies/demo-sante"
                )


async def test_an_export_can_be_asked_for_again(client, publish, record):
    await publish(record)
    answer = await client.get(f"{EXPORT}?sector=health")
    assert answer.headers["content-type"] == "application/ld+json"
    assert answer.headers["content-disposition"] == (
        'attachment; filename="records-2026-11-24-entry-1-sector-health.jsonld"'
    )
    [again] = re.findall('<([^>]+)>; rel="canonical"', answer.headers["link"])
    assert answer.json()["id"] == answer.json()["query"] == again
    record["website"] = "https://demo.example/2"
    await publish(record)
    parts = urlsplit(again)
    then = await client.get(f"{parts.path}?{parts.query}")
    assert then.content == answer.content
    assert (await client.get(f"{EXPORT}?sector=health")).content != answer.content


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("columns=full", "no such parameter"),
        ("safe=false", "no such parameter"),
        ("risk=hihg", "did you mean 'high'"),
        ("as_of=entry:999", "there is no entry:999 yet"),
    ],
)
async def test_a_mistake_is_named(reader, query, says):
    answer = await reader.get(f"{EXPORT}?{query}")
    assert answer.status_code == 400
    assert says in answer.json()["detail"]
