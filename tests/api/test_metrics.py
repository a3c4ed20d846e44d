"""The figures for operators: counted per operation, and not for everybody."""

import datetime as dt
import re
import secrets

import msgspec
import pytest

from registry import __version__
from registry.api.app import create_app
from registry.api.metrics import Metrics
from registry.record.fast_validator import FastValidator
from registry.services import access_tokens
from registry.store import bound_rows, witnesses
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
        await bound_rows.set_fault(connection, "the database, entry 1: something of a record.")
    text = (await client.get("/metrics", headers=LOCAL)).text
    assert figure(text, "registry_log_fault") == 1
    async with database.transaction() as connection:
        await bound_rows.set_fault(connection, None)
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
        await client.post("/api/v1/validate", json=record)
        text = (await client.get("/metrics", headers=LOCAL)).text
    assert figure(text, "registry_accept_path_accepted_total") == accepted
    assert figure(text, "registry_accept_path_checked_total") == accepted
    assert figure(text, "registry_accept_path_disagreements_total") == 0


@pytest.mark.parametrize(
    "headers", [{"host": "algorithms.example"}, LOCAL | {"x-forwarded-for": "203.0.113.9"}]
)
async def test_who_comes_from_elsewhere_needs_an_admin_s_token(client, database, headers):
    async def token(*scopes):
        made = await access_tokens.create_token(
            database,
            agency="demo-sante",
            scopes=scopes,
            actor=scopes[0],
            days=1,
            now=dt.datetime.now(dt.UTC),
            random=secrets.token_bytes,
        )
        return headers | {"authorization": f"Bearer {made}"}

    assert (await client.get("/metrics", headers=headers)).status_code == 401
    assert (await client.get("/metrics", headers=await token("file"))).status_code == 403
    assert (await client.get("/metrics", headers=await token("admin"))).status_code == 200


async def test_any_process_of_a_server_answers_for_all(client, settings):
    other = Metrics(settings.figures_dir, FastValidator())
    for seconds in (0.001, 0.03, 20.0):
        other.count("list_records", 200, seconds)
    assert (
        figure((await client.get("/metrics", headers=LOCAL)).text, "registry_requests_total") == 0
    )
    # One that has ended is counted still.
    other.write()
    del other
    await client.get("/api/v1/records")
    text = (await client.get("/metrics", headers=LOCAL)).text
    labels = {"operation": "list_records", "status": 200}
    assert figure(text, "registry_requests_total", **labels) == 4
    within = {
        bound: figure(text, "registry_request_seconds_bucket", operation="list_records", le=bound)
        for bound in ("0.005", "0.05", "10.0", r"\+Inf")
    }
    assert within[r"\+Inf"] == 4
    assert within["0.005"] >= 1
    assert within["0.05"] >= within["0.005"] + 1
    assert within["10.0"] == 3
    assert figure(text, "registry_request_seconds_sum", operation="list_records") > 20


def test_figures_that_cannot_be_written_hold_nothing_up(tmp_path):
    folder = tmp_path / "figures"
    folder.write_text("in the way")
    figures = Metrics(folder, FastValidator())
    figures.count("list_records", 200, 0.001)
    figures.write()
    [requests, *_] = figures.collect()
    assert requests.samples[0].value == 1
