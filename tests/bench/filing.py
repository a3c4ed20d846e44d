"""Filing: one durable publication beside a bare insert, and many records in one request.

A publication is measured in an agency that has nothing, and in one of many records with names that
are alike.
"""

import asyncio
import datetime as dt
import http.client
import json
import secrets
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import uvloop

from registry.record.canonical import canonical
from registry.record.pack import load_pack
from registry.services.context import ServiceContext
from registry.services.filing.pipeline import BATCH_SIZE
from registry.services.operations.startup import open_register
from registry.services.people.access_tokens import create_token
from registry.settings import Settings
from registry.store import embedded
from registry.store.database import connect
from tests.bench.documents import local_documents
from tests.bench.generator import until_there
from tests.bench.measure import Row, quantile, seconds_of
from tests.crash.register import Register
from tests.crowded import COMMUNE
from tests.published import publish_together

Document = dict[str, Any]
SINGLE = 300
ALIKE = 5_000
LINES = 20_000
REQUEST = 5_000
COMMUNES = 1_500
LINES_OF_A_REQUEST = 150
READERS = 4
PAUSE = 0.02
FULL, EMPTY = "demo-sante", "demo-services"


def run() -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="rb", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = embedded.start(folder)
        try:
            yield from uvloop.run(_published(server.url, folder))
        finally:
            server.release()
    with tempfile.TemporaryDirectory(prefix="rb", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        register = Register(folder, workers=1, limit_writes=0, limit_work=0, limit_publications=0)
        register.start()
        try:
            until_there(register.port)
            yield from _communes(register)
            yield from _many(register)
        finally:
            register.end()


async def _published(url: str, folder: Path) -> list[Row]:
    pack = load_pack("ma")
    database = await connect(url)
    await open_register(database, pack, Settings(data_dir=folder), now=_now())
    context = ServiceContext(database=database, pack=pack, random=secrets.token_bytes)

    async def timed(seconds: list[float], work: Any) -> None:
        start = time.perf_counter()
        await work
        seconds.append(time.perf_counter() - start)

    alike = [_of(FULL, one, at, _town(at)) for at, one in enumerate(local_documents(ALIKE))]
    for start in range(0, ALIKE, BATCH_SIZE):
        await publish_together(context, alike[start : start + BATCH_SIZE], now=_now())
    bare = await asyncpg.connect(url)
    await bare.execute("create table bare (document bytea not null)")
    times: dict[str, list[float]] = {FULL: [], EMPTY: [], "bare": []}
    for number, document in enumerate(local_documents(SINGLE)):
        for agency in (FULL, EMPTY):
            one = _of(agency, document, ALIKE + number, _town(ALIKE + number))
            await timed(times[agency], publish_together(context, [one], now=_now()))
        content = canonical(document)
        await timed(times["bare"], bare.execute("insert into bare values ($1)", content))
    await bare.close()
    await database.close()
    full, empty, least = (quantile(times[each], 0.5) * 1e3 for each in (FULL, EMPTY, "bare"))
    return [
        Row(
            what="one durable publication, p50",
            figure=empty,
            unit="ms",
            at_most=8,
            beside=f"bare insert + commit {least:.2f} ms",
        ),
        Row(
            what=f"the same in an agency of {ALIKE:,} similar names",
            figure=full / empty,
            unit="×",
            at_most=1.2,
            beside=f"{full:.2f} ms, in an empty one {empty:.2f} ms",
        ),
    ]


def _town(number: int) -> str:
    """Name a system for a town, without digits, which would tell systems apart."""
    return COMMUNE.format("".join("abdegiklmo"[int(digit)] for digit in str(number)))


def _of(agency: str, document: Document, number: int, name: str | None = None) -> Document:
    """Give a document to an agency as its record of a number, under another name if given."""
    slug = str(document["id"]).split("/")[1]
    names = {tag: f"{name} ({tag})" if name else text for tag, text in document["name"].items()}
    numbered = {"id": f"{agency}/{slug}-{number}", "source_id": f"bench-{number}"}
    return document | numbered | {"name": names}


def _communes(register: Register) -> Iterator[Row]:
    """File a system for each of many communes in one agency, while others read."""
    token = asyncio.run(_token(register.database_url))
    documents = [_of(FULL, one, at, _town(at)) for at, one in enumerate(local_documents(COMMUNES))]
    waited: list[float] = []
    over = threading.Event()

    def read_on() -> None:
        while not over.is_set():
            start = time.perf_counter()
            connection = http.client.HTTPConnection("127.0.0.1", register.port)
            connection.request("GET", "/api/v1/agencies")
            connection.getresponse().read()
            connection.close()
            waited.append(time.perf_counter() - start)
            time.sleep(PAUSE)

    reading = [threading.Thread(target=read_on) for _ in range(READERS)]
    for one in reading:
        one.start()
    start = time.perf_counter()
    for at in range(0, COMMUNES, LINES_OF_A_REQUEST):
        _file(register.port, token, documents[at : at + LINES_OF_A_REQUEST])
    seconds = time.perf_counter() - start
    over.set()
    for one in reading:
        one.join()
    yield Row(
        what=f"a system filed for {COMMUNES:,} communes by one agency",
        figure=COMMUNES / seconds,
        unit="records/s",
        at_least=100,
    )
    yield Row(
        what="a reader beside it, p95",
        figure=quantile(waited, 0.95) * 1e3,
        unit="ms",
        at_most=200,
        beside=f"{len(waited):,} readings of {READERS} readers",
    )


def _many(register: Register) -> Iterator[Row]:
    """File lines of one agency, request after request, and look at what the server keeps."""
    token = asyncio.run(_token(register.database_url))
    local = enumerate(local_documents(LINES), COMMUNES)
    documents = [_of(FULL, one, at) for at, one in local]
    memory, seconds = [], 0.0
    for start in range(0, LINES, REQUEST):
        part = documents[start : start + REQUEST]
        seconds += seconds_of(lambda part=part: _file(register.port, token, part))
        memory.append(sum(one.memory_info().rss for one in _processes(register)))
    yield Row(
        what="bulk filing over HTTP",
        figure=LINES / seconds,
        unit="records/s",
        at_least=150,
    )
    yield Row(
        what=f"the server's memory after {LINES:,} lines beside after the first {REQUEST:,}",
        figure=memory[-1] / memory[0],
        unit="×",
        at_most=1.1,
        beside=f"{memory[-1] / 2**20:,.0f} MiB, {memory[0] / 2**20:,.0f} MiB",
    )


def _processes(register: Register) -> list[psutil.Process]:
    return [*register.main(), *register.workers()]


async def _token(url: str) -> str:
    database = await connect(url, size=1)
    token = await create_token(
        database,
        agency=FULL,
        scopes=["file"],
        actor=None,
        days=1,
        now=_now(),
        random=secrets.token_bytes,
    )
    await database.close()
    return token


def _file(port: int, token: str, documents: Sequence[Document]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    body = b"".join(canonical(document) + b"\n" for document in documents)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/x-ndjson"}
    connection.request("POST", "/api/v1/filings?action=submit", body, headers)
    outcomes = {
        json.loads(line)["outcome"] for line in connection.getresponse().read().splitlines()
    }
    connection.close()
    if outcomes != {"published"}:
        raise RuntimeError(f"lines were answered {outcomes}")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
