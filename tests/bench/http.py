"""A record over HTTP beside litestar answering as many bytes from memory.

That one is granian with one worker and an application of one handler, which answers one of as many
bodies as there are records. All stand side by side and are asked in turn, each for the same records
one after the other. What a server works for an answer says more than its rate where others use the
machine; the database's own work is not in it.
"""

import json
import tempfile
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

from litestar import Litestar, MediaType, Response, get

from registry.cli.server import serve
from registry.settings import Settings
from tests.bench.documents import RECORDS
from tests.bench.generator import ask, load, read, serving, told, until_there
from tests.bench.measure import Comparison
from tests.crash.register import Register

CONNECTIONS = 16
ROUNDS = 12
SECONDS = 0.5
BYTES = 11_000
COPIES = 128


def run() -> Iterator[Comparison | str]:
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


def _compared(register: Register, paths: list[str]) -> Iterator[Comparison | str]:
    _, body = read(register.port, paths[0])
    size = len(body)
    tag = f'"{json.loads(body)["register"]["hash"][:16]}"'
    ours = register.port, register.process.pid
    with serving(__name__, "serve_bare", str(size)) as bare:
        loads = {
            "litestar from memory": load(bare, paths),
            "from the database": load(ours, paths),
            "not modified": load(ours, paths[:1], f"If-None-Match: {tag}\r\n".encode()),
        }
        for _ in range(ROUNDS):
            for one in loads.values():
                ask(one, connections=CONNECTIONS, seconds=SECONDS)
    beside, *asked = loads
    for name in asked:
        yield Comparison(
            name=f"a record of {size:,} bytes, {name}, {CONNECTIONS} connections",
            unit="requests",
            beside_name=f"{beside}, {size:,} bytes",
            ours=loads[name].timing,
            beside=loads[beside].timing,
        )
    for line in told(loads):
        yield f"A record over HTTP, {line}"


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
    bodies = cycle([bytes(int(settings.pack)) for _ in range(COPIES)])

    @get(["/api/v1/records/{agency:str}/{slug:str}", "/health/live"])
    async def record() -> Response[bytes]:
        return Response(content=next(bodies), media_type=MediaType.JSON)

    return Litestar(route_handlers=[record], openapi_config=None, logging_config=None)
