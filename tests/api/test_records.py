"""Search and reading: the shapes that others rely on, and questions taken literally."""

import base64
import copy
import json
from urllib.parse import urlsplit

import pytest

ITEM = {
    "id", "name", "summary", "agency", "risk", "sector", "status", "origin", "fictitious",
    "version", "published_at", "completeness", "match", "highlights",
}  # fmt: skip
REGISTER = {
    "version", "state", "published_at", "superseded_at", "hash", "entry", "origin", "fictitious",
    "completeness", "accountability", "missing", "findings", "redacted",
}  # fmt: skip
RECORDS = "/api/v1/records"


def copies(record, count):
    made = [copy.deepcopy(record) for _ in range(count)]
    for number, document in enumerate(made):
        document["id"] = f"demo-sante/copy-{number}"
        if number % 3 == 0:
            document["risk"]["level"] = "high"
    return made


async def test_a_list_is_of_the_shape_that_the_contract_says(client, publish, record):
    await publish(record, {"id": "demo-education/bare", "schema_version": "1.0"})
    answer = (await client.get(RECORDS)).json()
    assert set(answer) == {"items", "facets", "total", "next", "mended"}
    assert (answer["total"], answer["facets"], answer["next"]) == (2, {}, None)
    bare, full = answer["items"]
    assert set(bare) == set(full) == ITEM
    assert full["name"] == record["name"]
    assert full["summary"] == record["summary"]
    assert (full["id"], full["agency"]) == (record["id"], "demo-sante")
    assert full["risk"] == record["risk"]["level"]
    assert full["published_at"] == "2026-11-24T12:00:00Z"
    assert full["fictitious"] is True
    assert full["version"] == 1
    assert type(full["completeness"]) is int
    assert full["match"] is None
    assert full["highlights"] == []
    assert (bare["name"], bare["summary"], bare["origin"]) == (None, None, None)
    assert bare["risk"] == bare["sector"] == bare["status"] == "not_stated"


async def test_words_find_and_say_where_they_stood(client, publish, record):
    await publish(*copies(record, 2))
    answer = (await client.get(RECORDS, params={"q": "prévision lits"})).json()
    assert answer["total"] == 2
    assert {item["match"] for item in answer["items"]} == {"name"}
    assert (await client.get(RECORDS, params={"q": "zzz"})).json()["items"] == []
    assert (await client.get(RECORDS, params={"q": "  "})).json()["total"] == 2
    found = await client.get(RECORDS, params={"q": "أَسِرّة", "lang": "ar"})
    assert found.json()["total"] == 2


async def test_passages_and_mended_words_come_with_the_hits(client, publish, record):
    await publish(record)
    answer = (await client.get(f"{RECORDS}?q=previsoin+grippe")).json()
    assert answer["mended"] == "prevision grippe"
    [item] = answer["items"]
    assert item["match"] == "text"
    marked = {
        (one["field"], one["lang"]): [one["text"][start:end] for start, end in one["marks"]]
        for one in item["highlights"]
    }
    assert marked["/name", "fr"] == ["Prévision"]
    assert marked["/data/description", "fr"] == ["grippe"]
    assert (await client.get(f"{RECORDS}?q=prevision+grippe")).json()["mended"] is None


@pytest.mark.parametrize(
    "text",
    [
        '"',
        "-",
        "- OR -",
        "!!!",
        "%",
        "_",
        "'",
        "\\",
        "😀",
        "\u202e\u2066",
        "le la",
        '"le',
        "*",
        "a*" * 200,
    ],
)
async def test_no_words_are_a_fault(client, publish, record, text):
    await publish(record)
    answer = await client.get(RECORDS, params={"q": text, "facets": "risk,agency"})
    assert answer.status_code == 200
    assert answer.json()["total"] in {0, 1}
    assert len(answer.json()["items"]) == answer.json()["total"]


async def test_repeating_means_or_and_different_means_and(client, publish, record):
    await publish(*copies(record, 6))

    async def total(query):
        return (await client.get(f"{RECORDS}?{query}")).json()["total"]

    assert await total("risk=high") == 2
    assert await total("risk=high&risk=limited&risk=minimal") == 6
    assert await total("risk=high&agency=demo-education") == 0
    assert await total("risk=high&agency=demo-sante&agency=demo-education") == 2
    assert await total("origin=local") == 6
    assert await total("area=not_stated&risk=high") + await total("area=none&risk=high") == 2


async def test_facets_are_those_asked_for_by_count(client, publish, record):
    await publish(*copies(record, 5))
    answer = (await client.get(f"{RECORDS}?risk=high&facets=risk,agency")).json()
    assert answer["total"] == 2
    level = record["risk"]["level"]
    assert answer["facets"] == {
        "risk": [{"code": level, "count": 3}, {"code": "high", "count": 2}],
        "agency": [{"code": "demo-sante", "count": 2}],
    }


async def test_pages_follow_by_cursor_and_by_link(client, publish, record):
    for document in copies(record, 7):
        await publish(document)
    query, seen = "risk=high&risk=limited&risk=minimal&limit=3&facets=risk", []
    address = f"{RECORDS}?{query}"
    while address:
        response = await client.get(address)
        answer = response.json()
        assert answer["total"] == 7
        assert len(answer["facets"]["risk"]) == 2
        seen += [item["id"] for item in answer["items"]]
        assert ("link" in response.headers) is (answer["next"] is not None)
        address = None
        if answer["next"] is not None:
            link = response.headers["link"]
            assert link.endswith('>; rel="next"')
            address = link[1:].split(">")[0]
            assert urlsplit(address).path == RECORDS
    assert seen == [f"demo-sante/copy-{number}" for number in reversed(range(7))]


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("rsik=high", "did you mean 'risk'?"),
        ("as_of=2026-01-01", "as_of"),
        ("risk=hihg", "did you mean 'high'?"),
        ("risk=", "risk"),
        ("risk=high,limited", "risk"),
        ("agency=demo-sant", "did you mean 'demo-sante'?"),
        ("origin=us-omb-2025", "origin"),
        ("facets=risk,colour", "colour"),
        ("facets=", "facets"),
        ("sort=oldest", "sort"),
        ("sort=relevance", "relevance needs words"),
        ("lang=xx", "lang"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("limit=1&limit=2", "give it once"),
        ("q=a&q=b", "give it once"),
        ("sort=name&sort=newest", "give it once"),
        ("facets=risk&facets=agency", "give it once"),
        ("q=" + "x" * 501, "at most 500"),
        ("q=a%00b", "NUL"),
        ("cursor=x", "cursor"),
        ("cursor=%00", "NUL"),
        ("cursor=!!!", "cursor"),
        ("&".join(["risk=high"] * 101), "at most 100"),
    ],
)  # fmt: skip
async def test_a_question_that_cannot_be_taken_literally_is_refused(client, problem, query, word):
    found = problem(await client.get(f"{RECORDS}?{query}"), 400, "invalid-parameter")
    assert word in found["detail"]


async def test_a_cursor_belongs_to_its_question(client, publish, problem, record):
    await publish(*copies(record, 3))
    cursor = (await client.get(f"{RECORDS}?limit=1")).json()["next"]
    for query in ("risk=high", "sort=name", "q=lits"):
        response = await client.get(f"{RECORDS}?{query}&cursor={cursor}")
        assert "another question" in problem(response, 400, "invalid-parameter")["detail"]
    assert (await client.get(f"{RECORDS}?limit=2&cursor={cursor}")).status_code == 200


@pytest.mark.parametrize(
    "place",
    [
        [2**31, "", 1, 3],
        [0, "", 2**32, 3],
        [0, "\0", 1, 3],
        [0, 1, 1, 3],
        [0.5, "", 1, 3],
        [0, "", 1, -1],
        [0, "", 1],
    ],
)
async def test_a_forged_cursor_is_refused(client, publish, problem, record, place):
    await publish(*copies(record, 2))
    cursor = (await client.get(f"{RECORDS}?limit=1")).json()["next"]
    question, _ = json.loads(base64.urlsafe_b64decode(cursor + "==="))
    forged = base64.urlsafe_b64encode(json.dumps([question, place]).encode()).decode()
    problem(
        await client.get(RECORDS, params={"cursor": forged.rstrip("=")}), 400, "invalid-parameter"
    )


async def test_a_record_is_the_document_as_filed_and_the_registers_word(client, publish, record):
    [published] = await publish(record)
    response = await client.get(f"{RECORDS}/{record['id']}")
    answer = response.json()
    assert set(answer) == {"record", "register"}
    assert answer["record"] == record
    assert set(answer["register"]) == REGISTER
    assert answer["register"]["hash"] == published.hash
    assert answer["register"]["superseded_at"] is None
    assert response.headers["etag"] == f'"{published.hash[:16]}"'


async def test_versions_stay_and_say_when_they_were_superseded(client, publish, record):
    [first] = await publish(record)
    changed = copy.deepcopy(record)
    changed["publication"]["change_note"] = {"fr": "Correction"}
    tag = (await client.get(f"{RECORDS}/{record['id']}/versions/1")).headers["etag"]
    [second] = await publish(changed)
    versions = (await client.get(f"{RECORDS}/{record['id']}/versions")).json()["items"]
    assert [one["version"] for one in versions] == [1, 2]
    assert set(versions[0]) == {"version", "published_at", "hash", "entry", "change_note"}
    assert [one["hash"] for one in versions] == [first.hash, second.hash]
    assert versions[1]["change_note"] == {"fr": "Correction"}
    # Who kept version 1 must not be told that nothing has changed: it was superseded.
    response = await client.get(
        f"{RECORDS}/{record['id']}/versions/1", headers={"if-none-match": tag}
    )
    assert response.status_code == 200
    assert response.json()["record"] == record
    assert response.json()["register"]["superseded_at"] == "2026-11-24T12:00:00Z"
    latest = await client.get(f"{RECORDS}/{record['id']}/versions/2")
    assert latest.headers["etag"] == f'"{second.hash[:16]}"'


async def test_findings_are_those_kept_with_the_version(client, publish, record):
    del record["purpose"]["goal"]
    await publish(record)
    answer = (await client.get(f"{RECORDS}/{record['id']}/findings")).json()
    register = (await client.get(f"{RECORDS}/{record['id']}")).json()["register"]
    assert answer == {"items": register["findings"]}
    assert set(answer["items"][0]) >= {"pointer", "rule", "severity", "message"}


@pytest.mark.parametrize(
    "path",
    [
        "demo-sante/nothing",
        "nobody/nothing",
        "demo-sante/prevision-lits/versions/2",
        "demo-sante/prevision-lits/versions/0",
        "demo-sante/prevision-lits/versions/-1",
        "demo-sante/prevision-lits/versions/2147483648",
        "demo-sante/prevision-lits/versions/99999999999999999999999",
        "demo-sante/nothing/versions",
        "demo-sante/nothing/findings",
        "demo-sante",
        "demo-sante/prevision-lits/other",
        "demo-sante/a%00b",
        "%00/x",
        "demo-sante/" + "x" * 3000,
        "demo-sante/%F0%9F%98%80",
    ],
)
async def test_what_is_not_there_is_a_problem(client, publish, problem, record, path):
    await publish(record)
    problem(await client.get(f"{RECORDS}/{path}"), 404, "not-found")
