"""Publishing, one by one and in bulk, beside a bare insert of the same bytes."""

import asyncio
import datetime as dt
import json
import secrets
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg

from registry.office.filing import Office, publish_local
from registry.office.importing import ForeignFiling, import_foreign
from registry.office.opening import open_register
from registry.record.pack import Agency, load_pack
from registry.record.validate import validate
from registry.settings import Settings
from registry.store import embedded
from registry.store.database import connect
from tests.bench.documents import local_documents
from tests.bench.measure import Comparison, Timing

SINGLE = 400
BULK = 3_000
BULK_BLOCK = 250


def run() -> Iterator[Comparison]:
    with tempfile.TemporaryDirectory(prefix="rb", ignore_cleanup_errors=True) as folder:
        server = embedded.start(Path(folder))
        try:
            single, bare, bulk = asyncio.run(_measure(server.url, Path(folder)))
        finally:
            server.release()
    yield Comparison(
        name="one record published durably",
        unit="records",
        beside_name="bare insert + commit of the same bytes",
        ours=single,
        beside=bare,
    )
    yield Comparison(
        name="records imported in bulk, validated, hashed, indexed, logged",
        unit="records",
        beside_name="bare insert + commit of the same bytes",
        ours=bulk,
        beside=bare,
    )


async def _measure(url: str, folder: Path) -> tuple[Timing, Timing, Timing]:
    pack = load_pack("ma")
    database = await connect(url)
    await open_register(database, pack, Settings(data_dir=folder), now=_now())
    office = Office(database=database, pack=pack, random=secrets.token_bytes)
    raw = await asyncpg.connect(url)
    await raw.execute("create table bare (id text primary key, document bytea)")
    single, bare = Timing(), Timing()
    for document in local_documents(SINGLE):
        start = time.perf_counter()
        async with database.transaction() as connection:
            await publish_local(
                connection,
                office,
                document,
                agency=pack.agencies[str(document["id"]).split("/")[0]],
                actor="bench",
                now=_now(),
            )
        single.seconds.append(time.perf_counter() - start)
        content = json.dumps(document, ensure_ascii=False).encode()
        start = time.perf_counter()
        await raw.execute("insert into bare values ($1, $2)", document["id"], content)
        bare.seconds.append(time.perf_counter() - start)
    await raw.close()
    bulk = await _bulk(office)
    await database.close()
    return single, bare, bulk


async def _bulk(office: Office) -> Timing:
    agency = Agency(id="xx.bench", name={"en": "Bench"}, kind="foreign", origin="bench")
    timing = Timing()
    documents = [
        document | {"id": f"xx.bench/{str(document['id']).split('/')[1]}"}
        for document in local_documents(BULK)
    ]
    for at in range(0, BULK, BULK_BLOCK):
        start = time.perf_counter()
        filings = [
            ForeignFiling(
                document=document,
                agency=agency,
                verdict=validate(
                    document, profile="foreign", pack=office.pack, today=_now().date()
                ),
                source_row={"id": document["id"]},
            )
            for document in documents[at : at + BULK_BLOCK]
        ]
        await import_foreign(office, filings, now=_now)
        seconds = (time.perf_counter() - start) / len(filings)
        timing.seconds += [seconds] * len(filings)
    return timing


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
