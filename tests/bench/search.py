"""Search: 16 texts × 5 filters, with the total, 20 records with passages and 4 facets, at any size.

By one client in the process, cold pass included; and over HTTP in turn with Datasette, where that
can be installed into an environment of its own. `BENCH_SIZES=100000` names the sizes, by comma; a
million records take half an hour of one core and 30 GB of disk.
"""

import asyncio
import itertools
import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import psutil
import tantivy

from registry.log.entry import entry_summary
from registry.record.model import NOT_STATED
from registry.record.pack import load_pack
from registry.record.pointers import dig
from registry.record.search_document import search_texts
from registry.search.engine import SearchIndex, open_index
from registry.search.labels import labels_of
from registry.search.query import SearchQuery
from registry.search.schema import LEXEME, schema
from registry.search.schema import documents as indexed
from registry.services.context import ServiceContext
from registry.services.operations.startup import open_register
from registry.settings import Settings
from registry.store import embedded
from registry.store.database import connect
from registry.store.search_rows import read_rows
from tests.bench.corpus import NOW, fill, records
from tests.bench.documents import local_documents
from tests.bench.generator import ask, load, until_there
from tests.bench.measure import Row, quantile
from tests.bench.questions import EMPTY, MISSPELT, generated
from tests.crash.register import Register, free_port
from tests.published import given_times, publish_together

# Of a million records one question takes Datasette many seconds.
BESIDE_UP_TO = 100_000
SIZES = tuple(int(size) for size in os.environ.get("BENCH_SIZES", "3600,100000").split(","))
CONNECTIONS = 8
ROUNDS = 5
TURNS = 4
SECONDS = 4.0
RECEIPTS = 40
LIMIT = 20
SAMPLE = 3_000
GENERATED = 1_000
AGAIN = 20
_SHORT = 2
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
    *MISSPELT,
    *EMPTY,
)
FILTERS: tuple[dict[str, list[str]], ...] = (
    {},
    {"risk": ["high"]},
    {"status": ["in_use"], "sector": ["health"]},
    {"risk": ["minimal", "limited"], "personal_data": ["yes"]},
    {"agency": ["us.va", "us.doi", "demo-sante"]},
)
FACETS = ("risk", "sector", "status", "agency")
MIX = list(itertools.product(TEXTS, FILTERS))

_IN_PROCESS = """
import asyncio, json, sys
from tests.bench.search import in_process
print(json.dumps(asyncio.run(in_process(*sys.argv[1:]))))
"""


def run() -> Iterator[Row]:
    smallest: tuple[int, float] | None = None
    with datasette() as program:
        for size in SIZES:
            with tempfile.TemporaryDirectory(prefix="rb", ignore_cleanup_errors=True) as name:
                folder = Path(name)
                folder.chmod(0o755)
                server = embedded.start(folder)
                try:
                    asyncio.run(_filled(server.url, folder, size))
                    # A process of its own, whose memory is that of a worker.
                    words = [sys.executable, "-c", _IN_PROCESS, server.url, name]
                    alone = json.loads(subprocess.check_output(words, text=True))
                    yield from _alone(size, alone, smallest)
                    mean = sum(alone["seconds"]) / len(alone["seconds"])
                    smallest = smallest or (size, mean)
                    if program is not None and size <= BESIDE_UP_TO:
                        yield _over_http(program, folder, size)
                finally:
                    server.release()


def _alone(size: int, told: Mapping[str, Any], smallest: tuple[int, float] | None) -> Iterator[Row]:
    what, seconds = f"search of {size:,} records, one client", told["seconds"]
    for name, share, most in (("p50", 0.5, 3), ("p99", 0.99, 20)):
        figure = quantile(seconds, share) * 1e3
        yield Row(what=f"{what}, {name}", figure=figure, unit="ms", at_most=most)
    memory = told["memory"] / 2**20
    yield Row(what=f"{what}: memory of the process", figure=memory, unit="MiB", at_most=300)
    yield Row(what=f"{what}: ready after", figure=told["start"], unit="s", at_most=1)
    found = quantile(told["found"], 0.95) * 1e3
    yield Row(what=f"{what}: found after a receipt, p95", figure=found, unit="ms", at_most=50)
    yield Row(
        what=f"{what}: work for a question beside tantivy alone",
        figure=told["beside_bare"],
        unit="×",
        at_most=3,
    )
    yield Row(
        what=f"index of {size:,} records made from nothing: work beside tantivy's writer alone",
        figure=told["beside_writer"],
        unit="×",
        at_most=2,
    )
    for name, figure, most in (
        ("a misspelt or empty question", told["unfound"], 3),
        ("the costliest of 1,000 generated questions", told["costliest"], 8),
    ):
        yield Row(what=f"{what}: {name} beside a plain one", figure=figure, unit="×", at_most=most)
    if smallest is not None:
        yield Row(
            what=f"{what}: cost of a question beside {smallest[0]:,}",
            figure=sum(seconds) / len(seconds) / smallest[1],
            unit="×",
            at_most=5,
        )


def _over_http(program: Path, folder: Path, size: int) -> Row:
    """Ask the register and Datasette in turn, each until it has answered every question."""
    register = Register(folder, workers=1)
    register.start()
    try:
        until_there(register.port)
        assert register.process is not None
        with _datasette(program, folder, size) as server:
            beside = load(server, [_their_path(*one) for one in MIX])
            ours = load((register.port, register.process.pid), [_our_path(*one) for one in MIX])
            turns = 0
            while turns < TURNS or min(ours.asked, beside.asked) < len(MIX):
                for one in (ours, beside):
                    ask(one, connections=CONNECTIONS, seconds=SECONDS)
                turns += 1
    finally:
        register.end()
    return Row(
        what=f"search of {size:,} records over HTTP, one worker, {CONNECTIONS} connections",
        figure=ours.per_second / beside.per_second,
        unit="×",
        at_least=30 if size < BESIDE_UP_TO else 300,
        beside=f"{ours.per_second:,.0f}/s, Datasette {beside.per_second:,.0f}/s; for a second of "
        f"work {ours.per_work / beside.per_work:,.0f} ×",
    )


async def _filled(url: str, folder: Path, size: int) -> None:
    context = await _context(url)
    await open_register(context.database, context.pack, Settings(data_dir=folder), now=NOW)
    await fill(context, size)
    async with context.database.connection() as connection:
        await connection.execute("vacuum analyze", timeout=3600)
    await context.database.close()


async def _context(url: str) -> ServiceContext:
    database = await connect(url)
    return ServiceContext(
        database=database, pack=load_pack("ma"), random=secrets.token_bytes, guard=given_times()
    )


async def in_process(url: str, folder: str) -> dict[str, object]:
    """Ask every question some times; return the seconds of each, of the start, and the memory."""
    context = await _context(url)
    index = open_index(context.database.connection, Path(folder) / "search", load_pack("ma"))

    async def timed(work: Any) -> float:
        start = time.perf_counter()
        await work
        return time.perf_counter() - start

    start = time.process_time()
    await index.rebuild()
    made = (time.process_time() - start) / await _versions(context)
    index = open_index(context.database.connection, Path(folder) / "search", load_pack("ma"))
    begun = await timed(index.warm_up())
    questions = [_question(*one) for one in MIX]
    seconds = [await timed(index.answer(one)) for _ in range(ROUNDS) for one in questions]
    told = psutil.Process().memory_full_info()
    bare = await _bare_questions(index)
    start = time.process_time()
    for one in questions:
        await index.answer(one)
    asked = (time.process_time() - start) / len(questions)
    unfound, costliest = await _beside_plain(index)
    added = await _bare_writer(context)
    found = []
    for document in local_documents(RECEIPTS):
        again = await timed(index.answer(questions[0]))
        await publish_together(context, [document], now=NOW)
        found.append(await timed(index.answer(questions[0])) - again)
    await context.database.close()
    return {
        "start": begun,
        "seconds": seconds,
        "memory": told.uss,
        "found": found,
        "beside_bare": asked / bare,
        "unfound": unfound,
        "costliest": costliest,
        "beside_writer": made / added,
    }


async def _beside_plain(index: SearchIndex) -> tuple[float, float]:
    """Return the work of misspelt and empty questions, and the most of any, in plain ones.

    The costliest generated questions are asked again, since one may have met something else.
    """

    async def work(text: str, reader: str | None, times: int) -> float:
        spent = []
        for _ in range(times):
            start = time.process_time()
            await index.answer(msgspec.structs.replace(_question(text, {}), reader=reader))
            spent.append(time.process_time() - start)
        return min(spent)

    plain = quantile([await work(text, None, 3) for text in TEXTS[: -len(MISSPELT + EMPTY)]], 0.5)
    readers = (None, "fr", "ar")
    unfound = [await work(text, reader, 3) for text in (*MISSPELT, *EMPTY) for reader in readers]
    found = await index.found(_question(TEXTS[0], {}))
    terms = found.at.searcher.terms_with_prefix(LEXEME, "", None, None)
    words = sorted({word for token, _ in terms if len(word := token.rsplit("|", 1)[0]) > _SHORT})
    asked = [
        (await work(text, readers[number % 3], 1), text, readers[number % 3])
        for number, text in enumerate(generated(words, GENERATED))
    ]
    asked.sort(key=lambda one: one[0], reverse=True)
    again = [await work(text, reader, 3) for _, text, reader in asked[:AGAIN]]
    return sum(unfound) / len(unfound) / plain, max(again) / plain


async def _bare_questions(index: SearchIndex) -> float:
    """Return the work of tantivy alone for a question: the newest results, totals and facets."""
    prepared = []
    for text, filters in MIX:
        question = msgspec.structs.replace(_question(text, filters), mends=False)
        found = await index.found(question)
        prepared.append((found.hits, found.at.searcher, found.counted_queries()))
    start = time.process_time()
    for hits, searcher, counted in prepared:
        searcher.search(hits, LIMIT, count=True, order_by_field="ord")
        for query, kinds in counted:
            searcher.aggregate(
                query, {kind: {"terms": {"field": kind, "size": 1000}} for kind in kinds}
            )
    return (time.process_time() - start) / len(prepared)


async def _bare_writer(context: ServiceContext) -> float:
    """Return the work of tantivy's writer for a document that is made already."""
    async with context.database.connection() as connection:
        rows = await read_rows(connection, since=0, size=SAMPLE + 1, limit=SAMPLE)
    languages = ("", *context.pack.languages)
    documents = [made for row in rows for made in indexed(row, languages, labels_of(context.pack))]
    with tempfile.TemporaryDirectory() as folder:
        writer = tantivy.Index(schema(languages), folder).writer(64_000_000, 1)
        start = time.process_time()
        for one in documents:
            writer.add_document(one)
        writer.commit()
        return (time.process_time() - start) / len(documents)


async def _versions(context: ServiceContext) -> int:
    async with context.database.connection() as connection:
        return int(await connection.fetchval("select count(*) from search_version"))


def _question(text: str, filters: dict[str, list[str]]) -> SearchQuery:
    return SearchQuery(
        text=text,
        filters=filters,
        facets=FACETS,
        sort="relevance",
        limit=LIMIT,
        today=NOW.date(),
        highlights=True,
    )


def _our_path(text: str, filters: dict[str, list[str]]) -> str:
    pairs = [(name, code) for name, codes in filters.items() for code in codes]
    asked = [("q", text), ("limit", str(LIMIT)), ("facets", ",".join(FACETS)), *pairs]
    return f"/api/v1/records?{urlencode(asked)}"


# --- beside


@contextmanager
def datasette() -> Iterator[Path | None]:
    """Install Datasette for the time of a run; None, with a message, where that cannot be."""
    folder = Path(tempfile.mkdtemp(prefix="datasette"))
    try:
        program = folder / "bin" / "datasette"
        steps = (
            [sys.executable, "-m", "venv", str(folder)],
            [str(folder / "bin" / "pip"), "install", "-q", "datasette<1"],
        )
        if any(subprocess.run(step, capture_output=True, check=False).returncode for step in steps):
            sys.stdout.write("Datasette cannot be installed here; search is measured alone\n")
            yield None
        else:
            yield program
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _datasette(program: Path, folder: Path, size: int) -> Iterator[tuple[int, int]]:
    """Serve the same as a table with a full text index and indexed facet columns."""
    file = folder / "register.db"
    _write_sqlite(file, size)
    port = free_port()
    options = {"suggest_facets": "off", "facet_time_limit_ms": 60_000, "sql_time_limit_ms": 60_000}
    settings = [word for name, value in options.items() for word in ("--setting", name, str(value))]
    process = subprocess.Popen(
        [str(program), "serve", str(file), "--port", str(port), *settings],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until_there(port, "/-/versions.json")
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def _write_sqlite(file: Path, size: int) -> None:
    connection = sqlite3.connect(file)
    columns = ", ".join(f"{name} text" for name in FACETS)
    connection.execute(
        f"create table record (id integer primary key, name text, body text, {columns},"
        " personal_data text)"
    )
    connection.executemany("insert into record values (?, ?, ?, ?, ?, ?, ?, ?)", _rows(size))
    for name in (*FACETS, "personal_data"):
        connection.execute(f"create index record_{name} on record ({name})")
    connection.execute(
        "create virtual table record_fts using fts5(name, body, content='record',"
        " content_rowid='id', tokenize='porter unicode61')"
    )
    connection.execute("insert into record_fts (record_fts) values ('rebuild')")
    connection.commit()
    connection.close()


def _rows(size: int) -> Iterator[tuple[Any, ...]]:
    for number, (document, agency) in enumerate(records(size), start=1):
        stated = entry_summary(document)
        name, *_ = document["name"].values()
        codes = (stated.risk, stated.sector, stated.status, agency.id)
        texts = [text for _, _, text in search_texts(document)]
        told = [NOT_STATED if code is None else code for code in codes]
        personal = dig(document, "data", "personal_data") or NOT_STATED
        yield number, name, "\n".join(texts), *told, personal


def _their_path(text: str, filters: dict[str, list[str]]) -> str:
    wanted = [(f"{name}__in", ",".join(codes)) for name, codes in filters.items()]
    asked = [
        ("_search", text.split(" -", maxsplit=1)[0]),
        ("_size", str(LIMIT)),
        ("_shape", "objects"),
    ]
    columns = [("_col", name) for name in ("name", *FACETS)]
    facets = [("_facet", name) for name in FACETS]
    return f"/register/record.json?{urlencode([*asked, *columns, *facets, *wanted])}"
