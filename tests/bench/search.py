"""Search: 16 texts × 5 filters, with the total, 20 records and 4 facets, in registers of any size.

Over HTTP beside Datasette, where that can be installed into an environment of its own; and by one
client in the process, a larger register beside the smallest. `BENCH_SIZES=3600,100000,1000000`
names the sizes; a million takes half an hour and 6 GB of disk to make.
"""

import asyncio
import itertools
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import psutil

from registry.store import embedded
from registry.store.database import connect
from registry.store.generation import Generation
from registry.store.index.engine import SearchIndex
from registry.store.index.question import Question
from tests.bench.measure import Comparison, Timing
from tests.bench.search_corpus import FACETS, FILTERS, TEXTS, fill, real_uses, varied
from tests.crash.register import Register, free_port

SIZES = tuple(int(size) for size in os.environ.get("BENCH_SIZES", "3600,100000").split(","))
CONNECTIONS = 8
ROUNDS = 5
SECONDS = 8.0
LIMIT = 20
MIX = list(itertools.product(TEXTS, FILTERS))

_IN_PROCESS = """
import asyncio, json, sys
from pathlib import Path
from tests.bench.search import in_process
print(json.dumps(asyncio.run(in_process(sys.argv[1], Path(sys.argv[2])))))
"""


def run() -> Iterator[Comparison | str]:
    smallest: Timing | None = None
    with datasette() as program:
        for size in SIZES:
            with tempfile.TemporaryDirectory(prefix="rb", ignore_cleanup_errors=True) as name:
                folder = Path(name)
                folder.chmod(0o755)
                told, served = _ours(folder, size)
                one = Timing(seconds=told["seconds"])
                smallest = smallest or one
                yield Comparison(
                    name=f"search of {size:,} records, one client, the first time included",
                    unit="questions",
                    beside_name=f"of {SIZES[0]:,}",
                    ours=one,
                    beside=smallest,
                )
                yield (
                    f"Search of {size:,} records: a process is ready after {told['start']:.2f} s, "
                    f"and has {told['memory'] / 2**20:.0f} MB after the questions"
                )
                if program is not None:
                    yield Comparison(
                        name=f"search of {size:,} records over HTTP, {CONNECTIONS} connections",
                        unit="questions",
                        beside_name="Datasette, facet suggestions off",
                        ours=served,
                        beside=_datasette(program, folder, size),
                    )


def _ours(folder: Path, size: int) -> tuple[dict[str, object], Timing]:
    server = embedded.start(folder)
    try:
        asyncio.run(_filled(server.url, folder, size))
        # In a process of its own, whose memory is that of a worker.
        done = subprocess.run(
            [sys.executable, "-c", _IN_PROCESS, server.url, str(folder)],
            check=True,
            capture_output=True,
            text=True,
        )
        register = Register(folder, workers=1)
        register.start()
        try:
            served = asyncio.run(_asked(register.port, [_our_path(*one) for one in MIX]))
        finally:
            register.end()
    finally:
        server.release()
    return json.loads(done.stdout), served


async def _filled(url: str, folder: Path, size: int) -> None:
    database = await fill(url, folder, size)
    await database.close()


async def in_process(url: str, folder: Path) -> dict[str, object]:
    """Ask every question some times; give the seconds of each, of the start, and the memory."""
    database = await connect(url)
    index = SearchIndex(database.connection, generation=Generation(folder / "generation"))
    start = time.perf_counter()
    await index.answer(Question())
    begun = time.perf_counter() - start
    seconds = []
    for _ in range(ROUNDS):
        for text, filters in MIX:
            start = time.perf_counter()
            await index.answer(
                Question(text=text, filters=filters, facets=FACETS, sort="relevance", limit=LIMIT)
            )
            seconds.append(time.perf_counter() - start)
    await database.close()
    return {"start": begun, "seconds": seconds, "memory": psutil.Process().memory_info().rss}


def _our_path(text: str, filters: dict[str, list[str]]) -> str:
    pairs = [(name, code) for name, codes in filters.items() for code in codes]
    asked = [("q", text), ("limit", str(LIMIT)), ("facets", ",".join(FACETS)), *pairs]
    return f"/api/v1/records?{urlencode(asked)}"


async def _asked(port: int, paths: Sequence[str]) -> Timing:
    """Ask from several connections for a while; the seconds are those between two answers."""
    await _until_there(port, paths[0])
    latencies: list[float] = []
    until = time.perf_counter() + SECONDS

    async def client(first: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in itertools.count(first, CONNECTIONS):
            if time.perf_counter() > until and number >= len(paths):
                break
            start = time.perf_counter()
            status = await _ask(reader, writer, paths[number % len(paths)])
            if status != 200:
                raise RuntimeError(f"{status} for {paths[number % len(paths)]}")
            latencies.append(time.perf_counter() - start)
        writer.close()

    start = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(CONNECTIONS)))
    spent = time.perf_counter() - start
    # As fast as one after the other at this rate, and as spread as they were.
    share = spent / sum(latencies)
    return Timing(seconds=[latency * share for latency in latencies])


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> int:
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status = int(head[9:12])
    if "transfer-encoding: chunked" in head:
        while size := int(await reader.readline(), 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    else:
        length = head.partition("content-length:")[2].split("\r\n", 1)[0]
        await reader.readexactly(int(length))
    return status


async def _until_there(port: int, path: str) -> None:
    for _ in range(600):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            status = await _ask(reader, writer, path)
            writer.close()
            if status < 500:
                return
        except (OSError, asyncio.IncompleteReadError):
            pass
        await asyncio.sleep(0.1)
    raise RuntimeError("the server did not come")


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


def _datasette(program: Path, folder: Path, size: int) -> Timing:
    """Ask Datasette the same, of a table with a full text index and indexed facet columns."""
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
        return asyncio.run(_asked(port, [_their_path(*one) for one in MIX]))
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
        (
            (
                row.ord,
                row.name_key,
                " ".join(text for texts in row.words.values() for text in texts),
                *(row.codes[name][0] for name in FACETS),
                row.codes["personal_data"][0],
            )
            for row in varied([row for row, _ in real_uses()], size)
        ),
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
