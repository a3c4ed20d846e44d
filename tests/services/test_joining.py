"""Joining records that older imports made twice of one system."""

import datetime as dt
import json

import msgspec

from registry.record.pack import Agency
from registry.record.validate import validate
from registry.services import redaction
from registry.services.access import Actor
from registry.services.import_matching import ForeignFiling
from registry.services.joining import find_doubled, join
from registry.store import imports, records
from registry.worker.runner import publish
from tests.imported import import_filings

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
OLD = Agency(id="nl.old", name={"nl": "Oud"}, kind="foreign", origin="nl-register")
NEW = msgspec.structs.replace(OLD, id="nl.new", name={"nl": "Nieuw"})


def filing(pack, slug, agency, name, source_id="", **members):
    document = {
        "id": f"{agency.id}/{slug}",
        "schema_version": "1.0",
        "name": {"nl": name},
        "languages": {"source": "nl"},
        **members,
    }
    if source_id:
        document["source_id"] = source_id
    verdict = validate(document, profile="foreign", pack=pack, today=NOW.date())
    # As before records were recognised: each by its own id here.
    return ForeignFiling(
        document=document, agency=agency, verdict=verdict, source_row={}, of=(document["id"],)
    )


async def doubled(database):
    async with database.snapshot() as connection:
        return await find_doubled(connection, "nl-register")


async def stand_twice(database, context, pack, **members):
    """Import a system under two agencies, as releases did that knew it by its agency."""
    old = filing(pack, "7", OLD, "Zeef", "7", **members)
    other = filing(pack, "8", OLD, "Anders", "8")
    new = filing(pack, "7", NEW, "Zeef", "7", **members)
    await import_filings(context, [old, other], now=lambda: NOW)
    # An import of today would have recognised it: its id at the source is put there later.
    async with database.connection() as connection:
        await connection.execute("update foreign_record set source_id = '', run = null")
    await import_filings(context, [new, other], now=lambda: NOW)
    async with database.connection() as connection:
        await connection.execute(
            "update foreign_record set source_id = regexp_replace(record, '.*/', '')"
        )
    [found] = await doubled(database)
    return found, new


async def test_the_older_record_goes_on_and_the_newer_one_is_withdrawn(database, context, pack):
    found, new = await stand_twice(database, context, pack)
    assert (found.kept, found.dropped, found.name) == ("nl.old/7", "nl.new/7", "Zeef")

    await join(context, found, now=NOW)
    async with database.connection() as connection:
        kept = await records.read(connection, "nl.old/7")
        dropped = await records.read(connection, "nl.new/7")
        withdrawn = await connection.fetchrow("select * from withdrawal")
    assert (kept.agency, kept.register.version, kept.register.state) == ("nl.new", 2, "published")
    assert kept.register.source.moved_from == "nl.old"
    assert json.loads(kept.document)["source_id"] == "7"
    assert (dropped.register.state, withdrawn["reason"]) == ("withdrawn", "merged_into")
    assert await doubled(database) == []

    again = msgspec.structs.replace(new, source_id="7")
    report = await import_filings(context, [again], now=lambda: NOW)
    assert (report.counts.unchanged, report.counts.added) == (1, 0)


async def test_what_was_erased_of_the_older_record_stays_out(logged, context, pack, settings):
    context = msgspec.structs.replace(context, database=logged)
    contact = {"email": "office@demo.example", "phone": "+212537999777"}
    found, _ = await stand_twice(logged, context, pack, contact=contact)
    statement = {
        "record": found.kept,
        "pointers": ["/contact/phone"],
        "basis": "data_protection",
        "authority": "CNDP",
    }
    one, other = (
        Actor(name=name, agency=None, scopes=frozenset({"redact"}), token=None)
        for name in ("one", "another")
    )
    asked = await redaction.request(context, one, statement, now=NOW)
    await redaction.confirm(context, other, asked.redaction, now=NOW)
    await publish(settings, context)
    await join(context, found, now=NOW)
    async with logged.connection() as connection:
        kept = await records.read(connection, found.kept)
        row = await imports.read_source_row(connection, found.kept)
    assert kept.register.version == 2
    assert json.loads(kept.document)["contact"] == {"email": "office@demo.example"}
    assert row is None


async def test_records_that_the_source_has_both_are_not_joined(database, context, pack):
    both = [filing(pack, "a", OLD, "Zeef"), filing(pack, "b", OLD, "Zeef")]
    await import_filings(context, both, now=lambda: NOW)
    assert await doubled(database) == []


async def test_systems_of_agencies_that_share_ids_are_not_joined_but_by_their_name(
    database, context, pack
):
    """Of two agencies with a system 7 each, one left out its own: it is not the other's."""
    parks = [filing(pack, "7", OLD, "Zeef", "7"), filing(pack, "8", OLD, "Rooster", "8")]
    roads = [filing(pack, "7", NEW, "Anders", "7"), filing(pack, "8", NEW, "Ander", "8")]
    await import_filings(context, [*parks, *roads], now=lambda: NOW)
    async with database.connection() as connection:
        await connection.execute(
            "update foreign_record set source_id = regexp_replace(record, '.*/', ''), run = null"
        )
    known = [
        msgspec.structs.replace(one, source_id=one.document["source_id"], of=())
        for one in (*roads, parks[1])
    ]
    report = await import_filings(context, known, now=lambda: NOW)
    assert (report.counts.unchanged, report.counts.added) == (3, 0)
    assert await doubled(database) == []


async def test_what_left_its_source_after_an_import_by_this_release_is_not_joined(
    database, context, pack
):
    both = [filing(pack, "a", OLD, "Zeef"), filing(pack, "b", OLD, "Zeef")]
    await import_filings(context, both, now=lambda: NOW)
    await import_filings(context, both[1:], now=lambda: NOW, complete=True)
    assert await doubled(database) == []
