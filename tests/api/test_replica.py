"""Reading from a standby: a register that is only read there, and one that reads there."""

import asyncio
import datetime as dt

import asyncpg
import msgspec
import pytest

from registry.api.app import create_app
from registry.errors import TooManyRequests
from registry.ledger.verify_database import check_database
from registry.services.operations import limits
from registry.services.operations.startup import find_doubts, open_register
from registry.services.people import access_tokens
from registry.services.people.identity_provider import ProgramGrant
from registry.store.database import connect
from tests.conftest import NOW, amended, make_record
from tests.standby import following

_HAS = "select pg_last_wal_replay_lsn() >= $1::text::pg_lsn"
_ASKED = (
    "select count(*) from pg_stat_activity where application_name = 'registry'"
    " and datname = current_database()"
)
RECORD = "/api/v1/records/demo-sante/prevision-lits"


class Provider:
    """An identity provider to which every token is one of the same program's."""

    issuer = "https://identity.example"

    async def recognise_program(self, _):
        return "program", ProgramGrant(agency="demo-sante", scopes=["file"])


@pytest.fixture
def standby(server, database_url):
    """The register's database in a standby that follows."""
    with following(database_url) as url:
        yield url


async def caught_up(primary, standby):
    """Wait until a standby has what the primary has."""
    one, two = await asyncpg.connect(primary), await asyncpg.connect(standby)
    reached = await one.fetchval("select pg_current_wal_lsn()::text")
    async with asyncio.timeout(60):
        while not await two.fetchval(_HAS, reached):  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.02)
    await one.close()
    await two.close()


async def test_a_register_can_be_read_verified_and_proven_on_a_standby(
    settings, standby, database, database_url, publish, token, pack, started, context, tmp_path
):
    await publish(make_record())
    own = await token()
    of_program = "a.b.c"
    await access_tokens.recognise_program(database, Provider(), of_program, now=NOW)
    await caught_up(database_url, standby)
    settings = msgspec.structs.replace(
        settings, database_url=standby, data_dir=tmp_path / "there", site="elsewhere"
    )
    opened = await connect(standby)
    # Who was recognised by the primary is by a standby, also on a day of which nobody took note.
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    for known in (
        await access_tokens.recognise(opened, own, now=tomorrow),
        await access_tokens.recognise_program(opened, Provider(), of_program, now=tomorrow),
    ):
        assert known.agency == "demo-sante"
    await open_register(opened, pack, settings)
    there = msgspec.structs.replace(context, database=opened)
    assert await find_doubts(there) == [
        "this database is a standby: the register can be read here, and nothing is filed"
    ]
    found = await check_database(opened, settings, progress=lambda *_: None)
    assert found.size == 2
    for number in (1, 2, 3):
        try:
            await limits.spend(opened, "exports", "x", per_minute=2, now=NOW)
        except TooManyRequests:
            assert number == 3
        else:
            assert number < 3
    async with started(create_app(settings, tell=None)) as client:
        assert (await client.get("/health/ready")).json()["status"] == "ready"
        assert (await client.get(RECORD)).status_code == 200
        assert (await client.get("/api/v1/records?q=lits")).json()["total"] == 1
        assert (await client.get("/api/v1/exports/records.csv")).status_code == 200
        refused = await client.put(
            "/api/v1/filings/demo-sante/prevision-lits",
            headers={"authorization": "Bearer regt_" + "a" * 43},
            json={},
        )
        assert refused.status_code == 401
    await opened.close()


async def test_reads_go_to_the_replica_and_a_reader_gets_what_it_has_written(
    settings, standby, database_url, publish, started
):
    [first] = await publish(make_record())
    await caught_up(database_url, standby)
    settings = msgspec.structs.replace(settings, read_url=standby, site="elsewhere")
    replica = await asyncpg.connect(standby)

    async def version(client, size=None):
        headers = {} if size is None else {"x-register-size": str(size)}
        answer = await client.get(RECORD, headers=headers)
        return answer.json()["register"]["version"]

    async with started(create_app(settings, tell=None)) as client:
        async with asyncio.timeout(60):
            while not await replica.fetchval(_ASKED):  # noqa: ASYNC110  nobody tells
                await asyncio.sleep(0.02)
        await replica.execute("select pg_wal_replay_pause()")
        [second] = await publish(amended(make_record()))
        assert await version(client) == 1
        # The replica does not get it in time, and so the primary answers.
        assert await version(client, second.entry + 1) == 2
        at = f"{RECORD}?as_of=entry:{second.entry}"
        assert (await client.get(at)).json()["register"]["version"] == 2
        assert await version(client, first.entry + 1) == 1
        assert await version(client, "many") == 1
        await replica.execute("select pg_wal_replay_resume()")
        await caught_up(database_url, standby)
        assert await version(client) == 2
        assert await version(client, second.entry + 1) == 2
    await replica.close()


async def test_the_primary_answers_while_the_replica_does_not(settings, publish, started, database):
    await publish(make_record())
    away = "postgresql://postgres@127.0.0.1:9/none"
    settings = msgspec.structs.replace(settings, read_url=away)
    async with started(create_app(settings, tell=None)) as client:
        assert (await client.get(RECORD)).status_code == 200
