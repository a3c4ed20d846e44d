"""A record over HTTP: from memory, and from the database, beside the bare server.

The bare server is granian with one worker and an application that answers the same number of bytes
without a look at the request, out of as many bodies as there are records. All stand side by side
and are asked in turn, each for the same records one after the other. What a server works for an
answer says more than its rate where others use the machine; the database's own work is not in it.
"""

import json
import tempfile
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import msgspec

from registry.cli.server import load_application, serve
from registry.settings import Settings, from_environment
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
    with (
        serving(__name__, "serve_bare", str(size)) as bare,
        serving(__name__, "serve_unkept", str(register.data), register.database_url) as unkept,
    ):
        loads = {
            "the bare server": load(bare, paths),
            "from memory": load(ours, paths),
            "from memory, gzip": load(ours, paths, b"Accept-Encoding: gzip\r\n"),
            "from memory, not modified": load(
                ours, paths[:1], f"If-None-Match: {tag}\r\n".encode()
            ),
            "from the database": load(unkept, paths),
        }
        for _ in range(ROUNDS):
            for one in loads.values():
                ask(one, connections=CONNECTIONS, seconds=SECONDS)
    beside, *asked = loads
    for name in asked:
        yield Comparison(
            name=f"a record of {size:,} bytes {name}, {CONNECTIONS} connections",
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


# --- the servers beside


def serve_bare(port: str, size: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        # The size goes with the settings into the worker, which takes nothing else from them.
        serve(Settings(data_dir=Path(folder), port=int(port), pack=size), _bare)


def serve_unkept(port: str, folder: str, url: str) -> None:
    settings = from_environment({"REGISTRY_DATA_DIR": folder, "REGISTRY_PORT": port})
    serve(msgspec.structs.replace(settings, database_url=url), _unkept)


def _unkept(settings: Settings) -> object:
    return load_application(settings, ready_room=0)


def _bare(settings: Settings) -> object:
    headers = [(b"content-type", b"application/json"), (b"content-length", settings.pack.encode())]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    bodies = cycle(bytes(int(settings.pack)) for _ in range(COPIES))

    async def application(scope, _receive, send):
        if scope["type"] == "http":
            await send(start)
            body = next(bodies)
            await send({"type": "http.response.body", "body": body, "more_body": False})

    return application
