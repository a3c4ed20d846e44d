"""The audit trail over HTTP: who did what, and who was refused."""

import datetime as dt
import json
import secrets
from typing import get_args

import asyncpg
import httpx
import msgspec
import pytest

from registry.api import authentication
from registry.api.app import _litestar
from registry.api.authentication import ACTIONS
from registry.services.operations.audit_trail import Action, chain_acts, verify_lines
from registry.services.people import access_tokens
from registry.settings import Settings

AUDIT = "/api/v1/audit"
ID = "demo-sante/prevision-lits"
DRAFT = f"/api/v1/filings/{ID}"
NEW = {"if-none-match": "*"}
ACT = {
    "id",
    "at",
    "request",
    "actor",
    "token",
    "action",
    "subject",
    "before",
    "result",
    "member",
}
NOW = dt.datetime.now(dt.UTC)


@pytest.fixture(autouse=True)
def one_moment(monkeypatch):
    """Time stands still, so that no allowance fills."""
    monkeypatch.setattr(authentication, "utc_now", lambda: NOW)


@pytest.fixture
def settings(settings):
    """Work is not charged for: that is a statement more where a request takes long."""
    return msgspec.structs.replace(settings, limit_work=0)


@pytest.fixture
def as_actor(app, token, hooks):
    """Make clients with tokens of their own."""

    async def make(agency, *scopes, actor=None):
        secret = await token(agency=agency, scopes=scopes, actor=actor)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False),
            base_url="http://register",
            headers={"authorization": f"Bearer {secret}"},
            event_hooks=hooks,
        )

    return make


@pytest.fixture
async def trail(as_actor):
    """Read the whole trail, without the tokens that the test itself made."""
    admin = await as_actor(None, "admin")

    async def read(**parameters):
        answer = await admin.get(AUDIT, params=parameters)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        acts = answer.json()["items"]
        assert all(set(act) == ACT for act in acts)
        return [act for act in acts if act["action"] != "create_token"]

    read.client = admin
    yield read
    await admin.aclose()


def brief(act):
    return (act["actor"], act["token"], act["action"], act["subject"], act["result"])


async def test_what_is_written_is_in_it_with_who_from_what_and_the_id_of_the_request(
    agency, trail, record
):
    saved = await agency.put(DRAFT, json=record, headers=NEW)
    tag = saved.headers["etag"].strip('"')
    submitted = await agency.post(f"{DRAFT}/submit")
    acts = await trail()
    who = next(act["token"] for act in acts)
    assert [brief(act) for act in acts] == [
        ("demo-sante", who, "save_draft", ID, "done"),
        ("demo-sante", who, "submit", ID, "done"),
    ]
    assert [act["before"] for act in acts] == [None, tag]
    assert [act["request"] for act in acts] == [
        answer.headers["x-request-id"] for answer in (saved, submitted)
    ]
    assert record["name"]["fr"] not in str(acts)


async def test_making_and_ending_a_token_is_in_it(trail, token, database):
    secret = await token(agency="demo-education")
    [stored] = [
        one for one in await access_tokens.list_tokens(database) if one.agency == "demo-education"
    ]
    await access_tokens.revoke_token(database, stored.id, now=NOW)
    acts = (await trail.client.get(AUDIT, params={"subject": str(stored.id)})).json()["items"]
    assert [brief(act) for act in acts] == [
        ("operator", None, "create_token", str(stored.id), "done"),
        ("operator", None, "revoke_token", str(stored.id), "done"),
    ]
    assert acts[0]["before"].startswith("for demo-education, of demo-education, may file, until 20")
    assert secret not in str(acts)


async def test_whoever_lacks_authority_is_in_it(agency, as_actor, trail, problem, record):
    other = await as_actor("demo-education", "file")
    reviewer = await as_actor(None, "review")
    await agency.put(DRAFT, json=record, headers=NEW)
    refusals = [
        (await other.put(DRAFT, json=record, headers=NEW), "demo-education", "save_draft", ID, 403),
        (await other.post(f"{DRAFT}/submit"), "demo-education", "submit", ID, 403),
        (await other.get(DRAFT), "demo-education", "read_draft", ID, 404),
        (await other.delete(DRAFT), "demo-education", "delete_draft", ID, 404),
        (await other.get(AUDIT), "demo-education", "read_audit", None, 403),
        (await other.get("/metrics"), "demo-education", "read_metrics", None, 403),
        (await other.post(f"{DRAFT}/approve"), "demo-education", "approve", ID, 403),
        (await reviewer.delete(DRAFT), "authority", "delete_draft", ID, 403),
        (await reviewer.put(f"{DRAFT}%20x", json=record, headers=NEW), "authority", "save_draft",
         None, 403),
        (await other.post("/api/v1/redactions/7/confirm"), "demo-education", "confirm_redaction",
         "7", 403),
    ]  # fmt: skip
    noted = (await trail())[1:]
    assert len(noted) == len(refusals)
    for act, (answer, *who, status) in zip(noted, refusals, strict=True):
        slug = "forbidden" if status == 403 else "not-found"
        assert problem(answer, status, slug)["request"] == act["request"]
        assert [act["actor"], act["action"], act["subject"]] == who
        assert (act["result"], act["before"]) == (slug, None)
        assert isinstance(act["token"], int)
    await other.aclose()
    await reviewer.aclose()


@pytest.fixture
def statements(monkeypatch):
    """Every statement that the application puts to its database, in order."""
    put = []

    def watched(method):
        asked = getattr(asyncpg.connection.Connection, method)

        def ask(self, query, *values, **options):
            # That the server is a standby is asked again every five seconds.
            if "pg_is_in_recovery" not in query:
                put.append(query)
            return asked(self, query, *values, **options)

        monkeypatch.setattr(asyncpg.connection.Connection, method, ask)

    for method in ("execute", "executemany", "fetch", "fetchrow", "fetchval"):
        watched(method)
    return put


OTHERS = [
    (("demo-education", "file"), "GET", ""),
    (("demo-education", "file"), "PUT", ""),
    (("demo-education", "file"), "DELETE", ""),
    (("demo-education", "file"), "POST", "/submit"),
    (("demo-education", "review"), "GET", ""),
    (("demo-education", "review"), "POST", "/approve"),
    (("demo-education", "review"), "POST", "/return"),
    ((None, "review"), "GET", ""),
    ((None, "review"), "DELETE", ""),
]


async def test_a_draft_that_one_may_not_know_of_and_none_are_the_same_in_words_and_in_work(
    agency, as_actor, trail, record, statements, subtests
):
    await agency.put(DRAFT, json=record, headers=NEW)
    for who, method, path in OTHERS:
        with subtests.test(who=who, method=method, path=path):
            other = await as_actor(*who, actor=f"{who[1]} {method}{path}")
            await other.get(AUDIT)
            before, told, work = len(await trail()), [], []
            for name in ("prevision-lits", "prevision-none"):
                document = record | {"id": f"demo-sante/{name}"}
                statements.clear()
                answer = await other.request(
                    method,
                    f"/api/v1/filings/demo-sante/{name}{path}",
                    headers=NEW if method == "PUT" else {},
                    json={"comment": "x"} if path == "/return" else document,
                )
                assert answer.status_code in {403, 404}
                body = answer.json()
                del body["request"]
                told.append((answer.status_code, str(body).replace(name, "…"), set(answer.headers)))
                work.append(list(statements))
            assert told[0] == told[1]
            assert work[0] == work[1]
            assert len(work[0]) >= 2
            noted = [act["result"] for act in (await trail())[before:]]
            # The authority's reviewer may ask after any draft; it only sees those in review.
            may_ask = who[0] is None and method == "GET"
            assert noted == [] if may_ask else len(noted) == 2 and len(set(noted)) == 1
            await other.aclose()


async def test_a_draft_of_ones_own_that_is_not_there_is_no_refusal(agency, trail, problem):
    problem(await agency.get(DRAFT), 404, "not-found")
    problem(await agency.delete(DRAFT), 404, "not-found")
    assert await trail() == []


@pytest.mark.parametrize("end", ["revoked", "expired"])
async def test_a_token_that_has_ended_is_known_by_its_number(client, database, token, trail, end):
    old = await token(days=1, now=NOW - dt.timedelta(days=2 if end == "expired" else 0))
    number = (await access_tokens.list_tokens(database))[-1].id
    if end == "revoked":
        await access_tokens.revoke_token(database, number, now=NOW)
    await client.get(DRAFT, headers={"authorization": f"Bearer {old}"})
    act = (await trail())[-1]
    assert brief(act) == ("demo-sante", number, "read_draft", ID, "unauthorized")
    assert old not in str(act)


async def test_who_is_nobody_leaves_no_trace_but_one_when_it_is_a_flood(client, settings, trail):
    unknown = {"authorization": f"Bearer {access_tokens._write(secrets.token_bytes(32))}"}
    for headers in ({}, unknown, {"authorization": "Bearer regt_mistyped"}):
        await client.get(DRAFT, headers=headers)
    assert await trail() == []
    for _ in range(settings.limit_failures + 5):
        await client.get(DRAFT, headers=unknown)
    [flood] = await trail()
    assert brief(flood) == (None, None, "read_draft", ID, "too-many-requests")


async def test_one_who_is_refused_again_and_again_does_not_fill_it(settings, as_actor, trail):
    other = await as_actor("demo-education", "file")
    for _ in range(settings.limit_failures + 10):
        assert (await other.get(DRAFT)).status_code == 404
    results = [act["result"] for act in await trail()]
    assert results.count("not-found") == settings.limit_failures
    assert results.count("too-many-requests") == 1
    await other.aclose()


async def test_a_refusal_that_cannot_be_noted_is_a_refusal_all_the_same(
    as_actor, database, problem
):
    other = await as_actor("demo-education", "file")
    async with database.connection() as connection:
        await connection.execute(
            "create function broken() returns trigger language plpgsql as"
            " $$ begin raise exception 'x' using errcode = '53100'; end $$;"
            " create trigger broken before insert on audit for each row execute function broken()"
        )
    problem(await other.get(DRAFT), 404, "not-found")
    await other.aclose()


# --- reading it


async def test_it_is_read_in_order_page_by_page(agency, trail, record):
    await agency.put(DRAFT, json=record, headers=NEW)
    await agency.post(f"{DRAFT}/submit")
    whole = (await trail.client.get(AUDIT)).json()
    assert whole["next"] is None
    numbers = [act["id"] for act in whole["items"]]
    assert numbers == sorted(numbers)
    found, since = [], 0
    while since is not None:
        page = (await trail.client.get(AUDIT, params={"since": since, "limit": 1})).json()
        found += page["items"]
        since = page["next"]
    assert found == whole["items"]


async def test_one_subject_can_be_asked_for(agency, trail, record):
    await agency.put(DRAFT, json=record, headers=NEW)
    await agency.delete("/api/v1/filings/demo-education/x")
    assert [act["action"] for act in await trail(subject=ID)] == ["save_draft"]
    assert await trail(subject="' or true --") == []


NONSENSE = ["since=-1", "since=x", "since=9223372036854775808", "limit=0", "limit=1001",
          "since=1&since=2", "subject=a&subject=b", "subject=%00", "actor=x"]  # fmt: skip


async def test_a_question_that_makes_no_sense_is_refused(trail, problem, subtests):
    for query in NONSENSE:
        with subtests.test(query=query):
            problem(await trail.client.get(f"{AUDIT}?{query}"), 400, "invalid-parameter")


async def test_only_an_admin_reads_it(as_actor, client, problem):
    problem(await client.get(AUDIT), 401, "unauthorized")
    for scopes in (("file",), ("review",), ("file", "review")):
        other = await as_actor("demo-sante", *scopes, actor=" ".join(scopes))
        problem(await other.get(AUDIT), 403, "forbidden")
        await other.aclose()


# --- its names


def test_every_operation_that_needs_a_token_has_its_name():
    named = {
        handler.handler_name
        for route in _litestar(Settings()).routes
        for handler in route.route_handlers
        if not {"actor", "call"}.isdisjoint(handler.parsed_fn_signature.parameters)
    }
    # This machine reads its figures without one.
    assert named | {"read_metrics"} == set(ACTIONS)
    assert set(ACTIONS.values()) <= set(get_args(Action))


async def test_it_is_read_with_its_hashes(as_actor, database):
    watcher = await as_actor(None, "audit", actor="shipper")
    while await chain_acts(database):
        pass
    first = (await watcher.get(f"{AUDIT}/chain?limit=1")).json()
    assert first["next"] == 1
    rest = (await watcher.get(f"{AUDIT}/chain?after=1")).json()
    assert rest["next"] is None
    lines = [json.dumps(one).encode() for one in first["items"] + rest["items"]]
    assert [one.action for one in verify_lines(lines)] == ["create_token"] * len(lines)
    assert (await watcher.get(f"{AUDIT}/chain?after=999")).json() == {"items": [], "next": None}
    assert (await watcher.get("/metrics", headers={"host": "register"})).status_code == 403
    other = await as_actor("demo-sante", "file")
    assert (await other.get(f"{AUDIT}/chain")).status_code == 403
