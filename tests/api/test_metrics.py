"""The figures for operators: counted per operation, and not for everybody."""

import datetime as dt
import re
import secrets

import pytest

from registry.office import access

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


async def test_what_the_accept_path_did_is_counted(client, record):
    before = (await client.get("/metrics", headers=LOCAL)).text
    await client.post("/api/v1/validate", json=record)
    after = (await client.get("/metrics", headers=LOCAL)).text

    assert figure(after, "registry_accept_path_accepted_total") > figure(
        before, "registry_accept_path_accepted_total"
    )
    assert figure(after, "registry_accept_path_disagreements_total") == 0


@pytest.mark.parametrize(
    "headers", [{"host": "algorithms.example"}, LOCAL | {"x-forwarded-for": "203.0.113.9"}]
)
async def test_who_comes_from_elsewhere_needs_an_admin_s_token(client, database, headers):
    async def token(*scopes):
        made = await access.create_token(
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
