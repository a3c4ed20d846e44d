"""Comparing versions over HTTP: what changed, whichever two, and mistakes told plainly."""

import copy

import pytest

SHOWN = ("version", "published_at", "hash", "redacted")
RECORD = "/api/v1/records/demo-sante/prevision-lits"
CHANGES = f"{RECORD}/changes"
NO_CACHE = "no-cache"


@pytest.fixture
async def versions(publish, record):
    """Three versions: the level raised, a text amended."""
    documents = [copy.deepcopy(record) for _ in range(3)]
    documents[0]["risk"]["level"] = "minimal"
    documents[1]["risk"]["level"] = documents[2]["risk"]["level"] = "high"
    documents[2]["summary"]["fr"] = documents[1]["summary"]["fr"] + " Et plus."
    documents[2]["publication"]["change_note"] = {"fr": "Résumé complété"}
    documents[2]["publication"]["changed_on"] = "2026-09"
    for document in documents:
        await publish(document)
    return documents


async def test_the_last_two_versions_are_compared(client, versions):
    answer = await client.get(CHANGES)
    body = answer.json()
    assert set(body) == {"id", "from", "to", "change_note", "changed_on", "items"}
    assert body["id"] == "demo-sante/prevision-lits"
    for side, number in (("from", 2), ("to", 3)):
        register = (await client.get(f"{RECORD}/versions/{number}")).json()["register"]
        assert body[side] == {key: register[key] for key in SHOWN}
    assert body["change_note"] == {"fr": "Résumé complété"}
    # The day that the agency states stands beside that of publication.
    assert body["changed_on"] == "2026-09"
    lines = (await client.get(f"{RECORD}/versions")).json()["items"]
    assert [line.get("changed_on") for line in lines] == [None, None, "2026-09"]
    items = {item["pointer"]: item for item in body["items"]}
    assert set(items) == {
        "/summary/fr",
        "/publication/change_note/ar",
        "/publication/change_note/fr",
        "/publication/changed_on",
    }
    summary = items["/summary/fr"]
    before, after = (document["summary"]["fr"] for document in versions[1:])
    assert (summary["kind"], summary["before"], summary["after"]) == ("changed", before, after)
    assert [mark for mark in summary["words"] if mark["op"] != "equal"] == [
        {"op": "insert", "text": " Et plus."}
    ]
    assert items["/publication/change_note/ar"]["kind"] == "removed"
    assert "words" not in items["/publication/change_note/ar"]
    assert answer.headers["cache-control"] == NO_CACHE


async def test_any_two_versions_are_compared_also_backwards(client, versions):
    async def level(query):
        answer = await client.get(f"{CHANGES}?{query}")
        body = answer.json()
        found = [item for item in body["items"] if item["pointer"] == "/risk/level"]
        moved = [(item["before"], item["after"]) for item in found]
        return body["from"]["version"], body["to"]["version"], moved

    assert await level("from=1&to=3") == (1, 3, [("minimal", "high")])
    assert await level("from=3&to=1") == (3, 1, [("high", "minimal")])
    assert await level("to=2") == (1, 2, [("minimal", "high")])
    assert await level("from=1") == (1, 3, [("minimal", "high")])


async def test_two_versions_that_are_named_may_be_kept(client, versions, publish):
    named = await client.get(f"{CHANGES}?from=1&to=3")
    assert named.headers["cache-control"] == "public, max-age=86400, immutable"
    for query in ("", "?from=1", "?to=3"):
        assert (await client.get(CHANGES + query)).headers["cache-control"] == NO_CACHE
    await publish(versions[0])
    again = await client.get(
        f"{CHANGES}?from=1&to=3", headers={"if-none-match": named.headers["etag"]}
    )
    assert again.status_code == 304
    assert (await client.get(f"{CHANGES}?from=1&to=3")).content == named.content


async def test_a_withdrawal_changes_nothing_of_it(client, agency, versions, publish):
    before = (await client.get(CHANGES)).content
    tag = (await client.get(RECORD)).headers["etag"]
    why = {"reason": "other", "note": {"fr": "Fin", "ar": "نهاية"}}
    done = await agency.post(f"{RECORD}/withdraw", json=why, headers={"if-match": tag})
    assert done.status_code == 201
    assert (await client.get(CHANGES)).content == before
    await publish(versions[0])
    anew = (await client.get(CHANGES)).json()
    assert (anew["from"]["version"], anew["to"]["version"]) == (3, 4)
    assert "/risk/level" in {item["pointer"] for item in anew["items"]}


async def test_what_a_restricted_version_no_longer_says_was_said_by_the_one_before(
    client, publish, record
):
    await publish(record)
    restricted = {
        "id": record["id"],
        "schema_version": "1.0",
        "sector": {"primary": record["sector"]["primary"]},
        "risk": {"level": record["risk"]["level"]},
        "lifecycle": {"status": record["lifecycle"]["status"]},
        "publication": {
            "visibility": "restricted",
            "restriction": {
                "ground": "state_security",
                "authority": "A",
                "review_on": "2030-01-01",
            },
        },
    }
    await publish(restricted)
    await publish(restricted | {"lifecycle": {"status": "retired"}})
    items = {
        item["pointer"]: item for item in (await client.get(f"{CHANGES}?to=2")).json()["items"]
    }
    assert items["/name"] == {
        "pointer": "/name",
        "kind": "removed",
        "before": record["name"],
        "after": None,
    }
    last = (await client.get(CHANGES)).json()
    assert [item["pointer"] for item in last["items"]] == ["/lifecycle/status"]
    assert last["change_note"] is None


MISTAKES = [
    (
        "from=4",
        404,
        "not-found",
        "there is no version 4 of demo-sante/prevision-lits; the latest",
    ),
    ("to=4", 404, "not-found", "there is no version 4"),
    ("from=99999999999999999999&to=1", 404, "not-found", "there is no version"),
    ("to=1", 404, "not-found", "there is no version before the first"),
    ("from=2&to=2", 400, "invalid-parameter", "from and to are both version 2"),
    ("from=3", 400, "invalid-parameter", "from and to are both version 3"),
    ("from=0", 400, "invalid-parameter", "from: 0 is no version"),
    ("to=-1", 400, "invalid-parameter", "to: -1 is no version"),
    ("to=two", 400, "invalid-parameter", "to"),
    ("to=", 400, "invalid-parameter", "to"),
    ("from=1&from=2", 400, "invalid-parameter", "from: give it once"),
    ("form=1", 400, "invalid-parameter", "did you mean 'from'?"),
    ("earlier=1", 400, "invalid-parameter", "earlier: no such parameter"),
]


async def test_a_mistake_is_told(client, versions, problem, subtests):
    for query, status, slug, said in MISTAKES:
        with subtests.test(query=query):
            assert said in problem(await client.get(f"{CHANGES}?{query}"), status, slug)["detail"]


async def test_there_is_nothing_to_compare_a_first_version_with(client, publish, record, problem):
    await publish(record)
    problem(await client.get(CHANGES), 404, "not-found")
    problem(await client.get("/api/v1/records/demo-sante/nothing/changes"), 404, "not-found")


async def test_the_log_says_who_raised_a_level_and_who_lowered_it(
    client, versions, publish, problem
):
    await publish(versions[0])
    log = "/api/v1/changes"
    whole = (await client.get(log)).json()["items"]
    raised = {"change": "raised", "before": "minimal", "after": "high"}
    lowered = {"change": "lowered", "before": "high", "after": "minimal"}
    assert [item["risk"] for item in whole] == [None, None, raised, None, lowered]

    async def asked(query):
        body = (await client.get(f"{log}?{query}")).json()
        return [item["index"] for item in body["items"]], body["next"], body["size"]

    assert await asked("risk_change=raised") == ([2], None, 5)
    assert await asked("risk_change=raised&risk_change=lowered") == ([2, 4], None, 5)
    assert await asked("risk_change=raised&risk_change=lowered&limit=1") == ([2], 2, 5)
    assert await asked("risk_change=lowered&as_of=entry:3") == ([], None, 4)
    assert await asked("since=1&limit=2&as_of=entry:3") == ([2, 3], None, 4)
    assert whole[2]["entry"]["id"] == "demo-sante/prevision-lits"
    answer = problem(await client.get(f"{log}?risk_change=raise"), 400, "invalid-parameter")
    assert "did you mean 'raised'?" in answer["detail"]
    assert await asked("kind=version&limit=2") == ([1, 2], 2, 5)
    assert await asked("kind=genesis&kind=withdrawal") == ([0], None, 5)
    assert await asked("kind=withdrawal") == ([], None, 5)
    answer = problem(await client.get(f"{log}?kind=withdrawa"), 400, "invalid-parameter")
    assert "did you mean 'withdrawal'?" in answer["detail"]
