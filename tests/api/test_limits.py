"""Limits over HTTP: writes by token, validations and failed authentications by address."""

import datetime as dt
import itertools
import secrets

import msgspec
import pytest

from registry import work
from registry.api import authentication
from registry.api.app import create_app
from registry.services.people import access_tokens

DRAFT = "/api/v1/filings/demo-sante/prevision-lits"
DRAFTS = "/api/v1/filings"
VALIDATE = "/api/v1/validate"
NOW = dt.datetime.now(dt.UTC)
UNKNOWN = {"authorization": f"Bearer {access_tokens._write(secrets.token_bytes(32))}"}
MISTYPED = {"authorization": "Bearer regt_mistyped"}


@pytest.fixture(autouse=True)
def one_moment(monkeypatch):
    """Time stands still, so that no allowance fills."""
    monkeypatch.setattr(authentication, "utc_now", lambda: NOW)


@pytest.fixture
def settings(settings):
    return msgspec.structs.replace(
        settings,
        limit_writes=3,
        limit_validations=3,
        limit_failures=3,
        limit_exports=3,
        trusted_proxies="127.0.0.1",
    )


def limited(problem, answer, words):
    assert words in problem(answer, 429, "too-many-requests")["detail"]
    assert 1 <= int(answer.headers["retry-after"]) <= 60


async def test_writes_are_counted_by_token_whatever_becomes_of_them(agency, problem, record):
    assert (await agency.put(DRAFT, json=record)).status_code == 428
    assert (await agency.delete(DRAFT)).status_code == 404
    assert (await agency.put(DRAFT, json=record, headers={"if-none-match": "*"})).is_success
    limited(problem, await agency.post(f"{DRAFT}/submit"), "3 writes a minute")
    assert (await agency.get(DRAFT)).status_code == 200
    assert (await agency.head(DRAFTS)).status_code == 200


async def test_another_token_has_its_own(client, agency, token, problem):
    for _ in range(4):
        last = await agency.delete(DRAFT)
    limited(problem, last, "3 writes a minute")
    other = {"authorization": f"Bearer {await token()}"}
    assert (await client.delete(DRAFT, headers=other)).status_code == 404


async def test_exports_are_counted_by_address(client, problem):
    def export(address, form):
        path = f"/api/v1/exports/records.{form}"
        return client.get(path, headers={"x-forwarded-for": address})

    for form in ("csv", "jsonl", "xlsx"):
        assert (await export("192.0.2.1", form)).status_code == 200
    limited(problem, await export("192.0.2.1", "csv"), "3 exports a minute")
    assert (await export("192.0.2.2", "csv")).status_code == 200


async def test_records_taken_away_are_counted_by_address(
    settings, context, publish, record, problem, started
):
    second = {**record, "id": "demo-sante/second", "name": {"fr": "Second", "ar": "الثاني"}}
    await publish(record, second)
    few = msgspec.structs.replace(settings, limit_exports=0, limit_export_records=3)

    def export(client, address, **more):
        headers = {"x-forwarded-for": address, **more}
        return client.get("/api/v1/exports/records.csv", headers=headers)

    async with started(create_app(few, tell=None)) as client:
        first = await export(client, "192.0.2.1")
        assert first.status_code == 200
        limited(problem, await export(client, "192.0.2.1"), "3 exported records a minute")
        # Who has it already takes nothing, and a narrower question may have room.
        known = await export(client, "192.0.2.1", **{"if-none-match": first.headers["etag"]})
        assert known.status_code == 304
        one = {"x-forwarded-for": "192.0.2.1"}
        path = "/api/v1/exports/records.csv?q=second"
        assert (await client.get(path, headers=one)).status_code == 200
        limited(problem, await client.get(path, headers=one), "3 exported records a minute")
        assert (await export(client, "192.0.2.2")).status_code == 200
    # More than can be had at once takes all of it.
    fewer = msgspec.structs.replace(few, limit_export_records=1)
    async with started(create_app(fewer, tell=None)) as client:
        assert (await export(client, "192.0.2.3")).status_code == 200
        limited(problem, await export(client, "192.0.2.3"), "1 exported records a minute")


async def test_validations_are_counted_by_address(client, problem, record):
    def validate(address):
        return client.post(VALIDATE, json=record, headers={"x-forwarded-for": address})

    for _ in range(3):
        assert (await validate("192.0.2.1")).status_code == 200
    limited(problem, await validate("192.0.2.1"), "3 validations a minute")
    assert (await validate("192.0.2.2")).status_code == 200
    for last in range(3):
        assert (await validate(f"2001:db8::{last}")).status_code == 200
    limited(problem, await validate("2001:db8::ffff"), "3 validations a minute")
    assert (await client.get("/api/v1/records")).status_code == 200


@pytest.mark.parametrize("headers", [UNKNOWN, MISTYPED], ids=["unknown", "mistyped"])
async def test_failures_are_counted_by_address_and_lock_no_good_token_out(
    client, agency, problem, headers
):
    for _ in range(3):
        problem(await client.get(DRAFTS, headers=headers), 401, "unauthorized")
    for _ in range(3):
        answer = await client.get(DRAFTS, headers=headers)
        limited(problem, answer, "3 failed authentications a minute")
    assert (await agency.get(DRAFTS)).status_code == 200
    elsewhere = headers | {"x-forwarded-for": "192.0.2.1"}
    problem(await client.get(DRAFTS, headers=elsewhere), 401, "unauthorized")


@pytest.mark.parametrize("end", ["revoked", "expired"])
async def test_a_token_that_has_ended_counts_as_a_failure(client, token, database, problem, end):
    old = await token(days=1, now=NOW - dt.timedelta(days=2 if end == "expired" else 0))
    if end == "revoked":
        await access_tokens.revoke_token(database, 1, now=NOW)
    headers = {"authorization": f"Bearer {old}"}
    for _ in range(3):
        assert (
            end in problem(await client.get(DRAFTS, headers=headers), 401, "unauthorized")["detail"]
        )
    limited(problem, await client.get(DRAFTS, headers=headers), "failed authentications")


async def test_no_token_at_all_is_no_failure(client, problem):
    for _ in range(5):
        problem(await client.get(DRAFTS), 401, "unauthorized")


async def test_a_second_worker_counts_on(settings, agency, token, problem, started):
    secret = await token()
    headers = {"authorization": f"Bearer {secret}"}
    for _ in range(2):
        assert (await agency.delete(DRAFT, headers=headers)).status_code == 404
    async with started(create_app(settings, tell=None)) as other:
        assert (await other.delete(DRAFT, headers=headers)).status_code == 404
        limited(problem, await other.delete(DRAFT, headers=headers), "writes")
    limited(problem, await agency.delete(DRAFT, headers=headers), "writes")


async def test_zero_is_no_limit(settings, problem, record, started, token):
    unlimited = msgspec.structs.replace(
        settings, limit_writes=0, limit_validations=0, limit_failures=0, limit_work=0
    )
    good = {"authorization": f"Bearer {await token()}"}
    async with started(create_app(unlimited, tell=None)) as client:
        for _ in range(6):
            assert (await client.delete(DRAFT, headers=good)).status_code == 404
            assert (await client.post(VALIDATE, json={})).status_code == 200
            for headers in (UNKNOWN, MISTYPED):
                problem(await client.get(DRAFTS, headers=headers), 401, "unauthorized")


async def test_without_its_allowances_the_register_is_not_available(
    client, agency, database, problem
):
    async with database.connection() as connection:
        await connection.execute(
            "create function broken() returns trigger language plpgsql as"
            " $$ begin raise exception 'x' using errcode = '53100'; end $$;"
            " create trigger broken before insert on allowance for each row"
            " execute function broken()"
        )
    problem(await agency.delete(DRAFT), 503, "unavailable")
    problem(await client.get(DRAFTS, headers=UNKNOWN), 503, "unavailable")
    # What is no token at all is told so even then.
    problem(await client.get(DRAFTS, headers=MISTYPED), 401, "unauthorized")


@pytest.fixture
def slow(monkeypatch):
    """Make a step of work take 30 s of CPU time, by the clock that measures it."""
    steps = itertools.count(step=30)
    monkeypatch.setattr(work.time, "thread_time", lambda: next(steps))


async def test_who_took_too_much_work_waits(client, problem, record, slow):
    def validate(address):
        return client.post(VALIDATE, json=record, headers={"x-forwarded-for": address})

    assert (await validate("192.0.2.1")).status_code == 200
    answer = await validate("192.0.2.1")
    limited(problem, answer, "more than 30,000 ms of work in a minute")
    other = await client.get("/api/v1/records", headers={"x-forwarded-for": "192.0.2.1"})
    limited(problem, other, "ms of work")
    assert (await client.get("/health/live")).status_code == 200
    assert (await validate("192.0.2.2")).status_code == 200


async def test_work_is_counted_by_token_where_there_is_one(client, agency, token, problem, slow):
    assert (await agency.get(DRAFTS)).status_code == 200
    limited(problem, await agency.get(DRAFTS), "ms of work")
    other = {"authorization": f"Bearer {await token()}"}
    assert (await client.get(DRAFTS, headers=other)).status_code == 200


async def test_a_debt_is_known_to_other_processes(settings, client, problem, record, slow, started):
    of_address = {"x-forwarded-for": "192.0.2.1"}
    assert (await client.post(VALIDATE, json=record, headers=of_address)).status_code == 200
    async with started(create_app(settings, tell=None)) as other:
        await other.get("/api/v1/records", headers=of_address)
        refused = await other.get("/api/v1/records", headers=of_address)
        limited(problem, refused, "ms of work")


async def test_a_proxy_may_name_the_port_of_a_client(client, record, problem):
    async def ask(address):
        return await client.post(VALIDATE, json=record, headers={"x-forwarded-for": address})

    for port in range(3):
        assert (await ask(f"203.0.113.10:{port + 1000}")).status_code == 200
        assert (await ask(f"[2001:db8::1]:{port + 1000}")).status_code == 200
    limited(problem, await ask("203.0.113.10"), "3 validations a minute")
    limited(problem, await ask("2001:db8::2"), "3 validations a minute")
    assert (await ask("203.0.113.11:1000")).status_code == 200
