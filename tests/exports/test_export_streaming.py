"""Exports are written as they are read: a part at a time, without holding a connection."""

import copy
import datetime as dt
import json
import secrets

import pytest

from registry.exports import export
from registry.exports.export import prepare, write
from registry.imports.crosswalk import TEMPLATES, load_crosswalk
from registry.ledger import append
from registry.search.engine import SearchIndex
from registry.search.query import SearchQuery
from registry.store import exports
from registry.store.as_of import read_as_of
from registry.store.database import connect
from tests.conftest import make_record
from tests.published import given_times

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
MANY = 2 * export._BATCH + 100


@pytest.fixture(scope="module")
def many_url(copied):
    with copied() as url:
        yield url


@pytest.fixture(scope="module")
async def many(many_url, publication):
    """A register of more records than two readings give, for tests that only read."""
    small = {key: make_record()[key] for key in ("schema_version", "name", "risk")}
    documents = [{"id": f"demo-sante/r-{MANY - number:04}", **small} for number in range(MANY)]
    database = await connect(many_url)
    async with database.transaction() as connection:
        await append.publish(
            connection,
            [publication(one) for one in documents],
            guard=given_times(),
            now=NOW,
            random=secrets.token_bytes,
        )
    yield database
    await database.close()


@pytest.fixture
def prepared(pack, tmp_path):
    async def make(database, form, **question):
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
async def test_what_is_not_taken_is_not_read(many, prepared, reads, form):
    parts = write(many, await prepared(many, form))
    for _ in range(2):
        await anext(parts)
    assert sum(reads) <= 2 * export._BATCH
    # Whoever reads slowly keeps nobody waiting.
    assert many._pool.get_size() == many._pool.get_idle_size()
    await parts.aclose()


async def test_all_come_once_in_the_order_of_ids(many, prepared, reads):
    made = await prepared(many, "jsonl")
    parts = [part async for part in write(many, made)]
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
    parts = write(database, await prepared(database, "jsonl"))
    lines = [await anext(parts)]
    second["website"] = "https://demo.example/2"
    await publish(second)
    lines += [part async for part in parts]
    told = [json.loads(line) for line in lines]
    assert [one["record"]["id"] for one in told] == ["demo-sante/a", "demo-sante/b"]
    assert told[1]["register"]["version"] == 1
    assert told[1]["register"]["superseded_at"] is None
    assert told[1]["record"].get("website") != "https://demo.example/2"


async def test_another_register_reads_the_lines_as_they_are(many, prepared, convert, tmp_path):
    template = json.loads((TEMPLATES / "register-jsonl.json").read_bytes())
    words = dict.fromkeys(["title", "publisher", "licence"], "Other")
    own = {"origin": "other", "homepage": "https://other.example/", "country": "XX"}
    crosswalk = tmp_path / "other.json"
    crosswalk.write_text(
        json.dumps(template | words | own | {"language": "fr", "agency": {"prefix": "xx"}}),
        encoding="utf-8",
    )
    raw = b"".join([part async for part in write(many, await prepared(many, "jsonl"))])

    outcomes, report = convert(load_crosswalk(crosswalk), raw)

    records = [json.loads(line)["record"] for line in raw.splitlines()]
    assert report.unknown_columns == []
    assert [one.document for one in outcomes] == [
        one | {"id": f"xx.{one['id']}"} for one in records
    ]
