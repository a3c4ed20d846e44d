"""The numbers of `docs/architecture.md`, counted: `python -m tools.numbers`."""

from __future__ import annotations

import ast
import asyncio
import secrets
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from registry import resources
from registry.clock import utc_now
from registry.services.context import ServiceContext
from registry.services.operations.startup import run_in_register
from registry.services.people import access_tokens
from registry.settings import Settings
from registry.store import embedded
from registry.web.app import create_app

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "registry"
BASE = "http://127.0.0.1:8000"
AGENCY = "demo-sante"

_OF_A_VERSION = {"document", "hash", "leaf", "entry"}


def main() -> None:
    """Write every number to stdout."""
    trees = {path: ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
    lines = {folder: _lines(ROOT / folder) for folder in ("registry", "tests")}
    statements = sum(isinstance(one, ast.stmt) for tree in trees.values() for one in ast.walk(tree))
    shown: dict[str, object] = {
        "lines of registry/": f"{lines['registry']} in {len(trees)} modules",
        "statements": statements,
        "lines of tests/": lines["tests"],
        "structs with a version and a slice of it": len(structs := sorted(_versions(trees))),
        "these": ", ".join(structs),
        "public names that stand twice": sorted(_twice(trees)),
        "module state that a caller sets": sorted(_global_statements(trees)),
    }
    with tempfile.TemporaryDirectory(prefix="numbers-") as folder:
        server = embedded.start(Path(folder))
        try:
            settings = Settings(data_dir=Path(folder), database_url=server.url, base_url=BASE)
            token = run_in_register(settings, _token)
            shown |= asyncio.run(_crossed(settings, token))
        finally:
            server.release()
    for name, value in shown.items():
        sys.stdout.write(f"{name}: {value}\n")


def _lines(folder: Path) -> int:
    return sum(len(path.read_text("utf-8").splitlines()) for path in folder.rglob("*.py"))


def _structs(trees: Mapping[Path, ast.Module]) -> Iterator[tuple[str, set[str]]]:
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                fields = {
                    ast.unparse(one.target) for one in node.body if isinstance(one, ast.AnnAssign)
                }
                yield node.name, fields


def _versions(trees: Mapping[Path, ast.Module]) -> Iterator[str]:
    return (
        name
        for name, fields in _structs(trees)
        if "version" in fields and not fields.isdisjoint(_OF_A_VERSION)
    )


def _twice(trees: Mapping[Path, ast.Module]) -> Iterator[str]:
    counted = Counter(
        node.name
        for tree in trees.values()
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    return (name for name, count in counted.items() if count > 1)


def _global_statements(trees: Mapping[Path, ast.Module]) -> set[str]:
    return {
        f"{path.relative_to(ROOT)} {name}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Global)
        for name in node.names
    }


async def _token(context: ServiceContext) -> str:
    return await access_tokens.create_token(
        context.database,
        agency=AGENCY,
        scopes=["file"],
        actor=None,
        days=1,
        now=utc_now(),
        random=secrets.token_bytes,
    )


async def _crossed(settings: Settings, token: str) -> dict[str, str]:
    """Return in how many files of the package something is called, in all and by room.

    The same is done before with another record, or question, so that caches are full.
    """
    calls = _Calls()
    application = create_app(settings, tell=None)
    async with _serving(application), _client(application, token) as client:
        filings = [_filing(client, name) for name in ("prevision-lits", "stocks-medicaments")]
        questions = [_question(client, word) for word in ("lits", "stocks")]
        return {
            "files that a submitted draft crosses": await calls.count(*filings),
            "files that a question crosses": await calls.count(*questions),
        }


def _filing(client: httpx.AsyncClient, name: str) -> Callable[[], Awaitable[None]]:
    document = msgspec.json.decode((resources.RECORDS / AGENCY / f"{name}.json").read_bytes())
    document["publication"].pop("change_note", None)
    path = f"/api/v1/filings/{AGENCY}/{name}"

    async def file() -> None:
        saved = await client.put(path, json=document, headers={"if-none-match": "*"})
        saved.raise_for_status()
        (await client.post(f"{path}/submit")).raise_for_status()

    return file


def _question(client: httpx.AsyncClient, word: str) -> Callable[[], Awaitable[None]]:
    async def ask() -> None:
        (await client.get("/api/v1/records", params={"q": word})).raise_for_status()

    return ask


class _Calls:
    """The files of the package in which functions are called, in every thread."""

    def __init__(self) -> None:
        self._found: set[str] | None = None
        threading.setprofile(self._note)

    async def count(
        self, first: Callable[[], Awaitable[None]], measured: Callable[[], Awaitable[None]]
    ) -> str:
        await first()
        found: set[str] = set()
        self._found = found
        sys.setprofile(self._note)
        try:
            await measured()
        finally:
            sys.setprofile(None)
            self._found = None
        rooms = Counter(Path(name).relative_to(PACKAGE).parts[0] for name in found)
        by_room = ", ".join(f"{room.removesuffix('.py')} {n}" for room, n in rooms.most_common())
        return f"{len(found)} ({by_room})"

    def _note(self, frame: Any, event: str, _: object) -> None:
        if event == "call" and self._found is not None:
            name = frame.f_code.co_filename
            if name.startswith(str(PACKAGE)):
                self._found.add(name)


def _client(application: Any, token: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(application),
        base_url=BASE,
        headers={"authorization": f"Bearer {token}"},
    )


@asynccontextmanager
async def _serving(application: Any) -> AsyncIterator[None]:
    """Start and end an application as a server does (ASGI lifespan)."""
    asked: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    answered: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    running = asyncio.create_task(application(scope, asked.get, answered.put))
    await asked.put({"type": "lifespan.startup"})
    await answered.get()
    yield
    await asked.put({"type": "lifespan.shutdown"})
    await answered.get()
    await running


if __name__ == "__main__":
    main()
