"""A record out of the database over HTTP, beside litestar answering as many bytes from memory.

That one is granian with one worker and an application of one handler. Both are asked in turn, each
for the same records one after the other.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from litestar import Litestar, MediaType, Response, get

from registry.cli.server import serve
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
    with serving(__name__, "serve_bare", str(size)) as bare:
        assert register.process is not None
        ours, beside = load((register.port, register.process.pid), paths), load(bare, paths)
        for _ in range(ROUNDS):
            for one in (ours, beside):
                ask(one, connections=CONNECTIONS, seconds=SECONDS)
    what = f"a record of {size:,} bytes, uncached, {CONNECTIONS} connections, one worker"
    yield Row(
        what=what,
        figure=ours.per_second / beside.per_second,
        unit="×",
        at_least=0.3,
        beside=f"{ours.per_second:,.0f}/s, litestar from memory {beside.per_second:,.0f}/s",
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


def serve_bare(port: str, size: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        # The size goes with the settings into the worker, which takes nothing else from them.
        serve(Settings(data_dir=Path(folder), port=int(port), pack=size), _bare)


def _bare(settings: Settings) -> object:
    body = bytes(int(settings.pack))

    @get(["/api/v1/records/{agency:str}/{slug:str}", "/health/live"])
    async def record() -> Response[bytes]:
        return Response(content=body, media_type=MediaType.JSON)

    return Litestar(route_handlers=[record], openapi_config=None, logging_config=None)
