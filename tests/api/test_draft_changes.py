"""Filing in fewer calls: a part of a draft, a record at once; and what a draft changes."""

import json

import msgspec
import pytest

from registry.api.app import create_app
from tests.conftest import amended

PATH = "/api/v1/filings/demo-sante/prevision-lits"
RECORD = "/api/v1/records/demo-sante/prevision-lits"
NEW = {"if-none-match": "*"}
PATCH = {"content-type": "application/merge-patch+json"}
SITE = "https://demo.example/lits"


async def patch(agency, tag, **members):
    headers = PATCH | ({} if tag is None else {"if-match": tag})
    return await agency.patch(PATH, content=json.dumps(members), headers=headers)


async def test_a_part_of_a_draft_is_changed(agency, problem, record):
    saved = await agency.put(PATH, json=record, headers=NEW)
    tag = saved.headers["etag"]
    changed = await patch(agency, tag, website=SITE, source_id=None, contact={"phone": None})
    assert changed.status_code == 200
    wanted = {key: value for key, value in record.items() if key != "source_id"}
    contact = {key: value for key, value in record["contact"].items() if key != "phone"}
    assert changed.json()["document"] == wanted | {"website": SITE, "contact": contact}
    assert changed.headers["etag"] != tag
    # The answer was lost: the same again changes nothing.
    again = await patch(agency, tag, website=SITE, source_id=None, contact={"phone": None})
    assert (again.status_code, again.headers["etag"]) == (200, changed.headers["etag"])

    problem(await patch(agency, tag, website="https://demo.example/"), 412, "precondition-failed")
    problem(await patch(agency, None, website=SITE), 428, "precondition-required")
    refused = await patch(agency, changed.headers["etag"], website=3)
    assert problem(refused, 422, "invalid-record")["findings"][0]["pointer"] == "/website"
    other = await patch(agency, changed.headers["etag"], id="demo-sante/autre")
    problem(other, 422, "invalid-record")
    plain = await agency.patch(PATH, json={}, headers={"if-match": tag})
    problem(plain, 415, "unsupported-media-type")


async def test_a_patch_of_what_is_published_begins_an_amendment(agency, publish, problem, record):
    problem(await patch(agency, '"0123456789abcdef"', website=SITE), 404, "not-found")
    [first] = await publish(record)
    note = {"fr": "Adresse du site ajoutée", "ar": "إضافة عنوان الموقع"}
    begun = await patch(
        agency, f'"{first.hash[:16]}"', website=SITE, publication={"change_note": note}
    )
    assert begun.status_code == 201
    assert begun.json()["publishable"] is True
    done = await agency.post(f"{PATH}/submit")
    assert (done.status_code, done.json()["version"]) == (201, 2)


async def test_a_record_is_published_in_one_call(client, agency, problem, record):
    params = {"action": "publish"}
    incomplete = {key: value for key, value in record.items() if key != "purpose"}
    refused = await agency.post(RECORD, params=params, json=incomplete, headers=NEW)
    pointers = {one["pointer"] for one in problem(refused, 422, "invalid-record")["findings"]}
    assert "/purpose/goal" in pointers
    problem(await agency.get(PATH), 404, "not-found")
    problem(await agency.post(RECORD, params=params, json=record), 428, "precondition-required")

    key = NEW | {"idempotency-key": "one"}
    done = await agency.post(RECORD, params=params, json=record, headers=key)
    assert (done.status_code, done.json()["version"]) == (201, 1)
    again = await agency.post(RECORD, params=params, json=record, headers=key)
    assert again.json() == done.json()
    same = await agency.post(RECORD, params=params, json=record, headers=NEW)
    assert same.json() == done.json() | {"outcome": "unchanged"}
    changed = amended(record, website=SITE)
    overtaken = await agency.post(RECORD, params=params, json=changed, headers=NEW)
    problem(overtaken, 412, "precondition-failed")
    tag = {"if-match": done.headers["etag"]}
    second = await agency.post(RECORD, params=params, json=changed, headers=tag)
    assert (second.status_code, second.json()["version"]) == (201, 2)
    assert (await client.get(RECORD)).json()["record"] == changed
    for wrong in ({}, {"action": "delete"}):
        problem(
            await agency.post(RECORD, params=wrong, json=changed, headers=tag),
            400,
            "invalid-parameter",
        )


@pytest.fixture
async def reviewed(settings, started, token):
    """A register where review is required, with the headers of an agency and of a reviewer."""
    async with started(
        create_app(msgspec.structs.replace(settings, review="required"), tell=None)
    ) as opened:
        filer = {"authorization": f"Bearer {await token()}"}
        reviewer = await token(agency=None, scopes=("review",), actor="reviewer")
        yield opened, filer, {"authorization": f"Bearer {reviewer}"}


async def test_a_reviewer_reads_what_a_draft_changes(reviewed, problem, publish, record):
    client, filer, reviewer = reviewed
    [first] = await publish(record)
    changed = amended(record, website=SITE)
    tag = {"if-match": f'"{first.hash[:16]}"'}
    sent = await client.post(f"{RECORD}?action=publish", json=changed, headers=filer | tag)
    assert (sent.status_code, sent.json()["outcome"]) == (202, "in_review")
    problem(await client.get(f"{PATH}/changes"), 401, "unauthorized")
    told = await client.get(f"{PATH}/changes", headers=reviewer)
    assert told.headers["etag"] == sent.headers["etag"]
    body = told.json()
    assert (body["from"], body["state"]) == (1, "published")
    assert body["change_note"] == changed["publication"]["change_note"]
    items = {one["pointer"]: one["kind"] for one in body["items"]}
    assert items.pop("/website") == "added"
    assert set(items) == {"/publication/change_note/ar", "/publication/change_note/fr"}


async def test_what_a_new_record_changes_is_everything(agency, problem, record):
    problem(await agency.get(f"{PATH}/changes"), 404, "not-found")
    await agency.put(PATH, json=record, headers=NEW)
    body = (await agency.get(f"{PATH}/changes")).json()
    assert (body["from"], body["state"]) == (None, None)
    assert {one["kind"] for one in body["items"]} == {"added"}
