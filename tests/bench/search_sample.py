"""A sample of the corpus, published by the office and by the bench: every row is the same."""

import asyncio
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from pyroaring import BitMap

from registry.ledger.append import publish
from registry.search.fold import fold
from registry.settings import Settings
from registry.store import embedded
from registry.store.database import connect
from tests.bench.search_corpus import BATCH, NOW, models, opened, publications, written

SAMPLE = 2_000
SETS = {
    "posting": ("name", "summary", "anywhere"),
    "facet": ("bits",),
}
TABLES = {
    "search_version": "*",
    "posting": "*",
    "facet": "*",
    "lexeme": "*",
    "search_state": "folded, analysis",
    "log_entry": "*",
    "log_state": "*",
    "record": "*",
    "version": "*",
    "section": "*",
    "figure": "*",
}


def compare() -> str:
    """Publish the sample in both ways; raises where a row differs."""
    made = models(SAMPLE)
    whose = list({one.agency.id: one.agency for one in made}.values())
    filings = partial(publications, made, random=bytes)
    rows: list[dict[str, list[Any]]] = []
    key = b""
    for by_office in (True, False):
        with tempfile.TemporaryDirectory(prefix="rb", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            folder.chmod(0o755)
            if key:
                # The first entry names it.
                Settings(data_dir=folder).key_file.parent.mkdir()
                Settings(data_dir=folder).key_file.write_bytes(key)
                Settings(data_dir=folder).key_file.chmod(0o600)
            server = embedded.start(folder)
            try:
                if by_office:
                    asyncio.run(_published(server.url, folder, filings, whose))
                else:
                    written(server.url, folder, filings, SAMPLE, whose=whose)
                key = Settings(data_dir=folder).key_file.read_bytes()
                rows.append(asyncio.run(_rows(server.url)))
            finally:
                server.release()
    different = [table for table in TABLES if rows[0][table] != rows[1][table]]
    if different:
        raise RuntimeError(f"what the bench writes differs in {', '.join(different)}")
    count = sum(map(len, rows[0].values()))
    return f"Search: {SAMPLE:,} records published as usual give the same {count:,} rows"


async def _published(url: str, folder: Path, filings, whose) -> None:
    await opened(url, folder, whose)
    database = await connect(url)
    for start in range(1, SAMPLE + 1, BATCH):
        batch = list(filings(range(start, min(start + BATCH, SAMPLE + 1))))
        async with database.transaction() as connection:
            await publish(connection, batch, now=NOW, random=bytes)
    await fold(database, least=1)
    await database.close()


async def _rows(url: str) -> dict[str, list[Any]]:
    database = await connect(url)
    rows = {}
    async with database.connection() as connection:
        for table, columns in TABLES.items():
            found = [
                dict(row)
                for row in await connection.fetch(f"select {columns} from {table}")  # noqa: S608  our own
            ]
            for row in found:
                # A set may be written in more than one way.
                for name in SETS.get(table, ()):
                    row[name] = None if row[name] is None else list(BitMap.deserialize(row[name]))
            rows[table] = sorted(found, key=str)
    await database.close()
    return rows
