"""Registers of any size to search in: real uses, multiplied with variation, and nothing but search.

Each record has the name, the summary and the text of one real use and the text of another, filled
up to about 11 KB, and now and then French and Arabic text. The American inventory is used where it
lies beside the project, otherwise the demonstration corpus.
"""

import datetime as dt
import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import msgspec

from registry.exchange.convert import convert_file
from registry.exchange.crosswalk import load_crosswalk
from registry.exchange.outcome import ForeignRecord
from registry.exchange.report import Report
from registry.office.listing import Standing, index_row
from registry.office.opening import open_register
from registry.record.pack import Agency, load_pack
from registry.settings import Settings
from registry.store import agencies
from registry.store.database import Database, connect
from registry.store.index.fold import fold
from registry.store.index.rows import IndexRow, write
from tests.bench.documents import local_documents

SHARED = Path(__file__).parents[3] / "shared" / "data"
US = SHARED / "us-omb-2025" / "2025_individually_reported_AI_use_cases.csv"
WORDS = 1_700
BATCH = 2_000
TODAY = dt.date(2026, 11, 24)
NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)

TEXTS = (
    "data",
    "machine learning",
    "fraud",
    "hydrologic",
    "veterans benefits",
    "image classification",
    "chatbot",
    "natural language processing",
    "cybersecurity threats",
    "passport",
    "weather forecast",
    "fraude fiscale",
    "hôpital",
    "المعطيات",
    "predictive maintenance",
    "drug -adverse",
)
FILTERS: tuple[dict[str, list[str]], ...] = (
    {},
    {"risk": ["high"]},
    {"status": ["in_use"], "sector": ["health"]},
    {"risk": ["minimal", "limited"], "personal_data": ["yes"]},
    {"agency": ["us.va", "us.doi", "demo-sante"]},
)
FACETS = ("risk", "sector", "status", "agency")


def real_uses() -> list[tuple[IndexRow, Agency]]:
    """What search keeps of the real uses, or of the demonstration records, and whose they are."""
    pack = load_pack("ma")
    if US.exists():
        crosswalk = load_crosswalk("us-omb-2025")
        outcomes = convert_file(
            crosswalk, US, pack=pack, today=TODAY, report=Report(origin=crosswalk.origin)
        )
        found = [(one.document, one.agency) for one in outcomes if isinstance(one, ForeignRecord)]
    else:
        found = _local()
    return [(_row(document, agency), agency) for document, agency in found]


def _local() -> list[tuple[dict[str, object], Agency]]:
    pack = load_pack("ma")
    return [
        (document, pack.agencies[str(document["id"]).split("/")[0]])
        for document in local_documents(300)
    ]


def _row(document: dict[str, object], agency: Agency) -> IndexRow:
    standing = Standing(
        version=1,
        entry=0,
        published_at=NOW,
        completeness=50,
        missing=(),
        findings=(),
        risk_changes=(),
    )
    return index_row(document, agency, standing)


def varied(rows: Sequence[IndexRow], count: int) -> Iterator[IndexRow]:
    """Make records out of real ones: one's name, several ones' text, other numbers."""
    chance = random.Random(count)
    other = [_row(document, agency).words for document, agency in _local()]
    for number in range(1, count + 1):
        row = rows[number % len(rows)]
        words = {language: list(texts) for language, texts in row.words.items()}
        also = chance.choice(rows)
        size = sum(len(texts[2].split()) for one in (row, also) for texts in one.words.values())
        times = WORDS // max(size, 1) + 1
        for one in (row, also):
            for language, texts in one.words.items():
                known = words.setdefault(language, ["", "", ""])
                known[2] = "\n".join([known[2], *[texts[2]] * times])
        if number % 10 == 0:
            for language, texts in chance.choice(other).items():
                known = words.setdefault(language, ["", "", ""])
                known[2] = f"{known[2]}\n{texts[2]}"
        identifier = f"bench/record-{number}"
        yield msgspec.structs.replace(
            row,
            ord=number,
            name_key=f"{row.name_key} {number}",
            codes={
                **row.codes,
                "completeness": [str(chance.randrange(30, 100))],
                "language": sorted(words),
            },
            card=row.card.replace('"id":"', f'"id":"{identifier}-', 1),
            words={language: tuple(texts) for language, texts in words.items()},
        )


def index_rows(documents: Iterable[tuple[dict[str, object], Agency]]) -> Iterator[IndexRow]:
    """Make rows of documents, as if they were the first entries of a log."""
    for ordinal, (document, agency) in enumerate(documents, start=1):
        yield msgspec.structs.replace(_row(document, agency), ord=ordinal)


async def fill(url: str, folder: Path, count: int) -> Database:
    """Make a register that can only be searched, of so many records."""
    uses = real_uses()
    database = await written(url, folder, varied([row for row, _ in uses], count))
    async with database.connection() as connection:
        await agencies.save(connection, list({one.id: one for _, one in uses}.values()))
    return database


async def written(url: str, folder: Path, rows: Iterable[IndexRow]) -> Database:
    """Write the rows of a register that can only be searched, and fold them."""
    database = await connect(url)
    await open_register(database, load_pack("ma"), Settings(data_dir=folder), now=NOW)
    async with database.connection() as connection:
        # There are no versions behind these rows.
        await connection.execute(
            "alter table search_version drop constraint search_version_ord_fkey"
        )
    batches = iter(rows)
    while batch := list(islice(batches, BATCH)):
        size = batch[-1].ord + 1
        async with database.transaction() as connection:
            await write(connection, batch)
            await connection.execute(
                "update log_state set size = $1, peaks = $2", size, bytes(32) * size.bit_count()
            )
        await fold(database, patience=4)
    await fold(database, least=1)
    async with database.connection() as connection:
        await connection.execute("vacuum analyze", timeout=3600)
    return database
