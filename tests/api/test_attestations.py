"""Attestations over HTTP: an agency says it, everybody reads it."""

import datetime as dt

import pytest

PATH = "/api/v1/attestations/demo-sante"
LIST = "/api/v1/attestations"
ITEM = {
    "agency", "day", "systems_total", "uses_none", "contact", "note", "filed_at", "entry", "hash",
    "records", "redacted",
}  # fmt: skip
RECEIPT = {
    "outcome", "agency", "day", "systems_total", "hash", "entry", "filed_at", "links", "next",
}  # fmt: skip


@pytest.fixture
def statement():
    return {
        "day": "2026-06-30",
        "systems_total": 3,
        "contact": {"email": "registre@demo-sante.example"},
        "note": {"fr": "Pilotes compris.", "ar": "بما فيها التجارب"},
    }


async def test_what_is_attested_is_proven_and_public(agency, client, publish, record, statement):
    await publish(record)
    done = await agency.put(PATH, json=statement)
    receipt = done.json()
    assert done.status_code == 201
    assert set(receipt) == RECEIPT
    assert receipt["outcome"] == "attested"
    assert done.headers["cache-control"] == "no-store"
    [item] = (await client.get(LIST)).json()["items"]
    assert set(item) == ITEM
    assert {key: item[key] for key in statement} == statement
    assert (item["agency"], item["uses_none"], item["records"]) == ("demo-sante", False, 1)
    assert (item["entry"], item["hash"]) == (receipt["entry"], receipt["hash"])
    for link in receipt["links"].values():
        assert (await client.get(link.removeprefix("https://algorithms.example"))).is_success
    [change] = (await client.get(receipt["links"]["changes"].split(".example")[1])).json()["items"]
    assert (change["index"], change["hash"]) == (receipt["entry"], receipt["hash"])
    assert change["entry"]["kind"] == "attestation"
    assert "registre@" not in str(change["entry"])

    again = await agency.put(PATH, json=statement)
    assert again.status_code == 200
    assert again.json() == receipt | {"outcome": "unchanged"}


async def test_the_history_of_an_agency_is_its_own(client, app, token, agency, statement):
    for total in (3, 0):
        await agency.put(PATH, json=statement | {"systems_total": total})
    other = {"authorization": f"Bearer {await token(agency='demo-education')}"}
    await client.put("/api/v1/attestations/demo-education", json=statement, headers=other)
    latest = (await client.get(LIST)).json()["items"]
    assert [(one["agency"], one["systems_total"]) for one in latest] == [
        ("demo-education", 3),
        ("demo-sante", 0),
    ]
    assert latest[1]["uses_none"] is True
    history = (await client.get(LIST, params={"agency": "demo-sante"})).json()["items"]
    assert [one["systems_total"] for one in history] == [0, 3]
    silent = await client.get(LIST, params={"agency": "dgi"})
    assert silent.json() == {"items": []}


async def test_a_question_is_taken_literally(reader, problem):
    problem(await reader.get(LIST, params={"agency": "demo-sant"}), 400, "invalid-parameter")
    problem(await reader.get(f"{LIST}?agency=dgi&agency=dgi"), 400, "invalid-parameter")
    problem(await reader.get(LIST, params={"agencies": "dgi"}), 400, "invalid-parameter")


async def test_a_faulty_attestation_is_refused_with_every_finding(agency, client, problem):
    future = (dt.datetime.now(dt.UTC) + dt.timedelta(days=2)).date().isoformat()
    wrong = {"day": future, "systems_total": -1, "contact": {}}
    refused = problem(await agency.put(PATH, json=wrong), 422, "invalid-statement")
    assert [one["pointer"] for one in refused["findings"]] == ["/contact", "/systems_total"]
    told = problem(
        await agency.put(f"{PATH}?lang=ar", json=wrong | {"systems_total": 1}),
        422,
        "invalid-statement",
    )
    assert {one["lang"] for one in told["findings"]} == {"ar"}
    problem(await agency.put(PATH, json=[]), 400, "unreadable-document")
    problem(await agency.put(PATH, content=b"{}"), 415, "unsupported-media-type")
    assert (await client.get(LIST)).json() == {"items": []}


async def test_a_key_repeats_its_answer(agency, problem, statement):
    key = {"idempotency-key": "one"}
    first = await agency.put(PATH, json=statement, headers=key)
    await agency.put(PATH, json=statement | {"systems_total": 9})
    again = await agency.put(PATH, json=statement, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    other = await agency.put(PATH, json=statement | {"systems_total": 4}, headers=key)
    problem(other, 422, "idempotency-key-reused")


async def test_the_format_is_served_as_it_was_released(client, problem):
    answer = await client.get("/api/v1/schemas/attestation/1.0")
    assert answer.headers["content-type"] == "application/schema+json"
    assert answer.json()["title"] == "Attestation"
    problem(await client.get("/api/v1/schemas/attestation/2.0"), 404, "not-found")
