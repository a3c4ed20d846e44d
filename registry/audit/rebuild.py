"""A register that is rebuilt from a copy of its log, in a folder of its own, and asked there."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from registry.api.app import describe_api
from registry.clock import utc_now
from registry.imports.texts import ELLIPSIS
from registry.ledger.published_log import read_keys
from registry.ledger.signing import own_note
from registry.log.files import CHECKPOINT, POLICY, WITNESSED, LogRefused, read_note
from registry.log.key_chain import key_path
from registry.pages.build.read_snapshot import build_register
from registry.record.pack import Pack
from registry.record.pointers import strings_in
from registry.services.log.fold import Fold
from registry.settings import LIMITS, Settings
from registry.store import (
    agencies,
    checkpoints,
    embedded,
    imports,
    log,
    published_files,
    records,
)
from registry.store.checkpoints import Signed
from registry.store.database import Database, connect
from registry.store.imports import KeptRow
from registry.store.migrate import migrate
from registry.verify.log import VerifiedLog
from registry.web.app import create_app
from registry.web.in_process import Answer, AskInForm, answering

_CONNECTIONS = 6
_PLAIN: Mapping[str, str] = {}
_OF_EXCHANGE = {"accept-encoding", "connection"}


class StatedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a rebuilt register takes over: the country pack of the log, and what no entry says.

    `has_guides` is whether the site has what only a console needs: `registry site build` beside a
    `registry up`, which turns the console on, knows nothing of it. `reports` are those of imports,
    by number, each of the digest that its entry has.
    """

    base_url: str
    pack: Pack
    security_contact: str | None = None
    has_console: bool = False
    has_guides: bool = False
    reports: Mapping[int, str] = {}


class RebuiltRegister:
    """A register that follows from the log in a folder; `ask` answers as its application does."""

    def __init__(self, folder: Path, facts: StatedFacts, database: Database, url: str) -> None:
        """Take the data folder, which has the log, and the empty database."""
        unlimited: dict[str, Any] = dict.fromkeys(LIMITS, 0)
        self._settings = Settings(
            data_dir=folder,
            database_url=url,
            base_url=facts.base_url,
            allowed_hosts="*",
            pack=facts.pack.code,
            security_contact=facts.security_contact,
            console="on" if facts.has_console else "off",
            **unlimited,
        )
        self._facts = facts
        self._database = database
        self._ask: AskInForm
        self._rows: set[tuple[str, int]] = set()
        self.size = 0

    async def begin(self) -> None:
        """Make the tables, and store what no entry says."""
        await migrate(self._database)
        async with self._database.transaction() as connection:
            await log.begin(connection)
            await log.keep_pack(connection, self._facts.pack.code)

    async def fold(
        self, size: int, found: VerifiedLog, progress: Callable[[int, int], None]
    ) -> None:
        """Go on to a size of the log, which was verified."""
        folder = self._settings.log_dir
        async with self._database.transaction() as connection:
            state = await log.lock_state(connection)
            start = self.size = state.range.size
            if start == size:
                return
            fold = Fold(folder, start, size)
            await fold.append(connection, progress)
            reached = (await log.read_state(connection)).range
            if reached.root() != found.root_at(size):
                raise LogRefused(f"{folder}: what was read of the log is not what was verified")
            keys = await read_keys(connection)
            signed = Signed(
                size=size,
                root=reached.root(),
                note=own_note(found.note, keys),
                signed_at=utc_now(),
            )
            await checkpoints.insert(
                connection, signed, previous=await checkpoints.read_last(connection)
            )
            names = [CHECKPOINT, POLICY, WITNESSED, *map(key_path, range(1, len(keys.keys)))]
            files = {name: read_note(folder, name) for name in names}
            await published_files.write_files(connection, files, size=size)
            await fold.erase(connection)
            for run, report in self._facts.reports.items():
                await imports.keep_report(connection, run, report)
        self.size = size

    async def take_rows(self, read: Callable[[str], Awaitable[KeptRow | None]]) -> None:
        """Take over the rows of records that have texts of them in part; `read` returns one."""
        async with self._database.transaction() as connection:
            cut = [
                (one.id, one.register.version)
                async for one in records.read_all(connection, withdrawn=True)
                if one.register.origin is not None and _is_cut(one.document)
            ]
            for record, version in cut:
                if (record, version) not in self._rows and (row := await read(record)) is not None:
                    await imports.replace_rows(connection, {record: row})
                    self._rows.add((record, version))

    async def build(self, as_of: dt.datetime, progress: Callable[[int, int], None]) -> list[str]:
        """Build the site for a day, and return its files."""
        report = await build_register(
            self._database,
            await self._pack(),
            msgspec.structs.replace(
                self._settings, console="on" if self._facts.has_guides else "off"
            ),
            out=self._settings.site_dir,
            as_of=as_of,
            progress=progress,
            description=describe_api(self._settings, pack=self._facts.pack),
            processes=os.cpu_count() or 1,
        )
        return await asyncio.to_thread(_files, Path(report.folder))

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Answer what is asked in the block."""
        app = create_app(self._settings, tell=None, pack=await self._pack())
        async with answering(app) as self._ask:
            yield

    async def ask(
        self, path: str, headers: Mapping[str, str] = _PLAIN, body: bytes | None = None
    ) -> Answer:
        """Return the answer at a path, which begins with a slash, whatever its compression."""
        kept = {name: value for name, value in headers.items() if name not in _OF_EXCHANGE}
        return await self._ask(path, kept, body)

    async def _pack(self) -> Pack:
        async with self._database.connection() as connection:
            local = await agencies.read_local(connection)
        return self._facts.pack.with_agencies(local)


def _files(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(str(path.relative_to(folder)) for path in found)


def _is_cut(document: bytes) -> bool:
    """Return whether a document may have texts in part, whose whole no entry has."""
    return any(text.endswith(ELLIPSIS) for text in strings_in(msgspec.json.decode(document)))


@asynccontextmanager
async def rebuilding(folder: Path, facts: StatedFacts) -> AsyncIterator[RebuiltRegister]:
    """Yield an empty register in a folder, with a database that ends with the block."""
    async with AsyncExitStack() as ending:
        server = await asyncio.to_thread(embedded.start, folder)
        ending.push_async_callback(asyncio.to_thread, server.release)
        database = await connect(server.url, size=_CONNECTIONS, patience=600)
        ending.push_async_callback(database.close)
        register = RebuiltRegister(folder, facts, database, server.url)
        await register.begin()
        yield register
