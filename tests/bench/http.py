"""A record over HTTP, beside a bare handler that answers as many bytes out of the same database.

That one is granian with one worker and an application of one handler, which asks PostgreSQL for
the record's document by its key: one trip, like the register. Both are asked in turn, for the same
records.
"""

import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from litestar import Litestar, MediaType, Response, get
from litestar.datastructures import State

from registry.cli.serve import run_server
from registry.settings import Settings
from tests.bench.documents import RECORDS
from tests.bench.generator import ask, load, read, serving, until_there
from tests.bench.measure import Row, quantile
from tests.crash.register import Register

CONNECTIONS = 16
ROUNDS = 12
SECONDS = 0.5
BYTES = 11_000
COPIES = 128

_DOCUMENT = "select document from content where record = $1 and version = 1"


def run() -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="rb", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        register = Register(folder, workers=1)
        paths = _written(folder / "records")
        loaded = register.run("load", folder / "records")
        if loaded.returncode:
            raise RuntimeError(loaded.stderr)
        register.start()
        try:
            until_there(register.port)
            yield from _compared(register, paths)
        finally:
            register.end()


def _compared(register: Register, paths: list[str]) -> Iterator[Row]:
    size = len(read(register.port, paths[0])[1])
    with serving(__name__, "serve_bare", str(size), register.database_url) as bare:
        assert register.process is not None
        ours, beside = load((register.port, register.process.pid), paths), load(bare, paths)
        for _ in range(ROUNDS):
            for one in (ours, beside):
                ask(one, connections=CONNECTIONS, seconds=SECONDS)
    what = f"a record of {size:,} bytes, uncached, {CONNECTIONS} connections, one worker"
    yield Row(
        what=what,
        figure=ours.per_work / beside.per_work,
        unit="×",
        at_least=0.4,
        beside=f"work of a bare handler with one query; {ours.per_second:,.0f}/s, that one "
        f"{beside.per_second:,.0f}/s",
    )
    yield Row(what=f"{what}: p99", figure=quantile(ours.seconds, 0.99) * 1e3, unit="ms", at_most=10)


def _written(folder: Path) -> list[str]:
    """Write copies of the demonstration record of about the size, and give their paths."""
    file = min(RECORDS.glob("*/*.json"), key=lambda one: abs(len(one.read_bytes()) - BYTES))
    agency, document = file.parent.name, json.loads(file.read_bytes())
    document.pop("related_records", None)
    (folder / agency).mkdir(parents=True)
    folder.chmod(0o755)
    names = [f"copy-{number:03}" for number in range(COPIES)]
    for name in names:
        document |= {"id": f"{agency}/{name}", "source_id": name}
        (folder / agency / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    return [f"/api/v1/records/{agency}/{name}" for name in names]


# --- the server beside


def serve_bare(port: str, size: str, database_url: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        # The size goes with the settings into the worker.
        settings = Settings(
            data_dir=Path(folder), port=int(port), pack=size, database_url=database_url
        )
        run_server(settings, _bare)


async def _as_it_is(connection: object) -> None:
    """Return a connection to the pool without a trip to the server."""


def _bare(settings: Settings) -> object:
    size = int(settings.pack)

    @asynccontextmanager
    async def connected(application: Litestar) -> AsyncIterator[None]:
        async with asyncpg.create_pool(settings.database_url, min_size=1, reset=_as_it_is) as pool:
            application.state.pool = pool
            yield

    @get("/api/v1/records/{agency:str}/{slug:str}")
    async def record(agency: str, slug: str, state: State) -> Response[bytes]:
        document = await state.pool.fetchval(_DOCUMENT, f"{agency}/{slug}")
        return Response(content=document.ljust(size), media_type=MediaType.JSON)

    @get("/health/live")
    async def live() -> str:
        return "live"

    return Litestar(
        route_handlers=[record, live],
        lifespan=[connected],
        openapi_config=None,
        logging_config=None,
    )
