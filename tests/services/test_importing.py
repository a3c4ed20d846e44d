"""Importing: a version where something changed and nowhere else, whatever else the source did."""

import asyncio
import copy
import datetime as dt
import json

import msgspec
import pytest

from registry.errors import ImportRefused
from registry.record.canonical import canonical
from registry.record.origin import Origin
from registry.record.pack import Agency
from registry.record.validate import validate
from registry.services.importing.matching import ForeignFiling, RefusedRow
from registry.store import agencies, imports, records
from tests.imported import import_filings

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
WEATHER = Agency(
    id="us.dwx", name={"en": "Department of Weather"}, kind="ministry", origin="us-omb-2025"
)
SKIES = msgspec.structs.replace(WEATHER, id="us.skies", name={"en": "Ministry of Skies"})


@pytest.fixture
def foreign(pack):
    def make(slug, name="Forecast", agency=WEATHER, changed_on=None, whole=None, **row):
        document = {
            "id": f"{agency.id}/{slug}",
            "schema_version": "1.0",
            "name": {"en": name},
            "languages": {"source": "en"},
            "source_id": slug,
        }
        verdict = validate(document, profile="foreign", pack=pack, today=NOW.date())
        assert [finding for finding in verdict.findings if finding.severity == "error"] == []
        return ForeignFiling(
            document=document,
            agency=agency,
            verdict=verdict,
            source_row={"Name": name, **row},
            source_id=slug,
            changed_on=changed_on,
            whole=whole or {},
        )

    return make


@pytest.fixture
def bring(context):
    async def bring(*filings, **options):
        return (await import_filings(context, filings, now=lambda: NOW, **options)).counts

    return bring


def told(counts):
    """What an import counted, without what it did not."""
    of_rows = {"rows", "records", "fields"}
    said = msgspec.structs.asdict(counts)
    return {name: number for name, number in said.items() if number and name not in of_rows}


async def stored(database, record, **moment):
    async with database.connection() as connection:
        return await records.read(connection, record, **moment)


async def entries_of_records(database):
    async with database.connection() as connection:
        return await connection.fetchval("select count(*) from log_entry where record is not null")


async def entries(database, record):
    async with database.connection() as connection:
        rows = await connection.fetch(
            "select bytes from log_entry where record = $1 order by index", record
        )
    return [json.loads(row["bytes"]) for row in rows]


async def test_the_first_import_adds_and_the_second_changes_nothing(database, bring, foreign):
    filings = [foreign(f"case-{number}", number=str(number)) for number in range(600)]
    assert told(await bring(*filings)) == {"added": 600}
    assert await entries_of_records(database) == 600
    assert told(await bring(*filings, complete=True)) == {"unchanged": 600}
    assert await entries_of_records(database) == 600


async def test_a_changed_document_becomes_a_new_version_and_the_rest_stays(
    database, bring, foreign
):
    await bring(foreign("one"), foreign("two"))
    counts = await bring(foreign("one"), foreign("two", name="Renamed"), foreign("three"))
    assert told(counts) == {"added": 1, "changed": 1, "unchanged": 1}
    assert counts.fields == {"/name/en": 1}
    two = await stored(database, "us.dwx/two")
    assert two.register.version == 2
    assert json.loads(two.document)["name"] == {"en": "Renamed"}
    assert (await stored(database, "us.dwx/one")).register.version == 1


async def test_another_row_of_the_same_document_replaces_the_kept_one(database, bring, foreign):
    await bring(foreign("one", remark="old", whole={"/name/en": "Forecast of rain"}))
    counts = await bring(foreign("one", remark="new", whole={"/name/en": "Forecast of snow"}))
    assert told(counts) == {"unchanged": 1}
    assert await entries_of_records(database) == 1
    async with database.connection() as connection:
        row = await imports.read_source_row(connection, "us.dwx/one")
    assert json.loads(row.content)["remark"] == "new"
    assert json.loads(row.whole) == {"/name/en": "Forecast of snow"}
    assert (row.source_id, row.run) == ("one", 2)


async def test_what_was_withdrawn_here_is_not_brought_back(database, filer, bring, foreign):
    await bring(foreign("one"), foreign("two"))
    await filer.withdraw(
        {"id": "us.dwx/one"}, await filer.tag({"id": "us.dwx/one"}), by=filer.authority
    )
    counts = await bring(foreign("one", name="Renamed"), foreign("two", name="Renamed"))
    assert told(counts) == {"changed": 1, "withdrawn": 1}
    assert (await stored(database, "us.dwx/one")).register.state == "withdrawn"


async def test_what_is_not_in_a_file_stays_unless_the_file_is_complete(database, bring, foreign):
    await bring(foreign("one"), foreign("two"))
    assert told(await bring(foreign("one"))) == {"unchanged": 1}
    assert (await stored(database, "us.dwx/two")).register.source.state == "present"
    counts = await bring(foreign("one"), complete=True, as_of=dt.date(2026, 11, 1))
    assert told(counts) == {"unchanged": 1, "gone": 1}
    two = await stored(database, "us.dwx/two")
    assert (two.register.state, two.register.version) == ("published", 1)
    source = two.register.source
    assert (source.state, source.state_since) == ("gone", dt.date(2026, 11, 1))
    *_, said = await entries(database, "us.dwx/two")
    assert (said["kind"], said["state"], said["day"]) == ("source", "gone", "2026-11-01")
    # As it was known before.
    before = await stored(database, "us.dwx/two", as_of=4)
    assert before.register.source.state == "present"
    assert told(await bring(foreign("one"), complete=True)) == {"unchanged": 1}


async def test_what_is_back_is_back_with_a_version_only_where_it_changed(database, bring, foreign):
    both = [foreign("one"), foreign("two")]
    await bring(*both)
    await bring(foreign("three"), complete=True)
    counts = await bring(foreign("one"), foreign("two", name="Renamed"), foreign("three"))
    assert told(counts) == {"returned": 2, "changed": 1, "unchanged": 2}
    one, two = [await stored(database, f"us.dwx/{name}") for name in ("one", "two")]
    assert (one.register.version, one.register.source.state) == (1, "present")
    assert (two.register.version, two.register.source.state) == (2, "present")
    assert [said["kind"] for said in await entries(database, "us.dwx/one")] == [
        "version",
        "source",
        "source",
    ]
    # It may go again.
    assert told(await bring(foreign("three"), complete=True)) == {"unchanged": 1, "gone": 2}


async def test_a_record_of_another_agency_keeps_its_id_and_says_that_it_moved(
    database, bring, foreign
):
    await bring(foreign("one"), foreign("two"))
    counts = await bring(foreign("one", agency=SKIES), foreign("two", "New", agency=SKIES))
    assert told(counts) == {"moved": 2, "changed": 1}
    async with database.connection() as connection:
        report = json.loads(await imports.read_report(connection, 2))
    moved = [one["moved"] for one in report["records"] if one["outcome"] == "moved"]
    assert moved == [["us.dwx", "us.skies"]] * 2
    one = await stored(database, "us.dwx/one")
    assert (one.agency, one.register.version) == ("us.skies", 2)
    assert one.register.source.moved_from == "us.dwx"
    *_, said = await entries(database, "us.dwx/one")
    assert said["moved"] == {"from": "us.dwx", "to": "us.skies"}
    # Its first version is of the agency that it was of.
    assert (await stored(database, "us.dwx/one", version=1)).agency == "us.dwx"
    assert told(await bring(foreign("one", agency=SKIES))) == {"unchanged": 1}
    # An id there is another record's.
    counts = await bring(foreign("one", agency=SKIES), foreign("one", "Other", agency=WEATHER))
    assert told(counts) == {"unchanged": 1, "added": 1}
    assert json.loads((await stored(database, "us.dwx/one-2")).document)["name"]["en"] == "Other"


async def test_a_change_without_a_moved_date_is_marked(database, bring, foreign):
    await bring(foreign("one", changed_on="2026-01-01"), foreign("two", changed_on="2026-01-01"))
    counts = await bring(
        foreign("one", "New", changed_on="2026-01-01"),
        foreign("two", "New", changed_on="2026-02-01"),
    )
    assert told(counts) == {"changed": 2, "undated": 1}
    async with database.connection() as connection:
        one = (await records.read_versions(connection, "us.dwx/one"))[-1]
        two = (await records.read_versions(connection, "us.dwx/two"))[-1]
    assert (one.undated, one.changed_on) == (True, "2026-01-01")
    assert (two.undated, two.changed_on) == (msgspec.UNSET, "2026-02-01")
    *_, said = await entries(database, "us.dwx/one")
    assert said["undated"] is True


async def test_what_only_the_crosswalk_changed_is_no_change_of_the_source(bring, foreign):
    filing = foreign("one", changed_on="2026-01-01")
    await bring(filing)
    read = msgspec.structs.replace(filing, document=filing.document | {"name": {"en": "Read"}})
    assert told(await bring(read)) == {"changed": 1, "reread": 1}


async def test_another_register_with_the_same_prefix_and_ids_is_refused(database, bring, foreign):
    await bring(foreign("one"))
    other = msgspec.structs.replace(WEATHER, origin="us-older")
    water = msgspec.structs.replace(other, id="us.water", name={"en": "Water"})
    filings = [foreign("one", "Theirs", agency=other), foreign("two", agency=water)]
    assert told(await bring(*filings, origin="us-older")) == {"refused": 1, "added": 1}
    one = await stored(database, "us.dwx/one")
    assert (one.register.origin, one.register.version) == ("us-omb-2025", 1)
    async with database.connection() as connection:
        report = json.loads(await imports.read_report(connection, 2))
        assert (await agencies.read(connection, "us.dwx")).agency.origin == "us-omb-2025"
    assert list(report["refused"]) == [
        'us.dwx belongs to us-omb-2025: give the crosswalk another "agency": {"prefix": …}'
    ]
    assert 'uses the prefix "us"' in report["notes"][0]


async def test_where_an_agency_left_and_another_came_the_report_asks_for_its_new_name(
    context, bring, foreign
):
    await bring(foreign("one"), foreign("two"))
    report = await import_filings(context, [foreign("three", agency=SKIES)], complete=True)
    [note] = report.notes
    assert note.startswith("no row is of us.dwx any more, and new is us.skies: if an agency has")
    back = [foreign("one"), foreign("three", agency=SKIES)]
    assert (await import_filings(context, back, complete=True)).notes == []


async def test_a_crosswalk_that_may_have_kept_the_code_of_another_is_asked(context, foreign):
    first = Origin(code="us-omb-2025", title="Inventory", homepage="https://one.example/")
    other = Origin(code="us-omb-2025", title="Products", homepage="https://two.example/")
    for origin, notes in ((first, 0), (first, 0), (other, 1), (other, 0)):
        report = await import_filings(context, [foreign("one")], origin=origin)
        assert len(report.notes) == notes
        assert all(note.startswith("us-omb-2025 was 'Inventory' until") for note in report.notes)


async def test_a_refused_row_is_not_gone(database, bring, foreign):
    await bring(foreign("one"), foreign("two"))
    row = RefusedRow(place="line 3", reason="no name", source_id="two")
    counts = await bring(foreign("one"), complete=True, refused=[row])
    assert told(counts) == {"unchanged": 1, "refused": 1}
    unread = RefusedRow(place="line 3", reason="no object")
    counts = await bring(foreign("one"), complete=True, refused=[unread])
    assert told(counts) == {"unchanged": 1, "refused": 1}
    async with database.connection() as connection:
        assert "none is marked as gone" in (await imports.read_report(connection, 3))


async def test_a_row_with_a_large_number_is_kept_as_it_is(database, bring, foreign):
    """Ids of 64 bits are in no canonical JSON (RFC 8785); they ended the import."""
    counts = [await bring(foreign("one", Number=2**63 - 1, Étendue=2**70)) for _ in range(2)]
    assert [told(one) for one in counts] == [{"added": 1}, {"unchanged": 1}]
    async with database.connection() as connection:
        kept = await imports.read_source_rows(connection, ["us.dwx/one"])
    assert '"Number":9223372036854775807' in kept["us.dwx/one"].content


async def test_a_row_that_the_database_cannot_take_is_refused_and_the_rest_published(
    database, bring, foreign
):
    """PostgreSQL refuses JSON of 256 MiB; the whole text of a field stands in it twice."""
    text = "x" * (130 << 20)
    large = foreign("two", whole={"/purpose/goal/en": text}, Goal=text)
    counts = await bring(foreign("one"), msgspec.structs.replace(large, place="line 3"))
    assert told(counts) == {"added": 1, "refused": 1}
    async with database.connection() as connection:
        assert "line 3" in await imports.read_report(connection, 1)


async def test_a_file_in_which_most_is_missing_is_refused_unless_that_is_meant(
    database, bring, foreign
):
    filings = [foreign(f"case-{number}") for number in range(120)]
    await bring(*filings)
    with pytest.raises(ImportRefused, match=r"110 of 120 records .* --gone-anyway"):
        await bring(*filings[:10], complete=True)
    assert await entries_of_records(database) == 120
    counts = await bring(*filings[:10], complete=True, gone_anyway=True)
    assert told(counts) == {"unchanged": 10, "gone": 110}


async def test_a_dry_run_counts_the_same_and_publishes_nothing(database, bring, foreign):
    await bring(foreign("one"), foreign("two"), foreign("three"))
    filings = [foreign("one", "New"), foreign("two", agency=SKIES), foreign("four")]
    dry = told(await bring(*filings, complete=True, dry_run=True))
    assert dry == {"changed": 1, "moved": 1, "added": 1, "gone": 1}
    assert await entries_of_records(database) == 3
    async with database.connection() as connection:
        assert len(await imports.read_runs(connection, limit=10)) == 1
    assert told(await bring(*filings, complete=True)) == dry


async def test_a_run_says_what_it_did(database, bring, foreign):
    await bring(foreign("one"))
    await bring(foreign("one", "New"), as_of=dt.date(2026, 11, 1))
    async with database.connection() as connection:
        last, first = await imports.read_runs(connection, "us-omb-2025", limit=10)
        report = json.loads(await imports.read_report(connection, last.id))
        origins = await imports.read_origins(connection)
    assert (first.counts.added, last.counts.changed) == (1, 1)
    assert (last.as_of, last.begun_at, last.ended_at) == (dt.date(2026, 11, 1), NOW, NOW)
    assert report["records"] == [
        {"record": "us.dwx/one", "outcome": "changed", "source_id": "one", "fields": ["/name/en"]}
    ]
    assert list(origins) == ["us-omb-2025"]
    assert [said["run"] for said in await entries(database, "us.dwx/one")] == [1, 2]


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
    assert told(await bring(foreign("one", agency=renamed))) == {"unchanged": 1}
    async with database.connection() as connection:
        assert (await agencies.read(connection, "us.dwx")).agency == renamed


async def test_an_agency_with_another_id_and_the_same_name_keeps_the_one_it_has(
    database, bring, foreign
):
    await bring(foreign("one"))
    shorter = msgspec.structs.replace(WEATHER, id="us.weather")
    counts = await bring(foreign("one", agency=shorter), foreign("two", agency=shorter))
    assert told(counts) == {"unchanged": 1, "added": 1}
    assert (await stored(database, "us.dwx/two")).agency == "us.dwx"


async def test_a_failure_half_way_keeps_whole_batches_and_the_next_import_goes_on(
    database, bring, foreign
):
    filings = [foreign(f"case-{number}") for number in range(300)]
    broken = copy.copy(filings)
    broken[290] = msgspec.structs.replace(filings[290], document=filings[290].document | {"x": {1}})
    with pytest.raises((TypeError, ValueError)):
        await bring(*broken)
    assert await entries_of_records(database) == 250
    assert told(await bring(*filings)) == {"added": 50, "unchanged": 250}
    async with database.connection() as connection:
        _, stopped = await imports.read_runs(connection, limit=10)
        report = json.loads(await imports.read_report(connection, stopped.id))
    assert (stopped.ended_at, stopped.counts.added) == (None, 250)
    assert (report["counts"]["added"], len(report["records"])) == (250, 250)


async def test_two_imports_at_once_publish_nothing_twice(database, bring, foreign):
    filings = [foreign(f"case-{number}") for number in range(300)]
    both = await asyncio.gather(bring(*filings), bring(*filings))
    assert await entries_of_records(database) == 300
    assert sorted(one.added for one in both) == [0, 300]


async def test_progress_is_told_by_batch(context, foreign):
    told = []
    filings = [foreign(f"case-{number}") for number in range(251)]
    await import_filings(context, filings, progress=lambda *at: told.append(at))
    assert told == [(250, 251), (251, 251)]
