"""A register that really serves: its own folder, port, PostgreSQL and tokens, for tests.

`Served.rows` is how a test knows that nothing was written.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import secrets
import shutil
import socket
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg
import httpx

from registry.record.pack import load_pack
from registry.services.operations.startup import open_register
from registry.services.people import access_tokens
from registry.settings import Settings
from registry.store import embedded
from registry.store.database import connect
from tests.built import share_templates
from tests.crash.invariants import broken_laws
from tests.crash.register import Register
from tests.prepared import copy_prepared, make_folder

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from registry.record.pack import Pack

Answer: TypeAlias = tuple[int, dict[str, str], bytes]

ROOT = Path(__file__).parents[1]
PATIENCE = 180
UNLIMITED = {
    "limit_writes": 0,
    "limit_validations": 0,
    "limit_failures": 0,
    "limit_exports": 0,
    "limit_export_records": 0,
    "limit_work": 0,
    "limit_publications": 0,
}

# What a refusal may leave: the note of it, a bucket's level, the day a token was last used; and
# what processes write by themselves.
_NOTED = ("allowance", "audit", "audit_link", "audit_unchained", "heartbeat", "member", "token")

_DIGEST = (
    "select '{0}' as name, count(*) as rows,"
    " md5(string_agg(t::text, '' order by t::text)) as digest from {0} as t"
)


async def add_member(database: Any, agency: str) -> int:
    """Insert a member who files and reviews for an agency; return her number."""
    async with database.connection() as connection:
        return int(
            await connection.fetchval(
                "insert into member (name, agency, roles, language, invited_at)"
                " values ('A', $1, '{editor, reviewer}', 'fr', now()) returning id",
                agency,
            )
        )


class _Looking:
    """One connection that digests all tables in one statement: hundreds of tests look twice."""

    def __init__(self, database_url: str) -> None:
        self._runner = asyncio.Runner()
        self._connection, self._statement = self._runner.run(self._open(database_url))

    async def _open(self, database_url: str) -> tuple[asyncpg.Connection[Any], str]:
        connection = await asyncpg.connect(database_url)
        tables = await connection.fetch(
            "select relname from pg_class where relkind = 'r'"
            " and relnamespace = 'public'::regnamespace order by 1"
        )
        names = [row["relname"] for row in tables if row["relname"] not in _NOTED]
        return connection, " union all ".join(_DIGEST.format(name) for name in names)

    def rows(self) -> dict[str, tuple[int, str | None]]:
        found = self._runner.run(self._connection.fetch(self._statement))
        return {row["name"]: (row["rows"], row["digest"]) for row in found}

    def close(self) -> None:
        self._runner.run(self._connection.close())
        self._runner.close()


class Served:
    """A running register, and ways to ask it and to look into its database."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self.port = register.port
        self.url = register.base_url
        self.client = httpx.Client(base_url=self.url, timeout=PATIENCE)
        self._actors = 0
        self._looking: _Looking | None = None

    def token(
        self,
        agency: str | None = "demo-sante",
        *scopes: str,
        actor: str | None = None,
        days: int = 30,
        now: dt.datetime | None = None,
        member: int | None = None,
    ) -> str:
        """Make a token; its scope is `file`, and its actor is its own, unless others are named.

        One that reviews for an agency is of a member, a new one unless her number is given.
        """
        self._actors += 1
        if member is None and agency is not None and "review" in scopes:
            member = self.work(lambda database: add_member(database, agency))
        return self.work(
            lambda database: access_tokens.create_token(
                database,
                agency=agency,
                scopes=scopes or ("file",),
                actor=actor or f"actor-{self._actors}",
                days=days,
                now=now or dt.datetime.now(dt.UTC),
                random=secrets.token_bytes,
                member=member,
            )
        )

    def bearer(
        self, agency: str | None = "demo-sante", *scopes: str, **more: Any
    ) -> dict[str, str]:
        """Make a token, as the header that shows it."""
        return {"authorization": f"Bearer {self.token(agency, *scopes, **more)}"}

    def work(self, do: Callable[[Any], Awaitable[Any]]) -> Any:
        """Do something with the register's database, as its own code does."""

        async def opened() -> Any:
            database = await connect(self.register.database_url)
            try:
                return await do(database)
            finally:
                await database.close()

        return asyncio.run(opened())

    def rows(self) -> dict[str, tuple[int, str | None]]:
        """Count every table's rows and digest them, but for what a refusal may leave."""
        if self._looking is None:
            self._looking = _Looking(self.register.database_url)
        return self._looking.rows()

    def close(self) -> None:
        """End what looks at it."""
        self.client.close()
        if self._looking is not None:
            self._looking.close()

    def broken_laws(self, pack: Pack) -> list[str]:
        """Say which laws of the register's rows do not hold, but for one.

        A submission for review, or of what is in force, is noted and publishes nothing.
        """
        found = asyncio.run(broken_laws(self.register.database_url, pack))
        return [law for law in found if not law.startswith("the audit trail and the log differ")]

    def faults(self) -> list[str]:
        """Give the lines of the register's own log that tell of a fault."""
        lines = self.register.log.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if '"level":"error"' in line]

    def raw(self, *parts: bytes, wait: float = 0, cut: bool = False) -> Answer:
        """Send bytes as they are, with a pause between, and read one whole answer.

        `cut` ends our half of the connection after them. The status is 0 where nothing came back.
        """
        received = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as line:
            # What is refused early is answered, or dropped, before it was said to its end.
            with suppress(OSError):
                for part in parts:
                    line.sendall(part)
                    time.sleep(wait)
                if cut:
                    line.shutdown(socket.SHUT_WR)
            with suppress(OSError):
                while not _is_whole(received) and (block := line.recv(65536)):
                    received += block
        return _parsed(received)


def until(condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Wait until something holds, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.2)
    return found


@contextmanager
def served(*, load: bool = False, **settings: object) -> Iterator[Served]:
    """Start a register, with the demonstration records or empty; end it, whatever happens."""
    folder = make_folder("s")
    try:
        copy_register(folder, load=load)
        running = Served(Register(folder, **settings))
        running.register.start()
        try:
            until_live(running)
            yield running
        finally:
            running.close()
            running.register.end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def copy_register(folder: Path, *, load: bool) -> None:
    """Make a register in a folder, with the demonstration records or empty."""
    copy_prepared("loaded" if load else "opened", _load if load else _open, folder)
    share_templates(folder)
    # As if a site were built: it is not what is asked here.
    (folder / "site").mkdir()
    (folder / "site" / "index.html").touch()


def _open(folder: Path) -> None:
    server = embedded.start(folder)
    settings = Settings(data_dir=folder)

    async def opened() -> None:
        database = await connect(server.url)
        await open_register(
            database, load_pack(settings.pack), settings, now=dt.datetime.now(dt.UTC)
        )
        await database.close()

    asyncio.run(opened())
    server.release()


def _load(folder: Path) -> None:
    done = Register(folder).run("load", ROOT / "records")
    assert done.returncode == 0, done.stderr


def records(*agencies: str) -> Sequence[dict[str, Any]]:
    """The demonstration records of some agencies, all of which can be published."""
    return [
        json.loads(path.read_text(encoding="utf-8"))
        for agency in agencies
        for path in sorted((ROOT / "records" / agency).glob("*.json"))
        if "." not in path.stem
    ]


def until_live(running: Served) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if running.client.get("/health/live").is_success:
                return
        except httpx.TransportError:
            pass
        log = running.register.log.read_text(encoding="utf-8")
        assert not running.register.gone(), log
        assert time.monotonic() < deadline, log
        time.sleep(0.1)


def _is_whole(received: bytes) -> bool:
    head, found, body = received.partition(b"\r\n\r\n")
    if not found:
        return False
    length = _headers(head).get("content-length")
    return length is not None and len(body) >= int(length)


def _parsed(received: bytes) -> Answer:
    head, _, body = received.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 "):
        return 0, {}, received
    return int(head[9:12]), _headers(head), body


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
