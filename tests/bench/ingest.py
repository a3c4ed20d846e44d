"""Publishing, one by one, side by side and in bulk, beside a bare insert of the same bytes."""

import asyncio
import datetime as dt
import gc
import secrets
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import uvloop

from registry.record.canonical import canonical
from registry.record.pack import Agency, load_pack
from registry.record.validate import validate
from registry.search.fold import fold
from registry.services.context import ServiceContext
from registry.services.importing import ForeignFiling, import_foreign
from registry.services.startup import open_register
from registry.settings import Settings
from registry.store import embedded
from registry.store.database import Database, connect
from tests.bench.documents import local_documents
from tests.bench.measure import Comparison, Timing
from tests.crowded import COMMUNE, crowd
from tests.published import publish_alone, publish_at_desk

SINGLE = 450
PARALLEL = 1_200
WRITERS = 8
BLOCK = 50
BULK = 3_000
CROWD = 5_000
CROWDED = 250

BARE = "bare insert + commit of the same bytes"

Document = dict[str, Any]
Work = Callable[[Document], Awaitable[object]]


def run() -> Iterator[Comparison]:
    with tempfile.TemporaryDirectory(prefix="rb", ignore_cleanup_errors=True) as folder:
        server = embedded.start(Path(folder))
        try:
            yield from uvloop.run(_measure(server.url, Path(folder)))
        finally:
            server.release()


async def _measure(url: str, folder: Path) -> list[Comparison]:
    pack = load_pack("ma")
    database = await connect(url)
    await open_register(database, pack, Settings(data_dir=folder), now=_now())
    context = ServiceContext(database=database, pack=pack, random=secrets.token_bytes)
    bare = await Bare.prepare(url)

    async def publish(document: Document) -> None:
        await publish_at_desk(context, document, now=_now())

    documents = local_documents(SINGLE + PARALLEL)
    # As a worker does with what stays: to look for rubbish in it again and again is no filing's.
    gc.collect()
    gc.freeze()
    single = await compare(documents[:SINGLE], publish, bare, writers=1)
    parallel = await compare(documents[SINGLE:], publish, bare, writers=WRITERS)
    bulk = await _bulk(context)
    await bare.close()
    crowded, empty = await _crowded(context)
    await database.close()
    return [
        line("one record published durably", *single),
        line(f"records published by {WRITERS} at once", *parallel),
        line("records imported in bulk, validated, hashed, indexed, logged", bulk, single[1]),
        Comparison(
            name=f"one record published in an agency of {CROWD:,} similar names",
            unit="records",
            beside_name="in agencies of few",
            ours=crowded,
            beside=empty,
        ),
    ]


def line(name: str, ours: Timing, beside: Timing) -> Comparison:
    return Comparison(name=name, unit="records", beside_name=BARE, ours=ours, beside=beside)


class Bare:
    """Only inserts and commits, with one statement, into a table of its own.

    Its connections are borrowed as the register borrows its own, one for each writer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    async def prepare(cls, url: str) -> "Bare":
        database = await connect(url, size=WRITERS)
        async with database.connection() as connection:
            settings = [
                await connection.fetchval(f"show {name}")
                for name in ("fsync", "synchronous_commit", "full_page_writes")
            ]
            if settings != ["on"] * len(settings):
                raise RuntimeError(f"this PostgreSQL does not write durably: {settings}")
            await connection.execute(
                "create table bare (number integer generated always as identity primary key,"
                " document bytea not null)"
            )
        return cls(database)

    async def insert(self, content: bytes) -> None:
        async with self._database.connection() as connection:
            await connection.execute("insert into bare (document) values ($1)", content)

    async def close(self) -> None:
        await self._database.close()


async def compare(
    documents: Sequence[Document], publish: Work, bare: Bare, *, writers: int
) -> tuple[Timing, Timing]:
    """Give every document to both in turn, a block at a time, by so many writers at once."""
    ours, beside = Timing(), Timing()
    size = BLOCK * writers
    # What is done for the first time only, such as to plan a statement, is no part of either.
    warm, documents = documents[:size], documents[size:]
    await _side_by_side(Timing(), warm, publish, writers)
    await _side_by_side(Timing(), warm, lambda one: bare.insert(canonical(one)), writers)
    for start in range(0, len(documents), size):
        block = documents[start : start + size]
        await _side_by_side(ours, block, publish, writers)
        await _side_by_side(beside, block, lambda one: bare.insert(canonical(one)), writers)
    return ours, beside


async def _side_by_side(
    timing: Timing, documents: Sequence[Document], work: Work, writers: int
) -> None:
    waiting = iter(documents)

    async def write() -> None:
        for document in waiting:
            start = time.perf_counter()
            await work(document)
            timing.seconds.append(time.perf_counter() - start)

    start = time.perf_counter()
    await asyncio.gather(*(write() for _ in range(writers)))
    timing.elapsed += time.perf_counter() - start


async def _crowded(context: ServiceContext) -> tuple[Timing, Timing]:
    """Publish where thousands are called nearly the same, and where hardly any are, in turn."""
    documents = local_documents(SINGLE + PARALLEL + CROWDED)[SINGLE + PARALLEL :]
    first = dict(documents[0]) | {"id": "demo-sante/commune", "name": {"fr": COMMUNE.format("")}}
    await publish_alone(context, first, now=_now())
    async with context.database.session() as connection:
        await crowd(connection, str(first["id"]), CROWD)
    similar = [
        document | {"id": f"demo-sante/c-{at}", "name": {"fr": COMMUNE.format(_town(at))}}
        for at, document in enumerate(documents)
    ]
    crowded, empty = Timing(), Timing()

    async def publish(document: Document) -> None:
        await publish_alone(context, document, now=_now())

    for start in range(0, CROWDED, BLOCK):
        end = start + BLOCK
        warm = Timing()
        await _side_by_side(crowded if start else warm, similar[start:end], publish, 1)
        await _side_by_side(empty if start else warm, documents[start:end], publish, 1)
    return crowded, empty


def _town(number: int) -> str:
    """Invent a name without digits, which would tell systems apart."""
    return "".join("abcdefghij"[int(digit)] for digit in str(number))


async def _bulk(context: ServiceContext) -> Timing:
    agency = Agency(id="xx.bench", name={"en": "Bench"}, kind="foreign", origin="bench")
    documents = [
        document | {"id": f"xx.bench/{str(document['id']).split('/')[1]}"}
        for document in local_documents(BULK)
    ]
    # What was published before is not this import's to fold.
    await fold(context.database, least=1)
    timing = Timing()
    start = time.perf_counter()
    filings = [
        ForeignFiling(
            document=document,
            agency=agency,
            verdict=validate(
                document,
                profile="foreign",
                pack=context.pack,
                today=_now().date(),
                fast=context.fast,
            ),
            source_row={"id": document["id"]},
        )
        for document in documents
    ]
    done, since = 0, time.perf_counter()

    def progress(reached: int, _: int) -> None:
        nonlocal done, since
        at = time.perf_counter()
        timing.seconds += [(at - since) / (reached - done)] * (reached - done)
        done, since = reached, at

    await import_foreign(context, filings, now=_now, progress=progress)
    timing.elapsed = time.perf_counter() - start
    return timing


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
