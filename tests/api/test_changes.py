"""The list of changes: what was filed here first, narrowed by origin, agency, sector and time."""

import json
from datetime import timedelta

import pytest

from registry.ledger import append
from registry.ledger.publication import Publication
from registry.record.pack import Agency
from registry.record.validate import validate
from tests.conftest import NOW
from tests.published import given_times

CHANGES = "/api/v1/changes"
US = Agency(id="us.dwx", name={"en": "Weather"}, kind="ministry", origin="us-omb-2025")
NL = Agency(id="nl.water", name={"en": "Water"}, kind="ministry", origin="nl-algoritmeregister")


@pytest.fixture
def copy(database, pack):
    """Publish foreign records in one transaction."""

    async def publish(agency, *records, now):
        made = []
        for slug, sector in records:
            document = {
                "id": f"{agency.id}/{slug}",
                "schema_version": "1.0",
                "name": {"en": slug},
                "sector": {"primary": sector},
            }
            verdict = validate(document, profile="foreign", pack=pack, today=now.date())
            made.append(
                Publication(
                    document=document, agency=agency, actor="ma", verdict=verdict, source_row="{}"
                )
            )
        async with database.transaction() as connection:
            await connection.execute(
                "insert into agency values ($1, $2, $3, false) on conflict do nothing",
                agency.id,
                json.dumps({"id": agency.id, "name": agency.name, "kind": agency.kind}),
                agency.origin,
            )
            await append.publish(connection, made, guard=given_times(), now=now, random=bytes)

    return publish


@pytest.fixture
async def filed(client, agency, publish, copy, record):
    """A log: genesis 0; local 1, 2; us 3, 4; nl 5; local 6; withdrawal 7; attestation 8; us 9."""
    day = timedelta(days=1)
    await publish(record | {"risk": record["risk"] | {"level": "limited"}}, now=NOW)
    other = record | {"id": "demo-education/orientation", "sector": {"primary": "education"}}
    await publish(other, now=NOW + day)
    await copy(US, ("storms", "water_environment"), ("letters", "health"), now=NOW + 2 * day)
    await copy(NL, ("dikes", "water_environment"), now=NOW + 3 * day)
    lowered = record | {"risk": record["risk"] | {"level": "minimal"}}
    await publish(lowered, now=NOW + 4 * day)
    tag = (await client.get("/api/v1/records/demo-sante/prevision-lits")).headers["etag"]
    gone = await agency.post(
        "/api/v1/records/demo-sante/prevision-lits/withdraw",
        json={"reason": "other", "note": {"fr": "Remplacé par un autre système."}},
        headers={"if-match": tag},
    )
    assert gone.status_code == 201, gone.text
    said = await agency.put(
        "/api/v1/attestations/demo-sante",
        json={
            "systems_total": 1,
            "day": "2026-11-24",
            "contact": {"email": "a@demo-sante.example"},
        },
    )
    assert said.status_code in {200, 201}, said.text
    await copy(US, ("later", "health"), now=NOW + 400 * day)
    return record["sector"]["primary"]


async def ask(client, query):
    answer = await client.get(f"{CHANGES}?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_list_begins_with_what_was_filed_here_and_what_is_of_no_record(client, filed):
    answer = await ask(client, "")
    assert [one["index"] for one in answer["items"]] == [0, 1, 2, 6, 7, 8]
    assert (answer["origin"], answer["size"], answer["next"]) == (["local"], 10, None)


async def test_each_filter_narrows_and_all_combine(client, filed):
    day = (NOW + timedelta(days=2)).date().isoformat()
    expected = {
        "origin=all": [*range(10)],
        "origin=local&origin=all": [*range(10)],
        "origin=us-omb-2025": [3, 4, 9],
        "origin=us-omb-2025&origin=nl-algoritmeregister": [3, 4, 5, 9],
        "origin=local&origin=nl-algoritmeregister": [0, 1, 2, 5, 6, 7, 8],
        "agency=demo-sante": [1, 6, 7, 8],
        "agency=demo-sante&agency=demo-education": [1, 2, 6, 7, 8],
        "agency=us.dwx": [3, 4, 9],
        "agency=us.dwx&origin=local": [],
        "origin=all&agency=us.dwx": [3, 4, 9],
        "origin=all&agency=us.dwx&agency=demo-sante": [1, 3, 4, 6, 7, 8, 9],
        "sector=education": [2],
        f"sector={filed}": [1, 6, 7],
        "sector=education&sector=not_stated": [2],
        "origin=all&sector=water_environment": [3, 5],
        "origin=nl-algoritmeregister&sector=water_environment": [5],
        "origin=all&sector=water_environment&agency=us.dwx": [3],
        f"agency=demo-sante&sector={filed}&kind=withdrawal": [7],
        "kind=version": [1, 2, 6],
        "kind=version&origin=all": [1, 2, 3, 4, 5, 6, 9],
        "kind=attestation&agency=demo-sante": [8],
        "kind=attestation&agency=demo-education": [],
        "kind=genesis&origin=us-omb-2025": [],
        "risk_change=lowered": [6],
        "risk_change=lowered&origin=all&agency=demo-sante": [6],
        "risk_change=lowered&origin=us-omb-2025": [],
        "risk_change=lowered&agency=demo-education": [],
        "risk_change=lowered&kind=withdrawal": [],
        f"origin=all&changed_since={day}&changed_until={day}": [3, 4],
        f"changed_until={day}": [0, 1, 2],
        f"changed_since={day}&kind=version": [6],
        "origin=all&changed_since=2030-01-01": [],
        "origin=all&as_of=entry:4": [0, 1, 2, 3, 4],
        "as_of=entry:4&changed_since=2026-01-01": [0, 1, 2],
        "origin=us-omb-2025&since=3": [4, 9],
        "since=3&kind=version": [6],
    }
    found = {
        query: [one["index"] for one in (await ask(client, query))["items"]] for query in expected
    }
    assert found == expected


async def test_the_next_page_goes_on_with_the_same_filters(client, filed):
    for query in ("", "origin=all", "origin=us-omb-2025", "agency=demo-sante", "kind=version"):
        whole = [one["index"] for one in (await ask(client, query))["items"]]
        for limit in (1, 2, 3):
            seen, since = [], -1
            while since is not None:
                page = await ask(client, f"{query}&limit={limit}&since={since}")
                assert len(page["items"]) <= limit
                seen += [one["index"] for one in page["items"]]
                since = page["next"]
            assert seen == whole, (query, limit)


async def test_an_unknown_code_is_refused_with_the_nearest(client, filed, problem):
    for query, near in {
        "origin=us-omb-2024": "us-omb-2025",
        "origin=locale": "local",
        "agency=demo-sant": "demo-sante",
        "origin=all&agency=us.dwy": "us.dwx",
        "sector=helth": "health",
    }.items():
        found = problem(await client.get(f"{CHANGES}?{query}"), 400, "invalid-parameter")
        assert found["nearest"] == near, query
    for query in ("changed_since=yesterday", "changed_since=2026-12-02&changed_until=2026-12-01"):
        problem(await client.get(f"{CHANGES}?{query}"), 400, "invalid-parameter")


async def test_the_description_says_what_is_left_out(described):
    operation = described.document["paths"][CHANGES]["get"]
    [origin] = [one for one in operation["parameters"] if one["name"] == "origin"]
    assert "`local`, the default unless" in origin["description"]
    assert "`all` is the whole log" in origin["description"]
