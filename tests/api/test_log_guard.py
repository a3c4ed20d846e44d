"""What the API answers on a database older than the log, and where clocks do not agree."""

import datetime as dt

import msgspec
import pytest

from registry.api.app import create_app
from registry.ledger.publish_files import publish_log
from registry.log.files import LogRefused
from registry.services.log.recovery import heal_log
from registry.services.operations.startup import open_register
from registry.settings import Settings
from registry.store.database import connect
from tests.api.test_metrics import LOCAL, figure
from tests.conftest import grant_serving
from tests.services.conftest import Backup

RECORDS = "/api/v1/records"


def statement(systems):
    return {
        "systems_total": systems,
        "day": "2026-11-24",
        "contact": {"email": "a@demo-sante.example"},
    }


async def attest(client, systems):
    return await client.put("/api/v1/attestations/demo-sante", json=statement(systems))


@pytest.fixture
async def database_url(migrated_url, pack, tmp_path):
    """A register that was begun just now, with a key of its own."""
    database = await connect(migrated_url)
    settings = Settings(data_dir=tmp_path, base_url="https://algorithms.example")
    await open_register(database, pack, settings)
    await grant_serving(database)
    await database.close()
    return migrated_url


@pytest.fixture
def execute(database):
    async def run(sql, *arguments):
        async with database.connection() as connection:
            await connection.execute(sql, *arguments)

    return run


async def test_what_stops_the_log_stops_whoever_files_and_nobody_who_reads(
    client, agency, problem, execute
):
    assert (await attest(agency, 3)).status_code == 201
    await execute("update log_state set stopped = '9 entries were signed, and the database has 2'")
    answer = await attest(agency, 4)
    told = problem(answer, 503, "register-behind")["detail"]
    assert "behind what it has signed" in told
    assert "9 entries were signed" in told
    assert answer.headers["retry-after"] == "30"
    assert (await client.get(RECORDS)).status_code == 200
    text = (await client.get("/metrics", headers=LOCAL)).text
    assert figure(text, "registry_log_stopped") == 1
    await execute("update log_state set stopped = null, incarnation = 'another'")
    told = problem(await attest(agency, 4), 503, "register-behind")["detail"]
    assert "another server has taken over" in told
    await execute("update log_state set incarnation = database_incarnation()")
    assert (await attest(agency, 4)).status_code == 201
    text = (await client.get("/metrics", headers=LOCAL)).text
    assert figure(text, "registry_log_stopped") == 0
    assert abs(figure(text, "registry_clock_skew_seconds")) < 5
    assert figure(text, "registry_log_ahead_seconds") == 0


async def test_a_log_that_is_dated_ahead_is_told(client, agency, problem, execute):
    ahead = dt.datetime.now(dt.UTC) + dt.timedelta(days=20)
    await execute("update log_state set last_at = $1, dated_ahead = null", ahead)
    answer = await attest(agency, 3)
    assert "ahead of the database's clock" in problem(answer, 503, "clock-differs")["detail"]
    text = (await client.get("/metrics", headers=LOCAL)).text
    assert figure(text, "registry_log_ahead_seconds") > 19 * 86400


async def test_a_server_that_starts_on_an_older_database_takes_nothing_before_it_is_healed(
    database, settings, token, context, problem, started
):
    """The accident as it was found: acknowledged with an index that had been given before."""
    given = {"authorization": f"Bearer {await token()}"}
    now, backup = dt.datetime.now(dt.UTC), Backup(database)

    async def attest(client, systems):
        path = "/api/v1/attestations/demo-sante"
        return await client.put(path, json=statement(systems), headers=given)

    async with started(create_app(settings, tell=None)) as client:
        assert (await attest(client, 3)).json()["entry"] == 1
        await publish_log(database, settings, now=now)
        await backup.keep()
        assert (await attest(client, 4)).json()["entry"] == 2
        await publish_log(database, settings, now=now)
    await backup.restore()
    async with started(create_app(settings, tell=None)) as client:
        told = problem(await attest(client, 5), 503, "register-behind")["detail"]
        assert "3 entries were acknowledged, and the database has 2" in told
        # On another host, which has no memory, the publisher's refusal stops it.
        elsewhere = msgspec.structs.replace(settings, data_dir=settings.data_dir / "elsewhere")
        with pytest.raises(LogRefused):
            await publish_log(database, settings, now=now)
        async with started(create_app(elsewhere, tell=None)) as other:
            told = problem(await attest(other, 5), 503, "register-behind")["detail"]
            assert "3 entries were signed, and the database has 2" in told
        assert await heal_log(context, settings, now=now, progress=lambda *_: None) == 1
        assert (await attest(client, 5)).json()["entry"] == 3
