"""Agencies, code lists, the format, changes, health, and the description of it all."""

import hashlib
import json

import msgspec
import pytest

from registry import errors
from registry.api.app import create_app
from registry.api.problems import STATUS
from registry.record.schema import SCHEMA_VERSION, record_schema_bytes
from registry.store import heartbeats, log, log_checks

GETS = [
    "/api/v1/records",
    "/api/v1/records/demo-sante/prevision-lits",
    "/api/v1/records/demo-sante/prevision-lits/versions",
    "/api/v1/records/demo-sante/prevision-lits/versions/1",
    "/api/v1/records/demo-sante/prevision-lits/findings",
    "/api/v1/changes",
    "/api/v1/agencies",
    "/api/v1/agencies/dgi",
    "/api/v1/codelists",
    "/api/v1/codelists/sector",
    "/api/v1/codelists/pack/regions",
    "/api/v1/schemas/record/1.0",
    "/openapi.json",
    "/health/live",
]
STRONG = {GETS[1], GETS[3]}


@pytest.mark.parametrize("path", GETS)
async def test_every_get_serves_head_and_if_none_match(reader, path):
    whole = await reader.get(path)
    assert whole.status_code == 200
    tag = whole.headers["etag"]
    assert tag.startswith('"' if path in STRONG else 'W/"')
    head = await reader.head(path)
    assert head.status_code == 200
    assert head.content == b""
    for name in ("etag", "content-type", "content-length"):
        assert head.headers[name] == whole.headers[name]
    assert int(whole.headers["content-length"]) == len(whole.content)
    strong = tag.removeprefix("W/")
    for known in (tag, strong, f"W/{strong}", f'"other", {tag}', "*"):
        for method in ("GET", "HEAD"):
            again = await reader.request(method, path, headers={"if-none-match": known})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == tag
            assert "content-type" not in again.headers
    other = await reader.get(path, headers={"if-none-match": '"other", W/"more", nonsense'})
    assert other.content == whole.content


@pytest.mark.parametrize("path", [path for path in GETS if path != "/api/v1/records"])
async def test_an_address_takes_no_parameter_that_it_does_not_have(reader, problem, path):
    found = problem(await reader.get(f"{path}?colour=red"), 400, "invalid-parameter")
    assert "colour" in found["detail"]


@pytest.mark.parametrize("path", GETS)
async def test_a_method_that_an_address_does_not_take_is_told_with_those_it_does(
    reader, problem, path
):
    response = await reader.delete(path)
    problem(response, 405, "method-not-allowed")
    allowed = response.headers["allow"].split(", ")
    assert {"GET", "HEAD"} <= set(allowed)
    assert "" not in allowed
    problem(await reader.request("PROPFIND", path), 405, "method-not-allowed")


async def test_agencies_with_their_number_of_records(client, publish, problem, record):
    await publish(record)
    items = (await client.get("/api/v1/agencies")).json()["items"]
    assert {one["id"] for one in items} >= {"dgi", "cnss", "add", "sante", "education"}
    counted = {one["id"]: one["records"] for one in items}
    assert counted["demo-sante"] == 1
    assert counted["dgi"] == 0
    one = (await client.get("/api/v1/agencies/demo-sante")).json()
    assert one in items
    assert one["fictitious"] is True
    for unknown in ("nobody", "%00", "dgi%20", "DGI"):
        problem(await client.get(f"/api/v1/agencies/{unknown}"), 404, "not-found")


async def test_every_code_list_can_be_read(client, problem):
    names = (await client.get("/api/v1/codelists")).json()["items"]
    assert {"risk_level", "sector", "status", "pack/regions", "pack/bodies"} <= set(names)
    for name in names:
        answer = (await client.get(f"/api/v1/codelists/{name}")).json()
        assert answer["name"] == name
        assert all(item["code"] and item["label"] for item in answer["items"])
    for unknown in ("nothing", "pack/nothing", "pack", "..%2Fsector"):
        problem(await client.get(f"/api/v1/codelists/{unknown}"), 404, "not-found")


async def test_the_schema_is_served_to_the_byte(client, problem):
    response = await client.get(f"/api/v1/schemas/record/{SCHEMA_VERSION}")
    assert response.content == record_schema_bytes()
    assert response.headers["content-type"] == "application/schema+json"
    problem(await client.get("/api/v1/schemas/record/2.0"), 404, "not-found")


async def test_changes_are_the_entries_as_they_were_hashed(client, publish, record):
    await publish(record)
    await publish(record | {"website": "https://demo.example/autre"})
    response = await client.get("/api/v1/changes")
    answer = response.json()
    assert [item["index"] for item in answer["items"]] == [0, 1, 2]
    assert (answer["size"], answer["next"]) == (3, None)
    for item in answer["items"]:
        entry = json.dumps(item["entry"], separators=(",", ":"), ensure_ascii=False).encode()
        assert entry in response.content
        assert item["hash"] == hashlib.sha256(b"\0" + entry).hexdigest()


async def test_changes_are_read_page_by_page(client, publish, record):
    for number in range(4):
        await publish(record | {"source_id": str(number)})
    seen, since = [], -1
    while since is not None:
        answer = (await client.get(f"/api/v1/changes?since={since}&limit=2")).json()
        seen += [item["index"] for item in answer["items"]]
        since = answer["next"]
    assert seen == [0, 1, 2, 3, 4]
    beyond = (await client.get(f"/api/v1/changes?since={2**63 - 1}")).json()
    assert beyond == {"origin": ["local"], "items": [], "size": 5, "next": None}


@pytest.mark.parametrize(
    "query",
    [
        "since=-2",
        f"since={2**63}",
        "since=x",
        "limit=0",
        "limit=1001",
        "since=1&since=2",
        "Since=1",
    ],
)
async def test_a_wrong_question_about_changes_is_refused(reader, problem, query):
    problem(await reader.get(f"/api/v1/changes?{query}"), 400, "invalid-parameter")


async def test_it_is_ready_without_a_site_that_is_served_elsewhere(settings, database, started):
    elsewhere = msgspec.structs.replace(settings, site="elsewhere")
    async with started(create_app(elsewhere, tell=None)) as client:
        assert (await client.get("/health/ready")).json()["status"] == "ready"


async def test_it_is_ready_when_the_first_site_is_in_place(client, database, settings, problem):
    assert (await client.get("/health/live")).json() == {"status": "live"}
    found = problem(await client.get("/health/ready"), 503, "unavailable")
    assert "site" in found["detail"]
    settings.site_dir.mkdir()
    (settings.site_dir / "index.html").write_text("<!doctype html>")
    found = (await client.get("/health/ready")).json()
    assert found.pop("work").startswith("no background runner has told anything ever")
    assert found == {"status": "ready"}
    async with database.connection() as connection:
        await heartbeats.beat(connection, "work", "elsewhere", heartbeats.ProcessFigures())
    assert (await client.get("/health/ready")).json() == {"status": "ready"}
    async with database.connection() as connection:
        await connection.execute("update heartbeat set at = at - interval '3 hours'")
    found = (await client.get("/health/ready")).json()
    assert found["work"].startswith("no background runner has told anything for 3 hours: ")
    async with database.transaction() as connection:
        await log_checks.set_fault(connection, "the database, entry 1: something of a record.")
    found = (await client.get("/health/ready")).json()
    assert found["status"] == "ready"
    assert "nothing is published; run: registry log verify" in found["fault"]
    assert "record." not in found["fault"]
    assert not {"alarm", "stopped"} & found.keys()
    async with database.transaction() as connection:
        await connection.execute(
            "insert into witness (url, asked, asked_at, alarm) values ('u', 1, now(), 'refused')"
        )
    found = (await client.get("/health/ready")).json()
    assert found["alarm"] == "a witness refuses the log; run: registry log witnesses"
    async with database.transaction() as connection:
        await log.stop(connection, "it has less than was signed")
    assert "the log is stopped" in (await client.get("/health/ready")).json()["stopped"]


async def test_the_description_lists_every_address(described):
    document = described.document
    assert document["openapi"].startswith("3.")
    listed = {(method, path) for path, methods in document["paths"].items() for method in methods}
    record, filing = "/api/v1/records/{agency}/{slug}", "/api/v1/filings/{agency}/{slug}"
    assert {
        ("get", "/api/v1/records"),
        ("get", record),
        ("get", f"{record}/versions"),
        ("get", f"{record}/versions/{{version}}"),
        ("get", f"{record}/findings"),
        ("get", "/api/v1/changes"),
        ("get", "/api/v1/agencies"),
        ("get", "/api/v1/agencies/{agency}"),
        ("get", "/api/v1/codelists"),
        ("get", "/api/v1/codelists/{name}"),
        ("get", "/api/v1/schemas/record/{version}"),
        ("post", "/api/v1/validate"),
        ("get", "/api/v1/filings"),
        ("put", filing),
        ("get", filing),
        ("delete", filing),
        ("post", f"{filing}/submit"),
        ("get", "/health/live"),
        ("get", "/health/ready"),
    } <= listed
    assert all(
        operation["summary"]
        for methods in document["paths"].values()
        for operation in methods.values()
    )
    names = [one["name"] for one in document["paths"]["/api/v1/records"]["get"]["parameters"]]
    assert {"q", "risk", "facets", "cursor"} <= set(names)


def test_every_error_has_a_status_or_is_of_commands_only():
    def below(kind):
        yield kind
        for child in kind.__subclasses__():
            yield from below(child)

    slugs = {kind.slug for kind in below(errors.RegistryError)}
    assert slugs - set(STATUS) == {errors.ImportRefused.slug}
    assert set(STATUS) <= slugs


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/", "/api/v2/records", "/health/x"])
async def test_an_address_that_is_none_is_a_problem(reader, problem, path):
    for method in ("GET", "POST", "PUT", "DELETE"):
        problem(await reader.request(method, path), 404, "not-found")
    head = await reader.head(path)
    assert (head.status_code, head.content) == (404, b"")
