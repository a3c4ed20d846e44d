"""Withdrawals and attestations by two, over HTTP: asked for, returned, approved, taken back."""

import httpx
import msgspec
import pytest

ACTS = "/api/v1/acts"
PATH = "/api/v1/filings/demo-sante/prevision-lits"
RECORD = "/api/v1/records/demo-sante/prevision-lits"
ATTEST = "/api/v1/attestations/demo-sante"
WHY = {"reason": "other", "note": {"fr": "Abandonné.", "ar": "ألغي."}}
SAID = {"day": "2026-06-30", "systems_total": 3, "contact": {"email": "r@demo-sante.example"}}
COMMENT = {"fr": "Pourquoi maintenant ?"}
BASE = "https://algorithms.example"
ITEM = {
    "act", "kind", "agency", "id", "state", "statement", "requested_at", "requested_by",
    "decided_at", "decided_by", "comment", "entry",
}  # fmt: skip


@pytest.fixture
def settings(settings):
    return msgspec.structs.replace(settings, review="required")


@pytest.fixture
def as_token(app, token, hooks):
    """Open a client with a token."""
    opened = []

    async def make(agency, *scopes, actor=None):
        made = await token(agency=agency, scopes=scopes, actor=actor)
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False),
            base_url="http://register",
            headers={"authorization": f"Bearer {made}"},
            event_hooks=hooks,
        )
        opened.append(client)
        return client

    return make


@pytest.fixture
async def reviewer(as_token):
    return await as_token(None, "review")


@pytest.fixture
async def published(agency, reviewer, record):
    """Publish the record, and give its tag as a header."""
    await agency.put(PATH, json=record, headers={"if-none-match": "*"})
    sent = await agency.post(f"{PATH}/submit")
    tag = {"if-match": sent.headers["etag"]}
    done = await reviewer.post(f"{PATH}/approve", headers=tag)
    return {"if-match": done.headers["etag"]}


async def test_a_withdrawal_is_asked_for_returned_and_approved(
    client, agency, reviewer, published, problem, record
):
    sent = await agency.post(f"{RECORD}/withdraw", json=WHY, headers=published)
    waiting = sent.json()
    assert sent.status_code == 202
    assert set(waiting) == {
        "outcome",
        "act",
        "kind",
        "agency",
        "id",
        "requested_at",
        "links",
        "next",
    }
    assert (waiting["outcome"], waiting["id"]) == ("in_review", record["id"])
    assert waiting["links"]["act"] == f"{BASE}{ACTS}/{waiting['act']}"
    address = f"{ACTS}/{waiting['act']}"
    again = await agency.post(f"{RECORD}/withdraw", json=WHY, headers=published)
    assert (again.status_code, again.json()) == (202, waiting)
    other = WHY | {"reason": "filed_in_error"}
    refused = await agency.post(f"{RECORD}/withdraw", json=other, headers=published)
    assert f"DELETE {address}" in problem(refused, 409, "conflict")["detail"]
    assert (await client.get(RECORD)).status_code == 200

    [item] = (await reviewer.get(f"{ACTS}?state=in_review")).json()["items"]
    assert set(item) == ITEM
    assert (item["statement"], item["requested_by"]) == (WHY, "demo-sante")
    seen = await reviewer.get(address)
    assert seen.json() == item
    assert seen.headers["cache-control"] == "no-store"
    returned = await reviewer.post(f"{address}/return", json={"comment": COMMENT})
    assert (returned.status_code, returned.json()["outcome"]) == (200, "returned")
    mine = (await agency.get(address)).json()
    assert (await reviewer.get(address)).json() == mine
    assert (mine["state"], mine["comment"], mine["decided_by"]) == (
        "returned",
        COMMENT,
        "authority",
    )

    sent = await agency.post(f"{RECORD}/withdraw?lang=fr", json=other, headers=published)
    assert sent.json()["next"].startswith("Rien n’a encore changé")
    address = f"{ACTS}/{sent.json()['act']}"
    done = await reviewer.post(f"{address}/approve")
    receipt = done.json()
    assert (done.status_code, receipt["outcome"]) == (201, "withdrawn")
    repeated = await reviewer.post(f"{address}/approve")
    assert (repeated.status_code, repeated.json()) == (200, receipt | {"outcome": "unchanged"})
    problem(await client.get(RECORD), 410, "withdrawn")
    place = receipt["links"]["changes"].removeprefix(BASE)
    [change] = (await client.get(place)).json()["items"]
    assert (change["hash"], change["entry"]["approved_by"]) == (receipt["hash"], "authority")
    for link in receipt["links"].values():
        assert (await agency.get(link.removeprefix(BASE))).status_code == 200
    [last] = (await agency.get(ACTS)).json()["items"]
    assert (last["state"], last["statement"], last["entry"]) == (
        "approved", None, receipt["entry"],
    )  # fmt: skip
    problem(await agency.delete(address), 409, "conflict")


async def test_an_attestation_is_asked_for_taken_back_and_approved(
    client, agency, reviewer, problem
):
    sent = await agency.put(ATTEST, json=SAID)
    assert (sent.status_code, sent.json()["kind"]) == (202, "attestation")
    assert set(sent.json()) == {
        "outcome", "act", "kind", "agency", "requested_at", "links", "next",
    }  # fmt: skip
    address = f"{ACTS}/{sent.json()['act']}"
    other = SAID | {"systems_total": 4}
    problem(await agency.put(ATTEST, json=other), 409, "conflict")
    gone = await agency.delete(address)
    assert (gone.status_code, gone.content) == (204, b"")
    problem(await agency.get(address), 404, "not-found")
    address = f"{ACTS}/{(await agency.put(ATTEST, json=other)).json()['act']}"
    assert (await client.get("/api/v1/attestations")).json() == {"items": []}
    done = await reviewer.post(f"{address}/approve")
    assert (done.status_code, done.json()["outcome"]) == (201, "attested")
    [item] = (await client.get("/api/v1/attestations")).json()["items"]
    assert item["systems_total"] == 4
    assert (await agency.put(ATTEST, json=other)).json()["outcome"] == "unchanged"


async def test_own_withdrawal_is_not_approved(agency, as_token, published, problem):
    own = await as_token("demo-sante", "file", "review")
    sent = await own.post(f"{RECORD}/withdraw", json=WHY, headers=published)
    answer = await own.post(f"{ACTS}/{sent.json()['act']}/approve")
    assert "four eyes" in problem(answer, 403, "forbidden")["detail"]
    assert (await agency.get(RECORD)).status_code == 200


async def test_guessing_another_agencys_act_is_answered_like_what_is_not_there(
    agency, as_token, published, problem
):
    number = (await agency.post(f"{RECORD}/withdraw", json=WHY, headers=published)).json()["act"]
    other = await as_token("demo-education", "file", "review")
    for method, verb, body in (
        ("GET", "", None),
        ("DELETE", "", None),
        ("POST", "/approve", None),
        ("POST", "/return", {"comment": "x"}),
    ):
        told = []
        for guess in (number, number + 1, 2**63 - 1):
            answer = await other.request(method, f"{ACTS}/{guess}{verb}", json=body)
            told.append(problem(answer, 404, "not-found")["detail"].replace(str(guess), "N"))
        assert len(set(told)) == 1
    for odd in ("0", str(2**63), str(2**70)):
        problem(await agency.get(f"{ACTS}/{odd}"), 404, "not-found")
    assert (await other.get(ACTS)).json() == {"items": []}


async def test_acts_need_their_scopes(client, agency, as_token, problem):
    number = (await agency.put(ATTEST, json=SAID)).json()["act"]
    problem(await client.get(ACTS), 401, "unauthorized")
    redactor = await as_token(None, "redact")
    problem(await redactor.get(ACTS), 403, "forbidden")
    problem(await agency.post(f"{ACTS}/{number}/approve"), 403, "forbidden")
    problem(await agency.get(f"{ACTS}?state=draft"), 400, "invalid-parameter")
    admin = await as_token(None, "admin")
    trail = (await admin.get("/api/v1/audit?since=0&limit=1000")).json()["items"]
    noted = [(act["action"], act["result"]) for act in trail]
    assert ("request_attestation", "done") in noted
    assert ("list_acts", "forbidden") in noted
    assert ("approve_act", "forbidden") in noted


async def test_a_key_repeats_a_request_and_an_approval(agency, reviewer, published):
    key = {"idempotency-key": "one"}
    first = await agency.post(f"{RECORD}/withdraw", json=WHY, headers=published | key)
    address = f"{ACTS}/{first.json()['act']}"
    done = await reviewer.post(f"{address}/approve", headers=key)
    again = await reviewer.post(f"{address}/approve", headers=key)
    assert (again.status_code, again.json()) == (201, done.json())
    again = await agency.post(f"{RECORD}/withdraw", json=WHY, headers=published | key)
    assert (again.status_code, again.json()) == (202, first.json())


async def test_a_return_says_why(agency, reviewer, problem):
    number = (await agency.put(ATTEST, json=SAID)).json()["act"]
    for body, pointer in (
        ({}, "/comment"),
        ({"comment": {"de": "x"}}, "/comment/de"),
        ({"comment": "x", "comments": {"/name": "x"}}, "/comments"),
    ):
        answer = await reviewer.post(f"{ACTS}/{number}/return", json=body)
        refused = problem(answer, 422, "invalid-statement")
        assert [finding["pointer"] for finding in refused["findings"]] == [pointer]
