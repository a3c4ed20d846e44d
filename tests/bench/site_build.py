"""A full build of the site beside one in which nothing changed."""

import asyncio
import datetime as dt
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

from registry.office.filing import Office
from registry.office.opening import open_register
from registry.office.submitting import publish_local
from registry.pages.build import build
from registry.pages.from_register import read_corpus
from registry.record.pack import load_pack
from registry.settings import Settings
from registry.store import embedded
from registry.store.database import connect
from tests.bench.documents import local_documents
from tests.bench.measure import Comparison, Timing, timed

RECORDS = 500


def run() -> Iterator[Comparison]:
    with tempfile.TemporaryDirectory(prefix="rb", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        settings = Settings(data_dir=folder)
        server = embedded.start(folder)
        try:
            corpus = asyncio.run(_corpus(server.url, settings))
        finally:
            server.release()
        full, unchanged = Timing(), Timing()
        report = build(corpus, out=settings.site_dir, settings=settings, full=True)
        for _ in range(3):
            timed(
                full,
                lambda: build(corpus, out=settings.site_dir, settings=settings, full=True),
                report.files,
            )
            timed(
                unchanged,
                lambda: build(corpus, out=settings.site_dir, settings=settings),
                report.files,
            )
    yield Comparison(
        name=f"the site rebuilt with nothing changed, {report.files:,} files",
        unit="files",
        beside_name="a full build",
        ours=unchanged,
        beside=full,
    )


async def _corpus(url: str, settings: Settings) -> object:
    pack = load_pack("ma")
    database = await connect(url)
    now = dt.datetime.now(dt.UTC)
    await open_register(database, pack, settings, now=now)
    office = Office(database=database, pack=pack, random=secrets.token_bytes)
    async with database.transaction() as connection:
        for document in local_documents(RECORDS):
            agency = pack.agencies[str(document["id"]).split("/")[0]]
            await publish_local(
                connection, office, document, agency=agency, actor=agency.id, now=now
            )
    corpus = await read_corpus(database, pack, as_of=now)
    await database.close()
    return corpus
