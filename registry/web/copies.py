"""Copies of the site to carry, as archives: made when asked, then kept until the next build.

`/copies/register-<language>.zip` has the pages of one language, `/copies/register.zip` all. Each is
made by a process of its own (`registry site copy`), one at a time and with a low priority, and sent
while it grows.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import BinaryIO, TypeAlias

import msgspec
import structlog
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Stream

from registry.api.authentication import limit_exports
from registry.api.conditional import is_unread
from registry.api.request import ApiRequest
from registry.errors import NotFound, Unavailable
from registry.pages.build.build_directory import build_name, builds_folder
from registry.pages.offline import COPY_PREFIX, archive_names
from registry.record.pack import load_pack
from registry.settings import PREFIX, Settings
from registry.work import in_thread

_LOW_PRIORITY = 10
"""Answers come first, but on a busy host an archive still gets its share: with 19 it gets none."""
_PART = 2**18
_POLL_SECONDS = 0.2
_LEFT_SECONDS = 3600.0
"""What a process that died has left is removed after this time."""

_Work: TypeAlias = "asyncio.Task[None]"

_log = structlog.get_logger()


def copy_handler(settings: Settings) -> HTTPRouteHandler:
    """Return the handler below `/copies/`."""
    known = archive_names(load_pack(settings.pack, settings.packs).languages)
    archives = _Archives(settings)

    @get("/copies/{file:str}", guards=[limit_exports], include_in_schema=False)
    async def copy_archive(request: ApiRequest, file: FromPath[str]) -> Response[bytes] | Stream:
        if file not in known:
            raise NotFound(f"there is no copy {file}; there are: {', '.join(known)}")
        name = await in_thread(archives.name, file)
        headers = {
            "cache-control": "no-cache",
            "content-disposition": f'attachment; filename="{file}"',
            "etag": f'W/"{name}"',
        }
        if is_unread(request.scope, headers["etag"]):
            parts = _nothing()
        else:
            parts = _parts(*await archives.open(name, file, known[file]))
        return Stream(parts, media_type="application/zip", headers=headers)

    return copy_archive


class _Archives:
    """The archives of the build in force."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._growing: dict[str, tuple[Path, _Work]] = {}
        self._one_at_a_time = asyncio.Semaphore()

    def name(self, file: str) -> str:
        """Return a name that an archive has in this build alone; raises `Unavailable`."""
        site = self._settings.site_dir
        if not (site / "index.html").is_file():
            raise Unavailable("the site is not built yet; it is there in a moment")
        return f"copy-{build_name(site)}-{file}"

    async def open(
        self, name: str, file: str, tags: Sequence[str]
    ) -> tuple[BinaryIO, _Work | None]:
        """Open an archive, which is made if there is none, and may still grow.

        Raises `Unavailable` where it cannot be made.
        """
        kept = builds_folder(self._settings.site_dir) / name
        with suppress(FileNotFoundError):
            return kept.open("rb"), None
        if name not in self._growing:
            try:
                path = await in_thread(self._new_folder) / file
            except OSError as error:
                raise Unavailable("there is no room for a copy on the server") from error
            work = asyncio.create_task(self._make(name, path, kept, tags))
            work.add_done_callback(lambda _: self._growing.pop(name, None))
            self._growing[name] = path, work
        path, work = self._growing[name]
        while not work.done():
            with suppress(FileNotFoundError):
                return path.open("rb"), work
            await asyncio.wait({work}, timeout=_POLL_SECONDS)
        work.result()
        with suppress(FileNotFoundError):
            return kept.open("rb"), None
        raise Unavailable("the site was built again while it was copied; try again")

    def _new_folder(self) -> Path:
        for left in self._settings.data_dir.glob(f"{COPY_PREFIX}*"):
            with suppress(FileNotFoundError):
                if left.stat().st_mtime < time.time() - _LEFT_SECONDS:
                    shutil.rmtree(left, ignore_errors=True)
        return Path(mkdtemp(prefix=COPY_PREFIX, dir=self._settings.data_dir))

    async def _make(self, name: str, path: Path, kept: Path, tags: Sequence[str]) -> None:
        try:
            async with self._one_at_a_time:
                await self._run(path, tags)
            await asyncio.to_thread(self._keep, name, path, kept)
        finally:
            await asyncio.to_thread(shutil.rmtree, path.parent, ignore_errors=True)

    def _keep(self, name: str, path: Path, kept: Path) -> None:
        """Put an archive where the next build removes it, and with it what is erased by then."""
        if self.name(path.name) == name:
            kept.parent.mkdir(exist_ok=True)
            path.rename(kept)

    async def _run(self, path: Path, tags: Sequence[str]) -> None:
        known = {
            f"{PREFIX}{name.upper()}": str(value)
            for name, value in msgspec.structs.asdict(self._settings).items()
            # Read already: the address of the database is known.
            if value is not None and name != "database_url_file"
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "registry", "site", "copy", "--out", str(path)),
            *(option for tag in tags for option in ("--language", tag)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
            | known,
        )
        try:
            # A sandbox may forbid it; the archive is made all the same.
            with suppress(ProcessLookupError, PermissionError):
                os.setpriority(os.PRIO_PROCESS, process.pid, _LOW_PRIORITY)
            _, told = await process.communicate()
        finally:
            with suppress(ProcessLookupError):
                process.kill()
        if process.returncode:
            _log.error("the site could not be copied", why=told.decode(errors="replace")[-500:])
            raise Unavailable("the site could not be copied; try again later")


async def _parts(file: BinaryIO, work: _Work | None) -> AsyncIterator[bytes]:
    """Yield the parts of an archive as it grows.

    Raises what its making raised, so that nobody takes a part for the whole.
    """
    with file:
        while True:
            is_whole = work is None or work.done()
            while part := await in_thread(file.read, _PART):
                yield part
            if work is None or is_whole:
                break
            await asyncio.wait({work}, timeout=_POLL_SECONDS)
        if work is not None:
            work.result()


async def _nothing() -> AsyncIterator[bytes]:
    """Yield a body that nobody reads, in a part that does not look like a whole one."""
    yield b""
