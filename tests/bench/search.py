"""Search: 16 texts × 5 filters, with the total, 20 records with passages and 4 facets, at any size.

No answer is kept; what is, as in any worker, are postings, cards, texts, and what was shown of a
text for some stems.

By one client in the process, a larger register beside the smallest; and over HTTP in turn with
Datasette, where that can be installed into an environment of its own.

`BENCH_SIZES=100000` names the sizes, by comma; each can be run alone. What is published is the same
however it is written, which a sample shows first; `BENCH_PROCESSES` write it, one a core. A million
records take some minutes of both cores and 30 GB of disk.
"""

import itertools
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil

from registry.record.entry import NOT_STATED, outline
from registry.record.pointers import dig
from registry.record.search_text import search_texts
from registry.search.engine import SearchIndex
from registry.search.query import SearchQuery
from registry.store import embedded
from registry.store.database import connect
from tests.bench.generator import ask, load, told, until_there
from tests.bench.measure import Comparison, Timing
from tests.bench.search_corpus import FACETS, FILTERS, NOW, TEXTS, fill, models, publications
from tests.bench.search_sample import compare
from tests.crash.register import Register, free_port

# Of a million records one question takes Datasette many seconds.
BESIDE_UP_TO = 100_000
SIZES = tuple(int(size) for size in os.environ.get("BENCH_SIZES", "3600,100000").split(","))
BESIDE = "Datasette, facet suggestions off"
WORKERS = ((1, "worker"), (2, "workers"))
CONNECTIONS = 8
ROUNDS = 5
TURNS = 4
SECONDS = 4.0
LIMIT = 20
MIX = list(itertools.product(TEXTS, FILTERS))

_IN_PROCESS = """
import asyncio, json, sys
from tests.bench.search import in_process
print(json.dumps(asyncio.run(in_process(sys.argv[1]))))
"""


def run() -> Iterator[Comparison | str]:
    yield compare()
    smallest: Timing | None = None
    with datasette() as program:
        for size in SIZES:
            with tempfile.TemporaryDirectory(prefix="rb", ignore_cleanup_errors=True) as name:
                folder = Path(name)
                folder.chmod(0o755)
                server = embedded.start(folder)
                try:
                    start = time.perf_counter()
                    fill(server.url, folder, size)
                    yield (
                        f"Search of {size:,} records: they were published and folded in "
                        f"{time.perf_counter() - start:,.0f} s"
                    )
                    alone = _in_process(server.url)
                    one = Timing(seconds=alone["seconds"])
                    smallest = smallest or one
                    yield Comparison(
                        name=f"search of {size:,} records, one client, the first time included",
                        unit="questions",
                        beside_name=f"of {SIZES[0]:,}",
                        ours=one,
                        beside=smallest,
                    )
                    yield (
                        f"Search of {size:,} records: a process is ready after "
                        f"{alone['start']:.2f} s, and has {alone['memory'] / 2**20:.0f} MB after "
                        "the questions"
                    )
                    if program is not None and size <= BESIDE_UP_TO:
                        yield from _over_http(program, folder, size)
                finally:
                    server.release()


def _in_process(url: str) -> dict[str, Any]:
    """Ask in a process of its own, whose memory is that of a worker."""
    done = subprocess.run(
        [sys.executable, "-c", _IN_PROCESS, url],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


def _over_http(program: Path, folder: Path, size: int) -> Iterator[Comparison | str]:
    """Ask the register and Datasette in turn, each until it has answered every question."""
    registers = {f"{count} {word}": Register(folder, workers=count) for count, word in WORKERS}
    for one in registers.values():
        one.start()
    try:
        for one in registers.values():
            until_there(one.port)
        with _datasette(program, folder, size) as beside:
            ours = [_our_path(*one) for one in MIX]
            loads = {
                BESIDE: load(beside, [_their_path(*one) for one in MIX]),
                **{
                    f"the register, {workers}": load((one.port, one.process.pid), ours)
                    for workers, one in registers.items()
                },
            }
            for _ in range(TURNS):
                for one in loads.values():
                    ask(one, connections=CONNECTIONS, seconds=SECONDS)
            while any(one.asked < len(MIX) for one in loads.values()):
                for one in loads.values():
                    ask(one, connections=CONNECTIONS, seconds=SECONDS)
    finally:
        for one in registers.values():
            one.end()
    for workers in registers:
        yield Comparison(
            name=f"search of {size:,} records over HTTP, {workers}, {CONNECTIONS} connections",
            unit="questions",
            beside_name=BESIDE,
            ours=loads[f"the register, {workers}"].timing,
            beside=loads[BESIDE].timing,
        )
    for line in told(loads):
        yield f"Search of {size:,} records over HTTP, {line}"


async def in_process(url: str) -> dict[str, object]:
    """Ask every question some times; give the seconds of each, of the start, and the memory."""
    database = await connect(url)
    index = SearchIndex(database.connection)
    start = time.perf_counter()
    await index.warm_up()
    begun = time.perf_counter() - start
    seconds = []
    for _ in range(ROUNDS):
        for text, filters in MIX:
            start = time.perf_counter()
            await index.answer(
                SearchQuery(
                    text=text,
                    filters=filters,
                    facets=FACETS,
                    sort="relevance",
                    limit=LIMIT,
                    today=NOW.date(),
                    highlights=True,
                )
            )
            seconds.append(time.perf_counter() - start)
    await database.close()
    return {"start": begun, "seconds": seconds, "memory": psutil.Process().memory_info().rss}


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
            sys.stderr.write("Datasette cannot be installed here; search is measured alone\n")
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
    connection.executemany(
        "insert into record values (?, ?, ?, ?, ?, ?, ?, ?)",
        _rows(size),
    )
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
    for number, one in enumerate(publications(models(size), range(1, size + 1)), start=1):
        document, stated = one.document, outline(one.document)
        name, *_ = document["name"].values()
        codes = (stated.risk, stated.sector, stated.status, one.agency.id)
        texts = [text for _, _, text in search_texts(document)]
        personal_data = dig(document, "data", "personal_data")
        told = [NOT_STATED if code is None else code for code in (*codes, personal_data)]
        yield number, name, "\n".join(texts), *told


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
