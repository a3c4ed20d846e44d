"""Exports are written as they are read: a part at a time, without holding a connection."""

import copy
import datetime as dt
import json

import pytest

from registry.exchange import export
from registry.exchange.crosswalk import TEMPLATES, load_crosswalk
from registry.exchange.export import prepare, write
from registry.search.engine import SearchIndex
from registry.search.query import SearchQuery
from registry.store import exports
from registry.store.as_of import read_as_of

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
MANY = 1_000


@pytest.fixture
async def many(publish, record):
    small = {key: record[key] for key in ("schema_version", "name", "risk")}
    for start in range(0, MANY, 250):
        await publish(
            *({"id": f"demo-sante/r-{MANY - number:04}", **copy.deepcopy(small)}
              for number in range(start, start + 250))
        )  # fmt: skip


@pytest.fixture
def prepared(database, pack, tmp_path):
    async def make(form, **question):
        async with database.connection() as connection:
            moment = await read_as_of(connection, None, now=NOW)
        return await prepare(
            database,
            SearchIndex(database.connection, tmp_path / "search"),
            SearchQuery(**question),
            moment,
            form=form,
            query=[],
            pack=pack,
            site="https://register.example/",
        )

    return make


@pytest.fixture
def reads(monkeypatch):
    """How many versions each reading gave."""
    sizes = []
    original = exports.read

    async def counted(connection, entries, *, as_of):
        found = await original(connection, entries, as_of=as_of)
        sizes.append(len(found))
        return found

    monkeypatch.setattr(export.exports, "read", counted)
    return sizes


@pytest.mark.parametrize("form", ["csv", "jsonl", "jsonld"])
async def test_what_is_not_taken_is_not_read(many, prepared, database, reads, form):
    parts = write(database, await prepared(form))
    for _ in range(2):
        await anext(parts)
    assert sum(reads) <= 2 * export._BATCH
    # Whoever reads slowly keeps nobody waiting.
    assert database._pool.get_size() == database._pool.get_idle_size()
    await parts.aclose()


async def test_all_come_once_in_the_order_of_ids(many, prepared, database, reads):
    made = await prepared("jsonl")
    parts = [part async for part in write(database, made)]
    ids = [json.loads(line)["record"]["id"] for part in parts for line in part.splitlines()]
    assert ids == [f"demo-sante/r-{number:04}" for number in range(1, MANY + 1)]
    assert sum(reads) == MANY
    assert max(reads) == export._BATCH
    # What waits between two parts is entries alone.
    assert made.selection.entries.itemsize == 8


async def test_an_export_is_of_one_state_whatever_is_published_meanwhile(
    publish, record, prepared, database, monkeypatch
):
    monkeypatch.setattr(export, "_BATCH", 1)
    first, second = copy.deepcopy(record), copy.deepcopy(record)
    first["id"], second["id"] = "demo-sante/a", "demo-sante/b"
    await publish(first, second)
    parts = write(database, await prepared("jsonl"))
    lines = [await anext(parts)]
    second["website"] = "https://demo.example/2"
    await publish(second)
    lines += [part async for part in parts]
    told = [json.loads(line) for line in lines]
    assert [one["record"]["id"] for one in told] == ["demo-sante/a", "demo-sante/b"]
    assert told[1]["register"]["version"] == 1
    assert told[1]["register"]["superseded_at"] is None
    assert told[1]["record"].get("website") != "https://demo.example/2"


@pytest.mark.usefixtures("many")
async def test_another_register_reads_the_lines_as_they_are(database, prepared, convert, tmp_path):
    template = json.loads((TEMPLATES / "register-jsonl.json").read_bytes())
    words = dict.fromkeys(["title", "publisher", "licence"], "Other")
    own = {"origin": "other", "homepage": "https://other.example/", "country": "XX"}
    crosswalk = tmp_path / "other.json"
    crosswalk.write_text(
        json.dumps(template | words | own | {"language": "fr", "agency": {"prefix": "xx"}}),
        encoding="utf-8",
    )
    raw = b"".join([part async for part in write(database, await prepared("jsonl"))])

    outcomes, report = convert(load_crosswalk(crosswalk), raw)

    records = [json.loads(line)["record"] for line in raw.splitlines()]
    assert report.unknown_columns == []
    assert [one.document for one in outcomes] == [
        one | {"id": f"xx.{one['id']}"} for one in records
    ]
