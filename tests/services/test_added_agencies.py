"""Agencies that were added to a register: kept in its database, whatever becomes of the package."""

import datetime as dt

import msgspec
import pytest

from registry.errors import ConfigurationError
from registry.ledger.verify_database import check_database
from registry.log.replay import LogInconsistent
from registry.services.operations.startup import open_register
from registry.services.people.agencies import add_agency, complete_pack
from registry.store import audit_trail

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
ROW = {"id": "eau", "name_fr": "Agence de l’eau", "kind": "other", "fictitious": "no"}


async def test_an_agency_that_was_added_is_there_after_the_pack_was_replaced(
    context, settings, filer, record
):
    pack, database = context.pack, context.database
    added = await add_agency(context, settings, ROW, now=NOW)
    assert (added.name, added.kind) == ({"fr": "Agence de l’eau"}, "other")
    # What an update of the package brings knows nothing of it.
    assert "eau" not in pack.agencies
    await open_register(database, pack, settings, now=NOW)
    complete = await complete_pack(database, pack)
    assert complete.agencies["eau"] == added
    assert list(complete.agencies) != list(pack.agencies)
    filer.context = msgspec.structs.replace(context, pack=complete)
    water = msgspec.structs.replace(filer.health, name="eau", agency="eau")
    document = record | {"id": "eau/prevision"}
    await filer.save(document, by=water)
    assert (await filer.submit(document, by=water)).version == 1
    async with database.connection() as connection:
        acts = await audit_trail.read(connection, since=0, subject="eau", limit=10)
    assert [(act.actor, act.action) for act in acts] == [("operator", "add_agency")]


async def test_of_two_with_one_code_that_of_the_pack_counts(context, settings):
    await add_agency(context, settings, ROW, now=NOW)
    newer = msgspec.structs.replace(
        context.pack.agencies["demo-sante"], id="eau", name={"fr": "L’eau du pays"}
    )
    pack = msgspec.structs.replace(context.pack, agencies={**context.pack.agencies, "eau": newer})
    await open_register(context.database, pack, settings, now=NOW)
    assert (await complete_pack(context.database, pack)).agencies["eau"] == newer


async def test_what_would_not_fit_is_not_written(context, settings):
    await add_agency(context, settings, ROW, now=NOW)
    for row in (ROW, ROW | {"id": "a", "kind": "club"}, ROW | {"id": "a", "parent": "nobody"}):
        with pytest.raises(ConfigurationError):
            await add_agency(context, settings, row, now=NOW)
    known = await complete_pack(context.database, context.pack)
    assert len(known.agencies) == len(context.pack.agencies) + 1


async def test_a_row_that_cannot_be_read_stops_no_start_and_is_named_by_the_check(
    context, settings
):
    await add_agency(context, settings, ROW, now=NOW)
    async with context.database.connection() as connection:
        await connection.execute("update agency set document = '{' where id = 'eau'")
    assert "eau" not in (await complete_pack(context.database, context.pack)).agencies
    with pytest.raises(LogInconsistent, match="table agency, eau: document is "):
        await check_database(context.database, settings, progress=lambda *_: None)
