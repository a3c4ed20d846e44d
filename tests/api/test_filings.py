"""Filing over HTTP, from a token to a receipt."""

import datetime as dt

from registry.services.people import access_tokens
from registry.store import log_checks
from tests.conftest import amended

PATH = "/api/v1/filings/demo-sante/prevision-lits"
RECORD = "/api/v1/records/demo-sante/prevision-lits"
ATTEST = "/api/v1/attestations/demo-sante"
NEW = {"if-none-match": "*"}
DRAFT = {
    "id", "state", "saved_at", "saved_by", "submitted_at", "submitted_by", "returned_at",
    "returned_by", "comment", "comments", "document", "publishable", "completeness",
    "accountability", "findings", "findings_total", "upcoming",
}  # fmt: skip
RECEIPT = {"outcome", "id", "version", "hash", "entry", "published_at", "code", "links", "next"}


async def test_a_record_from_its_first_draft_to_its_second_version(client, agency, problem, record):
    goal = record["purpose"].pop("goal")
    saved = await agency.put(PATH, json=record, headers=NEW)
    assert saved.status_code == 201
    assert set(saved.json()) == DRAFT
    assert saved.json()["document"] == record
    assert saved.json()["publishable"] is False
    assert saved.headers["cache-control"] == "no-store"
    tag = saved.headers["etag"]
    assert tag.startswith('"')

    refused = problem(await agency.post(f"{PATH}/submit"), 422, "invalid-record")
    assert refused["findings"] == saved.json()["findings"]
    assert "/purpose/goal" in {finding["pointer"] for finding in refused["findings"]}
    problem(await client.get(RECORD), 404, "not-found")

    record["purpose"]["goal"] = goal
    mended = await agency.put(PATH, json=record, headers={"if-match": tag})
    assert mended.status_code == 200
    assert mended.json()["publishable"] is True
    assert mended.headers["etag"] != tag

    done = await agency.post(f"{PATH}/submit", headers={"if-match": mended.headers["etag"]})
    receipt = done.json()
    assert done.status_code == 201
    assert set(receipt) == RECEIPT
    assert (receipt["outcome"], receipt["version"], receipt["entry"]) == ("published", 1, 1)
    assert done.headers["etag"] == f'"{receipt["hash"][:16]}"'

    public = await client.get(RECORD)
    assert public.json()["record"] == record
    assert public.json()["register"]["hash"] == receipt["hash"]
    assert public.headers["etag"] == done.headers["etag"]
    found = await client.get("/api/v1/records", params={"q": "prévision lits"})
    assert [item["id"] for item in found.json()["items"]] == [record["id"]]
    links = dict(receipt["links"])
    assert links.pop("page") == f"https://algorithms.example/ar/records/{record['id']}"
    assert links.pop("notice") == f"{receipt['links']['page']}/notice"
    assert set(links) == {"record", "version", "history", "changes"}
    for link in links.values():
        assert link.startswith("https://algorithms.example/api/v1/")
        assert (await client.get(link.removeprefix("https://algorithms.example"))).is_success
    [change] = (await client.get(receipt["links"]["changes"].split(".example")[1])).json()["items"]
    assert (change["index"], change["hash"]) == (receipt["entry"], receipt["hash"])
    problem(await agency.get(PATH), 404, "not-found")

    again = await agency.post(f"{PATH}/submit")
    assert again.status_code == 200
    assert again.json() == receipt | {"outcome": "unchanged"}

    changed = amended(record, website="https://demo.example/autre")
    coded = done.headers["etag"].replace('"', "", 1)
    saved = await agency.put(
        PATH, json=changed, headers={"if-match": '"' + coded.replace('"', '-gz"')}
    )
    assert saved.status_code == 201
    second = (await agency.post(f"{PATH}/submit")).json()
    assert (second["version"], second["entry"]) == (2, 2)
    versions = (await client.get(f"{RECORD}/versions")).json()["items"]
    assert [one["version"] for one in versions] == [1, 2]


async def test_drafts_are_listed_read_and_thrown_away(agency, problem, record):
    saved = await agency.put(PATH, json=record, headers=NEW)
    [item] = (await agency.get("/api/v1/filings")).json()["items"]
    assert item == {
        "id": record["id"],
        "state": "draft",
        "saved_at": saved.json()["saved_at"],
        "saved_by": "demo-sante",
        "submitted_at": None,
        "submitted_by": None,
        "returned_at": None,
        "returned_by": None,
        "comment": None,
        "comments": {},
        "amends": False,
        "tag": saved.headers["etag"].strip('"'),
    }
    read = await agency.get(PATH)
    assert read.json() == saved.json()
    assert read.headers["etag"] == saved.headers["etag"]
    known = await agency.get(PATH, headers={"if-none-match": saved.headers["etag"]})
    assert known.status_code == 304
    problem(
        await agency.delete(PATH, headers={"if-match": '"0000000000000000"'}),
        412,
        "precondition-failed",
    )
    gone = await agency.delete(PATH, headers={"if-match": saved.headers["etag"]})
    assert (gone.status_code, gone.content) == (204, b"")
    problem(await agency.delete(PATH), 404, "not-found")
    assert (await agency.get("/api/v1/filings")).json() == {"items": []}


async def test_a_draft_that_was_overtaken_is_a_conflict(agency, publish, problem, record):
    [published] = await publish(record)
    record["website"] = "https://demo.example/autre"
    await agency.put(PATH, json=record, headers={"if-match": f'"{published.hash[:16]}"'})
    await publish(record | {"website": "https://demo.example/entre-temps"})
    problem(await agency.post(f"{PATH}/submit"), 409, "conflict")


async def test_a_draft_that_is_not_of_the_format_is_refused(agency, problem, record):
    other = "/api/v1/filings/demo-sante/other"
    refused = problem(await agency.put(other, json=record, headers=NEW), 422, "invalid-record")
    assert [finding["pointer"] for finding in refused["findings"]] == ["/id"]
    for given, word in (("demo-sante/other", "aux deux endroits"), ("Other", "minuscules")):
        wrong = record | {"id": given}
        answer = await agency.put(PATH, json=wrong, headers=NEW | {"accept-language": "fr"})
        [finding] = problem(answer, 422, "invalid-record")["findings"]
        assert (finding["lang"], word in finding["message"]) == ("fr", True)
    record["risk"]["level"] = "huge"
    refused = problem(await agency.put(PATH, json=record, headers=NEW), 422, "invalid-record")
    assert [finding["pointer"] for finding in refused["findings"]] == ["/risk/level"]
    assert (await agency.get("/api/v1/filings")).json() == {"items": []}


async def test_an_identifier_that_is_none_is_refused(agency, problem, record, subtests):
    for slug in ["Upper", "a_b", "index", "x" * 200, "a%20b"]:
        with subtests.test(slug=slug):
            address = f"/api/v1/filings/demo-sante/{slug}"
            problem(await agency.put(address, json=record, headers=NEW), 400, "invalid-parameter")


async def test_an_unknown_expired_or_revoked_token_is_told_apart(
    client, database, token, problem, record
):
    month = dt.timedelta(days=30)
    expired = await token(now=dt.datetime.now(dt.UTC) - month)
    revoked = await token()
    [*_, last] = await access_tokens.list_tokens(database)
    await access_tokens.revoke_token(database, last.id, now=dt.datetime.now(dt.UTC))
    for given, word in (
        (access_tokens._write(b"\0" * 32), "unknown"),
        (expired, "expired"),
        (revoked, "revoked"),
    ):
        response = await client.get("/api/v1/filings", headers={"authorization": f"Bearer {given}"})
        assert word in problem(response, 401, "unauthorized")["detail"]
        assert given not in response.text


async def test_a_token_files_for_its_agency_and_in_its_scope_only(client, token, problem, record):
    for other in (await token(agency="demo-education"), await token(scopes=("review",))):
        headers = {"authorization": f"Bearer {other}"}
        problem(await client.put(PATH, json=record, headers=headers | NEW), 403, "forbidden")
        problem(await client.post(f"{PATH}/submit", headers=headers), 403, "forbidden")


async def test_a_key_repeats_the_answer_and_belongs_to_one_request(agency, problem, record):
    key = {"idempotency-key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
    await agency.put(PATH, json=record, headers=NEW)
    first = await agency.post(f"{PATH}/submit", headers=key)
    again = await agency.post(f"{PATH}/submit", headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.json(), again.headers["etag"]) == (first.json(), first.headers["etag"])
    other = await agency.post("/api/v1/filings/demo-sante/other/submit", headers=key)
    problem(other, 422, "idempotency-key-reused")
    kept = await agency.put(PATH, json=record, headers=key | {"if-match": first.headers["etag"]})
    problem(kept, 422, "idempotency-key-reused")


async def test_drafts_are_listed_by_state(agency, problem, record):
    await agency.put(PATH, json=record, headers=NEW)
    listed = await agency.get("/api/v1/filings", params={"state": "draft"})
    assert [item["id"] for item in listed.json()["items"]] == [record["id"]]
    waiting = await agency.get("/api/v1/filings", params={"state": "in_review"})
    assert waiting.json() == {"items": []}
    problem(await agency.get("/api/v1/filings?state=reviewed"), 400, "invalid-parameter")
    problem(
        await agency.get("/api/v1/filings?state=draft&state=in_review"), 400, "invalid-parameter"
    )


WORDS = {
    "ar": ("البطاقة", "العدد", "دفتر القيود متوقف"),
    "fr": ("La fiche", "nombre", "le journal est arrêté"),
    "en": ("The record", "number", "the log is stopped"),
}


async def test_a_receipt_says_in_the_readers_language_what_happens_next(
    agency, database, record, subtests
):
    said = {"day": "2026-06-30", "systems_total": 3, "contact": {"email": "a@demo-sante.example"}}
    tags = {}
    for wanted, (published, attested, _) in WORDS.items():
        with subtests.test(wanted=wanted):
            document = record | {"id": f"demo-sante/{wanted}", "source_id": wanted}
            path = f"/api/v1/filings/{document['id']}"
            await agency.put(path, json=document, headers=NEW)
            done = await agency.post(f"{path}/submit", headers={"accept-language": wanted})
            assert published in done.json()["next"]
            again = await agency.post(f"{path}/submit", params={"lang": wanted})
            assert again.json()["next"] == done.json()["next"]
            tags[path] = done.headers["etag"], document
            done = await agency.put(ATTEST, json=said, params={"lang": wanted})
            assert attested in done.json()["next"]
    # While nothing is published nothing is called public.
    async with database.transaction() as connection:
        await log_checks.set_fault(connection, "the database, entry 1: it is another")
    for (wanted, (_, _, stopped)), (path, (tag, document)) in zip(
        WORDS.items(), tags.items(), strict=True
    ):
        with subtests.test(wanted=wanted, stopped=True):
            language = {"accept-language": wanted}
            await agency.put(path, json=amended(document), headers={"if-match": tag})
            done = await agency.post(f"{path}/submit", headers=language)
            assert stopped in done.json()["next"]
            done = await agency.put(ATTEST, json=said, headers=language)
            assert stopped in done.json()["next"]
