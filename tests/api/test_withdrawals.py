"""Withdrawing over HTTP: the tombstone, what stays readable, and the way back."""

import json

import pytest

PATH = "/api/v1/filings/demo-sante/prevision-lits"
RECORD = "/api/v1/records/demo-sante/prevision-lits"
NEW = {"if-none-match": "*"}
WHY = {"reason": "merged_into", "note": {"fr": "Réuni avec un autre.", "ar": "أدمج."}}
BASE = "https://algorithms.example"


@pytest.fixture
async def published(agency, record):
    """Publish the record, and give the tag as a header."""
    await agency.put(PATH, json=record, headers=NEW)
    done = await agency.post(f"{PATH}/submit")
    return {"if-match": done.headers["etag"]}


async def test_a_record_is_withdrawn_and_its_history_stays_readable(
    client, agency, published, problem, record
):
    before = (await client.get(f"{RECORD}/versions/1")).json()
    done = await agency.post(f"{RECORD}/withdraw", json=WHY, headers=published)
    receipt = done.json()
    assert done.status_code == 201
    assert set(receipt) == {
        "outcome", "id", "version", "hash", "entry", "withdrawn_at", "links", "next",
    }  # fmt: skip
    assert (receipt["outcome"], receipt["version"], receipt["entry"]) == ("withdrawn", 1, 2)
    assert done.headers["cache-control"] == "no-store"
    again = await agency.post(f"{RECORD}/withdraw", json=WHY, headers=published)
    assert (again.status_code, again.json()) == (200, receipt | {"outcome": "unchanged"})

    gone = problem(await client.get(RECORD), 410, "withdrawn")
    assert gone["tombstone"] == {
        "id": record["id"],
        "agency": "demo-sante",
        "origin": None,
        "fictitious": True,
        "name": record["name"],
        "risk": record["risk"]["level"],
        "sector": record["sector"]["primary"],
        "status": record["lifecycle"]["status"],
        "version": 1,
        "reason": "merged_into",
        "note": WHY["note"],
        "successor": None,
        "withdrawn_at": receipt["withdrawn_at"],
        "entry": 2,
        "hash": receipt["hash"],
        "redacted": [],
        "approved_by": None,
    }
    known = await client.get(RECORD, headers={"if-none-match": published["if-match"]})
    problem(known, 410, "withdrawn")
    head = await client.head(RECORD)
    assert (head.status_code, head.content) == (410, b"")

    versions = (await client.get(f"{RECORD}/versions")).json()
    assert [one["version"] for one in versions["items"]] == [1]
    assert versions["withdrawals"] == [
        {
            "version": 1,
            "reason": "merged_into",
            "note": WHY["note"],
            "successor": None,
            "withdrawn_at": receipt["withdrawn_at"],
            "entry": 2,
            "hash": receipt["hash"],
            "redacted": [],
            "approved_by": None,
        }
    ]
    old = await client.get(f"{RECORD}/versions/1")
    assert old.json()["record"] == record
    assert old.json()["register"] == before["register"] | {
        "state": "withdrawn",
        "superseded_at": receipt["withdrawn_at"],
    }
    assert old.headers["etag"].startswith("W/")
    findings = await client.get(f"{RECORD}/findings")
    assert findings.json()["items"] == before["register"]["findings"]

    assert (await client.get("/api/v1/records")).json()["total"] == 0
    assert (await client.get("/api/v1/agencies/demo-sante")).json()["records"] == 0
    [change] = (await client.get("/api/v1/changes?since=1")).json()["items"]
    assert (change["hash"], change["entry"]["kind"]) == (receipt["hash"], "withdrawal")
    assert "أدمج" not in json.dumps(change, ensure_ascii=False)
    for name, link in receipt["links"].items():
        if name != "page":
            answer = await client.get(link.removeprefix(BASE))
            assert answer.status_code == (410 if name == "record" else 200)


OTHER_STATES = [
    ({}, 428, "precondition-required"),
    ({"if-match": "*"}, 412, "precondition-failed"),
    ({"if-match": '"0123456789abcdef"'}, 412, "precondition-failed"),
    ({"if-none-match": "*"}, 412, "precondition-failed"),
]


async def test_a_withdrawal_of_another_state_is_refused(
    client, agency, published, problem, subtests
):
    for headers, status, slug in OTHER_STATES:
        with subtests.test(headers=headers, status=status, slug=slug):
            assert published
            problem(
                await agency.post(f"{RECORD}/withdraw", json=WHY, headers=headers), status, slug
            )
            assert (await client.get(RECORD)).status_code == 200


async def test_a_withdrawal_says_why(agency, published, problem):
    wrong = {"reason": "bored", "note": {"fr": "x" * 1001}}
    answer = await agency.post(f"{RECORD}/withdraw", json=wrong, headers=published)
    refused = problem(answer, 422, "invalid-statement")
    assert [one["pointer"] for one in refused["findings"]] == ["/note/fr", "/reason"]
    assert "filed_in_error" in refused["findings"][1]["message"]
    other = WHY | {"reason": "other"}
    await agency.post(f"{RECORD}/withdraw", json=WHY, headers=published)
    answer = await agency.post(f"{RECORD}/withdraw", json=other, headers=published)
    problem(answer, 409, "conflict")


async def test_who_may_withdraw(client, agency, token, published, problem):
    for scopes, who in ((("file",), "demo-education"), (("review",), None)):
        headers = {"authorization": f"Bearer {await token(agency=who, scopes=scopes)}"}
        for address in (RECORD, f"{RECORD}-x"):
            answer = await client.post(f"{address}/withdraw", json=WHY, headers=headers | published)
            problem(answer, 403, "forbidden")
    problem(
        await client.post(f"{RECORD}/withdraw", json=WHY, headers=published), 401, "unauthorized"
    )
    absent = await agency.post(f"{RECORD}-x/withdraw", json=WHY, headers=published)
    problem(absent, 404, "not-found")
    admin = {"authorization": f"Bearer {await token(agency=None, scopes=('admin',))}"}
    done = await client.post(f"{RECORD}/withdraw", json=WHY, headers=admin | published)
    assert done.status_code == 201


async def test_a_record_that_takes_its_place_is_named(client, agency, published, problem, record):
    follower = record | {"id": "demo-sante/suite", "source_id": "S-2"}
    for wrong in ("demo-sante/suite", record["id"]):
        refused = await agency.post(
            f"{RECORD}/withdraw", json=WHY | {"successor": wrong}, headers=published
        )
        [finding] = problem(refused, 422, "invalid-statement")["findings"]
        assert (finding["pointer"], finding["rule"]) == ("/successor", "successor")
    await agency.put("/api/v1/filings/demo-sante/suite", json=follower, headers=NEW)
    assert (await agency.post("/api/v1/filings/demo-sante/suite/submit")).status_code == 201
    said = WHY | {"successor": follower["id"]}
    done = await agency.post(f"{RECORD}/withdraw", json=said, headers=published)
    assert done.status_code == 201
    assert (await agency.post(f"{RECORD}/withdraw", json=said, headers=published)).is_success
    problem(await agency.post(f"{RECORD}/withdraw", json=WHY, headers=published), 409, "conflict")
    gone = problem(await client.get(RECORD), 410, "withdrawn")
    assert gone["tombstone"]["successor"] == follower["id"]
    [told] = (await client.get(f"{RECORD}/versions")).json()["withdrawals"]
    assert told["successor"] == follower["id"]
    [entry] = (await client.get(f"/api/v1/changes?since={told['entry'] - 1}&limit=1")).json()[
        "items"
    ]
    assert set(entry["entry"]["sections"]) == {"note", "successor"}
