"""Records get short codes with their first version, and keep them."""

import itertools
import json

import msgspec
import pytest

from registry.errors import Conflict
from registry.ledger.verify_database import check_all
from registry.record.short_code import candidates
from registry.services.filing.drafts import Precondition
from registry.services.filing.loading import load
from registry.store import codes, log
from tests.conftest import NOW, amended
from tests.services.conftest import Filer


@pytest.fixture
def database(logged):
    return logged


@pytest.fixture
def filer(context):
    return Filer(context)


def nth(record, number):
    return next(itertools.islice(candidates(record), number, None))


async def amends(filer, record):
    return Precondition(tag=await filer.tag(record))


async def entries(database):
    async with database.connection() as connection:
        found = await log.read_entries(connection, since=-1, until=10**9, limit=1000)
    return [msgspec.json.decode(one.content) for one in found]


async def verify(database, pack):
    async with database.snapshot() as connection:
        return await check_all(connection, {}, lambda *_: None)


async def test_a_new_record_gets_its_code_and_keeps_it(database, filer, pack, record):
    code = nth(record["id"], 0)
    receipt = await filer.publish(record)
    assert receipt.code == code
    changed = await filer.publish(amended(record, system_version="9"), await amends(filer, record))
    assert (changed.version, changed.code) == (2, code)
    await filer.withdraw(record, await filer.tag(record))
    said = [one.get("code") for one in await entries(database) if one["kind"] != "genesis"]
    assert said == [code, None, None]
    again = await filer.publish(amended(record, system_version="10"))
    assert (again.version, again.code) == (3, code)
    async with database.connection() as connection:
        assert (await codes.read(connection, code)).id == record["id"]
    await verify(database, pack)


async def test_where_a_code_is_taken_the_next_one_is_given(
    database, filer, pack, record, monkeypatch
):
    other = amended(
        record, id="demo-sante/autre", source_id="A-2", name={"fr": "Autre", "ar": "آخر"}
    )
    monkeypatch.setattr("registry.store.codes.candidates", lambda _: candidates("the/same"))
    assert (await filer.publish(record)).code == nth("the/same", 0)
    assert (await filer.publish(other)).code == nth("the/same", 1)
    await verify(database, pack)


async def test_a_continued_log_takes_codes_over(database, context, tmp_path, record):
    printed = nth("another/record", 3)
    folder = tmp_path / record["id"].split("/")[0]
    folder.mkdir()
    (folder / "prevision-lits.json").write_text(json.dumps(record), "utf-8")
    (folder / "autre.json").write_text(
        json.dumps(
            amended(
                record, id="demo-sante/autre", source_id="A-2", name={"fr": "Autre", "ar": "آخر"}
            )
        ),
        "utf-8",
    )
    table = tmp_path / "codes.csv"
    table.write_text(f"id,code\n{record['id']},{printed}\n", "utf-8")
    loaded = await load(context, tmp_path, now=lambda: NOW)
    assert [one.receipts[0].code for one in loaded] == [nth("demo-sante/autre", 0), printed]
    # One that another record has by now is not given away.
    table.write_text(f"id,code\ndemo-sante/troisieme,{printed}\n", "utf-8")
    third = amended(
        record, id="demo-sante/troisieme", source_id="A-3", name={"fr": "Tiers", "ar": "ثالث"}
    )
    (folder / "troisieme.json").write_text(json.dumps(third), "utf-8")
    refused = (await load(context, tmp_path, now=lambda: NOW))[-1].refused
    assert isinstance(refused, Conflict)
    assert printed in refused.detail
