"""The figures for operators: counted per operation, and not for everybody."""

import asyncio
import datetime as dt
import os
import platform
import re
import secrets
import subprocess
import sys
import time
from urllib.parse import urlsplit

import asyncpg
import msgspec
import pytest

from registry import __version__
from registry.api.app import create_app
from registry.services.operations.heartbeat import note_run
from registry.services.people import access_tokens
from registry.store import heartbeats, log_checks, witnesses
from registry.store.heartbeats import ProcessFigures
from tests.conftest import NOW

LOCAL = {"host": "127.0.0.1:8000"}


def figure(text, name, **labels):
    wanted = "".join(rf'(?=.*{key}="{value}")' for key, value in labels.items())
    found = re.search(rf"^{name}(?:{{{wanted}[^}}]*}})? (\S+)$", text, re.MULTILINE)
    return 0.0 if found is None else float(found[1])


async def test_requests_are_counted_by_operation_and_status(client):
    before = (await client.get("/metrics", headers=LOCAL)).text
    await client.get("/api/v1/records")
    await client.get("/api/v1/records?nonsense=1")
    after = await client.get("/metrics", headers=LOCAL)

    assert after.headers["content-type"].startswith("text/plain")
    for status in (200, 400):
        labels = {"operation": "list_records", "status": status}
        assert (
            figure(after.text, "registry_requests_total", **labels)
            == figure(before, "registry_requests_total", **labels) + 1
        )
    assert figure(after.text, "registry_log_entries") == 1
    assert figure(after.text, "registry_build_info", version=re.escape(__version__)) == 1


async def test_a_fault_of_the_log_is_shown(client, database):
    async with database.transaction() as connection:
        await log_checks.set_fault(connection, "the database, entry 1: something of a record.")
    text = (await client.get("/metrics", headers=LOCAL)).text
    assert figure(text, "registry_log_fault") == 1
    async with database.transaction() as connection:
        await log_checks.set_fault(connection, None)
    text = (await client.get("/metrics", headers=LOCAL)).text
    assert figure(text, "registry_log_fault") == 0


async def test_an_alarm_of_a_witness_is_shown(client, database):
    async with database.transaction() as connection:
        day = dt.timedelta(days=1)
        await witnesses.claim(connection, "https://w.example", 1, now=NOW, apart=day)
        for alarm in ("refused", "refused", None):
            await witnesses.keep_answer(
                connection, "https://w.example", size=None, answer="", alarm=alarm
            )
    text = (await client.get("/metrics", headers=LOCAL)).text
    assert figure(text, "registry_log_witness_alarms_total") == 2


@pytest.mark.parametrize(("setting", "accepted"), [("on", 1), ("off", 0)])
async def test_what_the_accept_path_did_is_counted(settings, started, record, setting, accepted):
    changed = msgspec.structs.replace(settings, accept_path=setting)
    async with started(create_app(changed, tell=None)) as client:
        before = (await client.get("/metrics", headers=LOCAL)).text
        await client.post("/api/v1/validate", json=record)
        after = (await client.get("/metrics", headers=LOCAL)).text
    for count, number in (("accepted", accepted), ("checked", accepted), ("disagreements", 0)):
        name = f"registry_accept_path_{count}_total"
        assert figure(after, name) - figure(before, name) == number


FROM_ELSEWHERE = [
    {"host": "algorithms.example"},
    LOCAL | {"x-forwarded-for": "203.0.113.9"},
    LOCAL | {"x-forwarded-proto": "https"},
    LOCAL | {"x-forwarded-host": "algorithms.example"},
]


async def test_who_comes_from_elsewhere_needs_a_token_for_it(client, database, subtests):
    async def token(*scopes):
        made = await access_tokens.create_token(
            database,
            agency="demo-sante",
            scopes=scopes,
            actor=f"{scopes[0]} {secrets.token_hex(4)}",
            days=1,
            now=dt.datetime.now(dt.UTC),
            random=secrets.token_bytes,
        )
        return {"authorization": f"Bearer {made}"}

    file, admin, only_figures = [await token(one) for one in ("file", "admin", "metrics")]
    for headers in FROM_ELSEWHERE:
        with subtests.test(headers=headers):
            assert (await client.get("/metrics", headers=headers)).status_code == 401
            for of, status in ((file, 403), (admin, 200), (only_figures, 200)):
                assert (await client.get("/metrics", headers=headers | of)).status_code == status
            refused = await client.get("/api/v1/audit", headers=headers | only_figures)
            assert refused.status_code == 403


async def test_this_machine_may_leave_out_the_port_and_names_one_host(client):
    for host in ("localhost", "127.0.0.1", "[::1]", "localhost:8000"):
        assert (await client.get("/metrics", headers={"host": host})).status_code == 200
    two = [("host", "algorithms.example"), ("host", "localhost:1")]
    assert (await client.get("/metrics", headers=two)).status_code in {401, 421}


OTHER = """
from registry.api.metrics import process_metrics
metrics = process_metrics()
for seconds in (0.001, 0.03, 20.0):
    metrics.count_request("list_records", 200, seconds)
metrics.count_connections(type("Pool", (), {"size": 1000, "in_use": 900}))
"""


async def test_any_process_of_a_server_answers_for_all(client):
    """Also for one that has ended; of its connections only how many it took."""

    def numbers(text):
        labels = {"operation": "list_records"}
        return [
            figure(text, "registry_requests_total", status=200, **labels),
            figure(text, "registry_request_seconds_sum", **labels),
            *(
                figure(text, "registry_request_seconds_bucket", le=bound, **labels)
                for bound in ("0.005", "0.05", r"10\.0", r"\+Inf")
            ),
        ]

    before = (await client.get("/metrics", headers=LOCAL)).text
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", OTHER], check=True)
    await client.get("/api/v1/records")
    after = (await client.get("/metrics", headers=LOCAL)).text
    more = [new - old for new, old in zip(numbers(after), numbers(before), strict=True)]
    assert more[0] == more[5] == 4
    assert more[1] > 20
    assert 1 <= more[2] < more[3] <= more[4] == 3
    assert 1 <= figure(after, "registry_pool_size") < 1000
    assert figure(after, "registry_pool_in_use") < 900


async def test_figures_are_there_without_the_database(client, settings, database_url, token):
    elsewhere = {"host": "algorithms.example"}
    known = elsewhere | {"authorization": f"Bearer {await token(None, ['metrics'], actor='a')}"}
    other = elsewhere | {"authorization": f"Bearer {await token(None, ['metrics'], actor='b')}"}
    before = (await client.get("/metrics", headers=known)).text
    assert figure(before, "registry_database_up") == 1
    name = urlsplit(settings.database_url).path[1:]
    beside = await asyncpg.connect(database_url.replace(name, "postgres"))
    await beside.execute(f"alter database {name} allow_connections false")
    await beside.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name
    )
    await beside.close()
    for headers in (LOCAL, known):
        answer = await client.get("/metrics", headers=headers)
        assert answer.status_code == 200
        assert figure(answer.text, "registry_database_up") == 0
        labels = {"operation": "read_metrics", "status": 200}
        assert figure(answer.text, "registry_requests_total", **labels) >= 1
        assert figure(answer.text, "process_resident_memory_bytes", pid=os.getpid()) > 0
        assert figure(answer.text, "registry_pool_borrowed_total") >= 1
        assert figure(answer.text, "registry_pool_size") >= 1
        assert figure(answer.text, "registry_disk_free_bytes", host=platform.node()) > 0
        assert "registry_log_entries" not in answer.text
    # Who was never let in stays out.
    assert (await client.get("/metrics", headers=other)).status_code == 503


async def test_what_waits_and_what_other_processes_tell_is_shown(client, database, settings, token):
    await token(None, ["metrics"], days=3)
    await token(None, ["metrics"], days=300)
    async with database.transaction() as connection:
        await connection.execute(
            "insert into pending_act (kind, subject, agency, statement, requested_by,"
            " requested_person, requested_at) values"
            " ('attestation', 'dgi', 'dgi', '{}', 'dgi', 'dgi', now() - interval '1 hour')"
        )
        told = ProcessFigures(
            version="1.2", has_key=False, site_build_seconds=2.5, faults={"log": "no key"},
            disk_free_bytes=7,
        )  # fmt: skip
        await heartbeats.beat(connection, "work", "elsewhere", told)
    await note_run(database, settings, "backup", entries=1)
    text = (await client.get("/metrics", headers=LOCAL)).text
    assert figure(text, "registry_reviews_waiting") == 1
    assert 3600 <= figure(text, "registry_reviews_oldest_seconds") < 4000
    assert figure(text, "registry_tokens_expiring") == 1
    there = {"host": "elsewhere"}
    assert 0 <= figure(text, "registry_heartbeat_age_seconds", process="work", **there) < 60
    assert 'version="1.2"' in text
    assert figure(text, "registry_work_faults", **there) == 1
    assert figure(text, "registry_work_has_key", **there) == 0
    assert figure(text, "registry_site_build_seconds", **there) == 2.5
    assert figure(text, "registry_disk_free_bytes", **there) == 7
    here = {"host": platform.node()}
    assert time.time() - figure(text, "registry_backup_timestamp_seconds", **here) < 60
    assert "registry_log_verified_timestamp_seconds" not in text
