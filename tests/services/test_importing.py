"""Importing: foreign records, published once and again only when they change."""

import asyncio
import copy
import datetime as dt
import json

import msgspec
import pytest

from registry.record.canonical import canonical
from registry.record.pack import Agency
from registry.record.validate import validate
from registry.services.importing import ForeignFiling, import_foreign
from registry.store import agencies, records

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
WEATHER = Agency(
    id="us.dwx", name={"en": "Department of Weather"}, kind="ministry", origin="us-omb-2025"
)


@pytest.fixture
def foreign(pack):
    def make(slug, name="Forecast", agency=WEATHER, **row):
        document = {
            "id": f"{agency.id}/{slug}",
            "schema_version": "1.0",
            "name": {"en": name},
            "languages": {"source": "en"},
        }
        verdict = validate(document, profile="foreign", pack=pack, today=NOW.date())
        assert [finding for finding in verdict.findings if finding.severity == "error"] == []
        return ForeignFiling(
            document=document, agency=agency, verdict=verdict, source_row={"Name": name, **row}
        )

    return make


@pytest.fixture
def bring(context):
    async def bring(*filings):
        counts = await import_foreign(context, filings, now=lambda: NOW)
        return counts.created, counts.changed, counts.unchanged

    return bring


async def stored(database, record):
    async with database.connection() as connection:
        return await records.read(connection, record)


async def log_size(database):
    async with database.connection() as connection:
        return await connection.fetchval("select size from log_state")


async def test_the_first_import_creates_and_the_second_changes_nothing(database, bring, foreign):
    filings = [foreign(f"case-{number}", number=str(number)) for number in range(600)]
    assert await bring(*filings) == (600, 0, 0)
    assert await log_size(database) == 601
    assert await bring(*filings) == (0, 0, 600)
    assert await log_size(database) == 601


async def test_a_changed_row_becomes_a_new_version_and_the_rest_stays(database, bring, foreign):
    await bring(foreign("one"), foreign("two"))
    assert await bring(foreign("one"), foreign("two", name="Renamed"), foreign("three")) == (
        1,
        1,
        1,
    )
    two = await stored(database, "us.dwx/two")
    assert two.register.version == 2
    assert json.loads(two.document)["name"] == {"en": "Renamed"}
    assert (await stored(database, "us.dwx/one")).register.version == 1


async def test_a_change_in_an_unmapped_column_is_a_change_too(database, bring, foreign):
    await bring(foreign("one", remark="old"))
    assert await bring(foreign("one", remark="new")) == (0, 1, 0)
    async with database.connection() as connection:
        rows = await records.latest_source_rows(connection, "us-omb-2025")
    assert json.loads(rows["us.dwx/one"])["remark"] == "new"


async def test_what_was_withdrawn_here_is_not_brought_back(database, filer, bring, foreign):
    await bring(foreign("one"), foreign("two"))
    await filer.withdraw(
        {"id": "us.dwx/one"}, await filer.tag({"id": "us.dwx/one"}), by=filer.authority
    )
    assert await bring(foreign("one", name="Renamed"), foreign("two", name="Renamed")) == (0, 1, 0)
    assert (await stored(database, "us.dwx/one")).register.state == "withdrawn"


async def test_what_is_no_longer_in_the_file_stays(database, bring, foreign):
    await bring(foreign("one"), foreign("two"))
    assert await bring(foreign("one")) == (0, 0, 1)
    assert (await stored(database, "us.dwx/two")).register.state == "published"


async def test_a_foreign_record_carries_its_origin_everywhere(database, bring, foreign):
    filing = foreign("one")
    await bring(filing)
    found = await stored(database, "us.dwx/one")
    assert found.document == canonical(filing.document)
    assert (found.agency, found.register.origin) == ("us.dwx", "us-omb-2025")
    assert not found.register.fictitious
    async with database.connection() as connection:
        entry = json.loads(await connection.fetchval("select bytes from log_entry where index = 1"))
        assert (entry["actor"], entry["origin"]) == ("ma", "us-omb-2025")
        saved = await agencies.read(connection, "us.dwx")
    assert saved.agency == WEATHER
    assert saved.records == 1


async def test_an_agency_that_changed_its_name_is_saved_anew(database, bring, foreign):
    await bring(foreign("one"))
    renamed = msgspec.structs.replace(WEATHER, name={"en": "Ministry of Skies"})
    assert await bring(foreign("one", agency=renamed)) == (0, 0, 1)
    async with database.connection() as connection:
        assert (await agencies.read(connection, "us.dwx")).agency == renamed


async def test_a_failure_half_way_keeps_whole_batches_and_the_next_import_goes_on(
    database, context, bring, foreign
):
    filings = [foreign(f"case-{number}") for number in range(300)]
    broken = copy.copy(filings)
    broken[290] = msgspec.structs.replace(filings[290], document=filings[290].document | {"x": {1}})
    with pytest.raises((TypeError, ValueError)):
        await bring(*broken)
    assert await log_size(database) == 251
    assert await bring(*filings) == (50, 0, 250)


async def test_two_imports_at_once_publish_nothing_twice(database, bring, foreign):
    filings = [foreign(f"case-{number}") for number in range(300)]
    both = await asyncio.gather(bring(*filings), bring(*filings))
    assert await log_size(database) == 301
    assert sorted(both) == [(0, 0, 300), (300, 0, 0)]


async def test_progress_is_told_by_batch(context, foreign):
    told = []
    filings = [foreign(f"case-{number}") for number in range(251)]
    await import_foreign(context, filings, now=lambda: NOW, progress=lambda *at: told.append(at))
    assert told == [(250, 251), (251, 251)]
