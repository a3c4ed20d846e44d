"""A full build of the site beside those in which nothing changed, and one record did."""

import asyncio
import datetime as dt
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from registry.office.bulk import GROUP
from registry.office.filing import Office
from registry.office.opening import open_register
from registry.pages.build import build
from registry.pages.corpus import Corpus
from registry.pages.from_register import read_corpus
from registry.record.pack import load_pack
from registry.settings import Settings
from registry.store import embedded
from registry.store.database import connect
from tests.bench.documents import local_documents
from tests.bench.measure import Comparison, Timing, timed
from tests.published import publish_together

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
        full, unchanged, one = Timing(), Timing(), Timing()
        changed = _with_one_changed(corpus)
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
            timed(
                one,
                lambda: build(changed, out=settings.site_dir, settings=settings),
                report.files,
            )
    yield Comparison(
        name=f"the site rebuilt with nothing changed, {report.files:,} files",
        unit="files",
        beside_name="a full build",
        ours=unchanged,
        beside=full,
    )
    yield Comparison(
        name=f"the site rebuilt after one changed record, {report.files:,} files",
        unit="files",
        beside_name="a full build",
        ours=one,
        beside=full,
    )


def _with_one_changed(corpus: Corpus) -> Corpus:
    first, *others = corpus.records
    document = msgspec.json.decode(first.document)
    document["name"] = {tag: f"{name} +" for tag, name in document["name"].items()}
    changed = msgspec.structs.replace(first, document=msgspec.json.encode(document))
    return msgspec.structs.replace(corpus, records=[changed, *others])


async def _corpus(url: str, settings: Settings) -> Corpus:
    pack = load_pack("ma")
    database = await connect(url)
    now = dt.datetime.now(dt.UTC)
    await open_register(database, pack, settings, now=now)
    office = Office(database=database, pack=pack, random=secrets.token_bytes)
    documents = local_documents(RECORDS)
    for start in range(0, RECORDS, GROUP):
        await publish_together(office, documents[start : start + GROUP], now=now)
    corpus = await read_corpus(database, pack, as_of=now)
    await database.close()
    return corpus
