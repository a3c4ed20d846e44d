"""Review over HTTP: submitted, returned with a comment, mended, approved by somebody else."""

import datetime as dt
import json

import httpx
import msgspec
import pytest

from registry.store import members

PATH = "/api/v1/filings/demo-sante/prevision-lits"
RECORD = "/api/v1/records/demo-sante/prevision-lits"
NEW = {"if-none-match": "*"}
NDJSON = {"content-type": "application/x-ndjson"}
COMMENT = {"fr": "Dites qui décide.", "ar": "من يقرر؟"}


@pytest.fixture
def settings(settings):
    return msgspec.structs.replace(settings, review="required")


@pytest.fixture
async def reviewer(app, token):
    """A client with the authority's token for reviews."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"authorization": f"Bearer {await token(agency=None, scopes=('review',))}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://register", headers=headers
    ) as opened:
        yield opened


async def test_a_record_submitted_returned_mended_and_approved(
    client, agency, reviewer, problem, record
):
    saved = await agency.put(PATH, json=record, headers=NEW)
    sent = await agency.post(f"{PATH}/submit")
    waiting = sent.json()
    assert sent.status_code == 202
    assert set(waiting) == {"outcome", "id", "tag", "submitted_at", "links", "next"}
    assert (waiting["outcome"], waiting["id"]) == ("in_review", record["id"])
    assert sent.headers["etag"] == saved.headers["etag"] == f'"{waiting["tag"]}"'
    assert waiting["links"] == {"draft": f"https://algorithms.example{PATH}"}
    again = await agency.post(f"{PATH}/submit")
    assert (again.status_code, again.json()) == (202, waiting)
    problem(await client.get(RECORD), 404, "not-found")
    amended = record | {"website": "https://demo.example/autre"}
    headers = {"if-match": saved.headers["etag"]}
    problem(await agency.put(PATH, json=amended, headers=headers), 409, "conflict")

    [item] = (await reviewer.get("/api/v1/filings?state=in_review")).json()["items"]
    assert (item["id"], item["state"], item["submitted_by"]) == (
        record["id"],
        "in_review",
        "demo-sante",
    )
    seen = await reviewer.get(PATH)
    assert seen.json()["document"] == record
    assert seen.headers["etag"] == saved.headers["etag"]
    returned = await reviewer.post(f"{PATH}/return", json={"comment": COMMENT}, headers=headers)
    assert returned.status_code == 200
    assert set(returned.json()) == {"outcome", "id", "tag", "returned_at", "links", "next"}
    problem(await reviewer.get(PATH), 404, "not-found")
    assert (await reviewer.get("/api/v1/filings")).json() == {"items": []}

    draft = (await agency.get(PATH)).json()
    assert (draft["state"], draft["comment"], draft["returned_by"]) == (
        "draft",
        COMMENT,
        "authority",
    )
    assert draft["returned_at"] == returned.json()["returned_at"]
    [item] = (await agency.get("/api/v1/filings")).json()["items"]
    assert item["comment"] == COMMENT
    mended = await agency.put(PATH, json=amended, headers=headers)
    assert mended.status_code == 200
    assert (await agency.post(f"{PATH}/submit")).status_code == 202
    problem(await reviewer.post(f"{PATH}/approve", headers=headers), 412, "precondition-failed")
    headers = {"if-match": mended.headers["etag"]}
    done = await reviewer.post(f"{PATH}/approve", headers=headers)
    receipt = done.json()
    assert done.status_code == 201
    assert (receipt["outcome"], receipt["version"]) == ("published", 1)
    assert done.headers["etag"] == f'"{receipt["hash"][:16]}"'
    assert (await client.get(RECORD)).json()["record"] == amended
    for repeated in (
        await reviewer.post(f"{PATH}/approve", headers=headers),
        await agency.post(f"{PATH}/submit"),
    ):
        assert repeated.status_code == 200
        assert repeated.json() == receipt | {"outcome": "unchanged"}


async def test_a_return_with_comments_by_field_needs_no_other(agency, reviewer, record):
    by_field = {"/purpose/goal": COMMENT, "/decision/human_oversight": "Who?"}
    await agency.put(PATH, json=record, headers=NEW)
    await agency.post(f"{PATH}/submit")
    returned = await reviewer.post(f"{PATH}/return", json={"comments": by_field})
    assert (returned.status_code, returned.json()["outcome"]) == (200, "returned")
    draft = (await agency.get(PATH)).json()
    assert (draft["comment"], draft["comments"]) == (None, by_field)
    [item] = (await agency.get("/api/v1/filings")).json()["items"]
    assert item["comments"] == by_field


async def test_review_needs_its_scope_and_its_agency(client, agency, token, problem, record):
    await agency.put(PATH, json=record, headers=NEW)
    await agency.post(f"{PATH}/submit")
    other = {"authorization": f"Bearer {await token(agency='demo-education', scopes=('review',))}"}
    for verb, body in (("approve", {}), ("return", {"json": {"comment": "x"}})):
        problem(await agency.post(f"{PATH}/{verb}", **body), 403, "forbidden")
        there = await client.post(f"{PATH}/{verb}", headers=other, **body)
        absent = await client.post(f"{PATH}-x/{verb}", headers=other, **body)
        details = {problem(one, 403, "forbidden")["detail"] for one in (there, absent)}
        assert len(details) == 1


async def test_an_approval_of_another_state_is_refused(agency, reviewer, problem, record):
    await agency.put(PATH, json=record, headers=NEW)
    await agency.post(f"{PATH}/submit")
    for tag in ("*", 'W/"0123456789abcdef"', '"0123456789abcdef"'):
        refused = await reviewer.post(f"{PATH}/approve", headers={"if-match": tag})
        problem(refused, 412, "precondition-failed")
        assert (await agency.get(PATH)).json()["state"] == "in_review"


UNSAID = [
    ({}, "/comment"),
    ({"comment": ""}, "/comment"),
    ({"comment": {"de": "x"}}, "/comment/de"),
    ({"comments": {"/purpose/goals": "x"}}, "/comments/~1purpose~1goals"),
]


async def test_a_return_says_what_to_mend(agency, reviewer, problem, record, subtests):
    await agency.put(PATH, json=record, headers=NEW)
    await agency.post(f"{PATH}/submit")
    for body, pointer in UNSAID:
        with subtests.test(body=body):
            answer = await reviewer.post(f"{PATH}/return", json=body)
            refused = problem(answer, 422, "invalid-statement")
            assert [finding["pointer"] for finding in refused["findings"]] == [pointer]
    problem(await reviewer.post(f"{PATH}/return"), 415, "unsupported-media-type")


async def test_nobody_approves_a_text_without_saying_which(agency, reviewer, problem, record):
    await agency.put(PATH, json=record, headers=NEW)
    await agency.post(f"{PATH}/submit")
    read = (await reviewer.get(PATH)).headers["etag"]
    await agency.delete(PATH)
    other = record | {"website": "https://demo.example/autre"}
    await agency.put(PATH, json=other, headers=NEW)
    await agency.post(f"{PATH}/submit")
    problem(await reviewer.post(f"{PATH}/approve"), 428, "precondition-required")
    refused = await reviewer.post(f"{PATH}/approve", headers={"if-match": read})
    problem(refused, 412, "precondition-failed")
    assert (await agency.get(PATH)).json()["state"] == "in_review"


async def test_what_one_request_submits_is_one_notice_to_each_reviewer(agency, database, record):
    now = dt.datetime.now(dt.UTC)
    async with database.connection() as connection:
        for number in (None, "demo-sante"):
            await members.insert(
                connection,
                name="Amina",
                email="a@authority.example",
                agency=number,
                roles=["reviewer"],
                language="fr",
                invited_at=now,
            )
    documents = [
        {key: value for key, value in record.items() if key != "source_id"}
        | {
            "id": f"demo-sante/s{number}",
            "name": {"ar": f"نظام {number}", "fr": f"Système {number}"},
        }
        for number in range(31)
    ]
    lines = "\n".join(json.dumps(one, ensure_ascii=False) for one in documents).encode()
    for _ in range(2):
        # Sent again because the answer was lost, it says nothing new.
        answer = await agency.post("/api/v1/filings?action=submit", content=lines, headers=NDJSON)
        outcomes = [json.loads(line)["outcome"] for line in answer.text.splitlines()]
        assert outcomes == ["in_review"] * 31
    alone = await agency.post(f"{RECORD}?action=publish", json=record, headers=NEW)
    assert alone.status_code == 202, alone.text
    async with database.connection() as connection:
        rows = await connection.fetch(
            "select kind, subject, number, mail_at > made_at from notice order by number, id"
        )
    assert [tuple(row) for row in rows] == [
        *[("review_waits", record["id"], 1, False)] * 2,
        *[("reviews_wait", "demo-sante", 31, True)] * 2,
    ]
