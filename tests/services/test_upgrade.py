"""A register of the release before imports were kept: ids stay, what it doubled is joined."""

import functools
import json
import secrets

import pytest

from registry.exchange.convert import convert_file
from registry.exchange.crosswalk import load_crosswalk
from registry.exchange.identity import record_key
from registry.ledger.verify_database import check_database
from registry.services.context import ServiceContext
from registry.services.joining import find_doubled, join
from registry.services.startup import open_register
from registry.store import agencies, imports, records
from registry.store.database import connect
from tests.conftest import NOW
from tests.imported import import_filings
from tests.published import given_times
from tests.upgraded import ALAND, BLAND, leave_register, write_crosswalk

DOUBLED = [("xa.parks/1", "xa.green-spaces/1"), ("xa.parks/2", "xa.green-spaces/2")]


@pytest.fixture
async def database(empty_url, pack, settings, tmp_path):
    """The register of the release before, as this one opens it."""
    opened = await connect(empty_url)
    folder = tmp_path / "migrations"
    folder.mkdir()
    await leave_register(opened, folder)
    await open_register(opened, pack, settings, now=NOW)
    yield opened
    await opened.close()


@pytest.fixture
def bring(database, pack, tmp_path):
    """Import a whole file by a crosswalk of then."""
    context = ServiceContext(
        database=database, pack=pack, random=secrets.token_bytes, guard=given_times()
    )

    async def bring(origin, content):
        file = tmp_path / "file.csv"
        file.write_text(content, encoding="utf-8")
        crosswalk = load_crosswalk(write_crosswalk(origin, tmp_path))
        return await import_filings(
            context,
            list(convert_file(crosswalk, file, pack=pack, today=NOW.date())),
            origin=origin,
            complete=True,
            key_of=functools.partial(record_key, crosswalk),
        )

    return bring


async def states(database):
    async with database.connection() as connection:
        rows = await connection.fetch("select id, agency, state, version from record order by id")
    return {row["id"]: (row["agency"], row["state"], row["version"]) for row in rows}


async def log_size(database):
    async with database.connection() as connection:
        return await connection.fetchval("select size from log_state")


async def doubled(database, origin):
    async with database.snapshot() as connection:
        return await find_doubled(connection, origin)


async def test_the_first_import_keeps_every_id_and_publishes_nothing(database, bring):
    before, size = await states(database), await log_size(database)
    for origin, content, unchanged in (("xa-register", ALAND, 3), ("xb-inventory", BLAND, 5)):
        counts = (await bring(origin, content)).counts
        assert (counts.unchanged, counts.records) == (unchanged, unchanged)
        assert (counts.added, counts.changed, counts.moved, counts.gone) == (0, 0, 0, 0)
    assert await states(database) == before
    assert await log_size(database) == size


async def test_what_stands_twice_is_named_by_the_import_and_joined_once(
    database, bring, context, settings, pack
):
    assert await doubled(database, "xa-register") == []
    report = await bring("xa-register", ALAND)
    [note] = report.notes
    assert note.startswith("2 records stand here twice since before this release, and are not")
    assert note.endswith("registry origin join")
    assert (await bring("xb-inventory", BLAND)).notes == []
    before = await states(database)
    found = await doubled(database, "xa-register")
    assert [(one.kept, one.dropped) for one in found] == DOUBLED
    assert await states(database) == before
    assert await doubled(database, "xb-inventory") == []

    for one in found:
        await join(context, one, now=NOW)
    after = await states(database)
    assert after == before | {
        "xa.parks/1": ("xa.green-spaces", "published", 2),
        "xa.parks/2": ("xa.green-spaces", "published", 2),
        "xa.green-spaces/1": ("xa.green-spaces", "withdrawn", 1),
        "xa.green-spaces/2": ("xa.green-spaces", "withdrawn", 1),
    }
    async with database.connection() as connection:
        counted = {one.agency.id: one.records for one in await agencies.read_all(connection)}
    assert (counted["xa.parks"], counted["xa.green-spaces"]) == (0, 2)

    size = await log_size(database)
    again = await bring("xa-register", ALAND)
    assert (again.counts.unchanged, again.notes) == (3, [])
    assert await states(database) == after
    assert await log_size(database) == size
    assert await doubled(database, "xa-register") == []
    assert (await check_database(database, settings, pack, progress=lambda *_: None)).size == size


async def test_what_was_published_before_is_as_it_was(database, bring):
    async with database.connection() as connection:
        found = await records.read(connection, "xa.roads/3", 1)
        origins = await imports.read_origins(connection)
    assert json.loads(found.document)["name"] == {"en": "Pothole map"}
    assert (found.register.source.id, found.register.source.state) == ("3", "present")
    assert found.register.source.register is None
    assert origins == {}
    await bring("xa-register", ALAND)
    async with database.connection() as connection:
        found = await records.read(connection, "xa.roads/3")
    assert found.register.source.register.code == "xa-register"
