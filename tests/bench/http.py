"""A record over HTTP: from memory, and from the database, beside the bare server.

The bare server is granian with one worker and an application that answers the same number of bytes
without a look at the request. All three stand side by side and are asked in turn. What a server
works for an answer says more than its rate where others use the machine; the database's own work
is not in it.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from registry.api.app import create_app
from registry.cli import logs
from registry.cli.server import serve
from registry.settings import Settings, from_environment
from tests.bench.documents import RECORDS
from tests.bench.generator import ask, load, read, serving, told, until_there
from tests.bench.measure import Comparison
from tests.crash.register import Register

CONNECTIONS = 16
ROUNDS = 8
SECONDS = 1.0
BYTES = 11_000


def run() -> Iterator[Comparison | str]:
    with tempfile.TemporaryDirectory(prefix="rb", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        register = Register(folder, workers=1)
        loaded = register.run("load", RECORDS)
        if loaded.returncode:
            raise RuntimeError(loaded.stderr)
        register.start()
        try:
            until_there(register.port)
            yield from _compared(register)
        finally:
            register.end()


def _compared(register: Register) -> Iterator[Comparison | str]:
    path, size = _record(register.port)
    with (
        serving(__name__, "serve_bare", str(size)) as bare,
        serving(__name__, "serve_unkept", str(register.data), register.database_url) as unkept,
    ):
        servers = {
            "the bare server": bare,
            "from memory": (register.port, register.process.pid),
            "from the database": unkept,
        }
        loads = {name: load(server, [path]) for name, server in servers.items()}
        for _ in range(ROUNDS):
            for one in loads.values():
                ask(one, connections=CONNECTIONS, seconds=SECONDS)
    beside, *ours = loads
    for name in ours:
        yield Comparison(
            name=f"a record of {size:,} bytes {name}, {CONNECTIONS} connections",
            unit="requests",
            beside_name=f"{beside}, {size:,} bytes",
            ours=loads[name].timing,
            beside=loads[beside].timing,
        )
    for line in told(loads):
        yield f"A record over HTTP, {line}"


def _record(port: int) -> tuple[str, int]:
    """Find the demonstration record whose answer is nearest to the size that is wanted."""
    found = []
    for file in RECORDS.glob("*/*.json"):
        path = f"/api/v1/records/{file.parent.name}/{file.stem}"
        status, body = read(port, path)
        if status == 200:
            found.append((abs(len(body) - BYTES), path, len(body)))
    _, path, size = min(found)
    return path, size


# --- the servers beside


def serve_bare(port: str, size: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        # The size goes with the settings into the worker, which takes nothing else from them.
        serve(Settings(data_dir=Path(folder), port=int(port), pack=size), _bare)


def serve_unkept(port: str, folder: str, url: str) -> None:
    settings = from_environment({"REGISTRY_DATA_DIR": folder, "REGISTRY_PORT": port})
    serve(msgspec.structs.replace(settings, database_url=url), _unkept)


def _unkept(settings: Settings) -> object:
    logs.configure()
    return create_app(settings, ready_room=0)


def _bare(settings: Settings) -> object:
    body = bytes(int(settings.pack))
    headers = [(b"content-type", b"application/json"), (b"content-length", settings.pack.encode())]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    rest = {"type": "http.response.body", "body": body, "more_body": False}

    async def application(scope, _receive, send):
        if scope["type"] == "http":
            await send(start)
            await send(rest)

    return application
