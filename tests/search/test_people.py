"""Questions as citizens type them, and what has to be among the first three answers."""

import asyncio
import csv
import json
import secrets

import asyncpg
import pytest

from registry.exchange.convert import convert_file
from registry.exchange.crosswalk import load_crosswalk
from registry.exchange.outcome import ForeignRecord
from registry.exchange.report import ImportReport
from registry.record.fast_validator import FastValidator
from registry.search.engine import open_index
from registry.search.query import SearchQuery
from registry.services.context import ServiceContext
from registry.services.importing import ForeignFiling, import_foreign
from registry.services.loading import load
from registry.store.database import connect
from registry.text.tokens import words
from tests.conftest import TEMPLATE
from tests.search.test_oracle import FOREIGN, NOW, ROOT

FIRST = 3


def questions():
    path = ROOT / "tests" / "data" / "search" / "people.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def people_url(server):
    name = f"people_{secrets.token_hex(4)}"
    asyncio.run(run(server.url, f"create database {name} template {TEMPLATE}"))
    head, tail = server.url.split("/registry", 1)
    yield f"{head}/{name}{tail}"
    asyncio.run(run(server.url, f"drop database {name} with (force)"))


async def run(url, statement):
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
async def index(people_url, pack, tmp_path_factory):
    """A register with the demonstration corpus and, where they are, many foreign records."""
    database = await connect(people_url)
    context = ServiceContext(database=database, pack=pack, random=secrets.token_bytes)
    await load(context, ROOT / "records", now=lambda: NOW)
    for name, path in FOREIGN.items():
        if path.exists():
            crosswalk, report = load_crosswalk(name), ImportReport(origin=name)
            outcomes = convert_file(
                crosswalk, path, pack=pack, today=NOW.date(), report=report, fast=FastValidator()
            )
            filings = [
                ForeignFiling(
                    document=one.document,
                    agency=one.agency,
                    verdict=one.verdict,
                    source_row=one.source_row,
                    truncated=tuple(one.whole),
                )
                for number, one in enumerate(outcomes)
                if isinstance(one, ForeignRecord) and number % 4 == 0
            ]
            await import_foreign(context, filings, now=lambda: NOW)
    yield open_index(database.connection, tmp_path_factory.mktemp("people"), pack)
    await database.close()


async def first(index, row):
    """Return what the finder shows first: agencies and sectors, records filed here, or others."""
    asked = SearchQuery(
        text=row["question"],
        reader=row["lang"],
        sort="relevance",
        limit=FIRST,
        filters={"origin": ["local"]},
    )
    answer = await index.answer(asked)
    found = [("record", json.loads(hit.card)["id"]) for hit in answer.hits]
    return answer, [(one.kind, one.code) for one in answer.named], found


async def test_what_citizens_ask_is_found(index):
    missed = []
    asked = [row for row in questions() if row["kind"] != "never"]
    for row in asked:
        answer, named, records = await first(index, row)
        wanted = {(row["kind"], one) for one in row["expected"].split("|")}
        if not wanted & {*named[:FIRST], *records}:
            told = [code for _, code in [*named, *records]]
            missed.append((row["question"], row["lang"], row["expected"], answer.mended, told))
    assert len(asked) >= 120
    assert not missed, "\n".join(map(str, missed))


async def test_a_local_match_stands_before_every_foreign_one(index):
    for row in questions():
        asked = SearchQuery(text=row["question"], reader=row["lang"], sort="relevance", limit=100)
        local = (await index.answer(asked)).hits
        origins = [json.loads(hit.card)["origin"] is None for hit in local]
        _, _, records = await first(index, row)
        if records:
            assert origins[0] or not any(origins), row


async def test_no_question_is_mended_into_another_meaning(index):
    for row in questions():
        if row["kind"] == "never":
            for origin in ({}, {"origin": ["local"]}):
                asked = SearchQuery(text=row["question"], reader=row["lang"], filters=origin)
                answer = await index.answer(asked)
                told = {*words(answer.mended or ""), *words(answer.suggestion or "")}
                assert not told & {*words(row["expected"])} - {*words(row["question"])}, row
