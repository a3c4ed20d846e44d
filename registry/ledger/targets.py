"""Where the published log and the site go: a folder, or a store of objects that speaks S3.

A store is reached with the variables `AWS_*`, as by other programs.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import S3Store

from registry.errors import ConfigurationError, Unavailable
from registry.file_headers import headers_of
from registry.log.files import TEMPORARY, write_volatile

Change: TypeAlias = Callable[[bytes | None], bytes | None]
"""Returns from what is there what is to be there; None leaves it."""

T = TypeVar("T")

_REQUEST = re.compile(r"Error performing (?P<method>[A-Z]+) .* - (?P<reason>[^<]*[^<: ])")
_AT_ONCE = 32
_REMOVED_AT_ONCE = 1000
_TRIES = 10
_RETRIES = 3
_RETRY_TIME = dt.timedelta(seconds=20)
_ANSWER_TIME = "30s"
_CONNECT_TIME = "5s"


class FileTarget(Protocol):
    """A place for files by path, which begins with `log/` for those of the log.

    Each method raises `Unavailable` where the place is not reached.
    """

    @property
    def name(self) -> str:
        """What the place is called in messages."""

    async def read(self, path: str) -> bytes | None:
        """Return a file, None where there is none."""

    async def write(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Write files, over those that are there, in any order."""

    async def update(self, path: str, change: Change) -> None:
        """Change a file, so that what another writes at the same time is not overwritten."""

    async def remove(self, paths: Iterable[str]) -> None:
        """Remove files, of which some may not be there."""


class Folder:
    """A folder; `strip` is the beginning of paths that does not show in it."""

    def __init__(self, folder: Path, *, strip: str = "") -> None:
        """Take the folder, which need not be there yet."""
        self._folder = folder
        self._strip = strip

    @property
    def name(self) -> str:
        """The folder's path."""
        return str(self._folder)

    async def read(self, path: str) -> bytes | None:
        """Return a file, None where there is none."""
        with suppress(FileNotFoundError):
            return await asyncio.to_thread(self._path(path).read_bytes)
        return None

    async def write(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Write files, each whole."""

        def write() -> None:
            for path, content in files:
                write_volatile(self._folder, path.removeprefix(self._strip), content)
            with suppress(OSError):
                (self._folder / TEMPORARY).rmdir()

        await asyncio.to_thread(write)

    async def update(self, path: str, change: Change) -> None:
        """Change a file; whoever exports to one folder twice at a time has to wait for himself."""
        content = change(await self.read(path))
        if content is not None:
            await self.write([(path, content)])

    async def remove(self, paths: Iterable[str]) -> None:
        """Remove files."""
        for path in paths:
            self._path(path).unlink(missing_ok=True)

    def _path(self, path: str) -> Path:
        return self._folder / path.removeprefix(self._strip)


class ObjectStore:
    """A store of objects; what is written has the headers that its readers are to get."""

    def __init__(self, address: str) -> None:
        """Take its address, `s3://bucket/prefix`; raises `ConfigurationError`."""
        self._address = address.rstrip("/")
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL", "")
        try:
            self._store = S3Store.from_url(
                self._address,
                client_options={
                    "allow_http": endpoint.startswith("http://"),
                    "timeout": _ANSWER_TIME,
                    "connect_timeout": _CONNECT_TIME,
                },
                retry_config={"max_retries": _RETRIES, "retry_timeout": _RETRY_TIME},
            )
        except BaseError as error:
            raise ConfigurationError(
                f"the store {self._address} cannot be used: {_reason(error)}; see the "
                "variables AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and "
                "AWS_ENDPOINT_URL"
            ) from error

    @property
    def name(self) -> str:
        """The store's address."""
        return self._address

    async def read(self, path: str) -> bytes | None:
        """Return an object, None where there is none."""
        return (await self._read(path))[0]

    async def write(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Write objects, some of them at the same time."""
        for some in _batches(files, _AT_ONCE):
            with self._reaching():
                await asyncio.gather(*(self._put(*file, "overwrite") for file in some))

    async def update(self, path: str, change: Change) -> None:
        """Change an object by a conditional put, which is repeated where another came before."""
        for _ in range(_TRIES):
            before, tag = await self._read(path)
            content = change(before)
            if content is None or content == before:
                return
            with self._reaching(), suppress(AlreadyExistsError, PreconditionError):
                await self._put(path, content, "create" if tag is None else {"e_tag": tag})
                return
        raise Unavailable(f"{self._address}/{path} changes all the time; try again")

    async def remove(self, paths: Iterable[str]) -> None:
        """Remove objects."""
        for some in _batches(paths, _REMOVED_AT_ONCE):
            with self._reaching():
                await obstore.delete_async(self._store, some)

    async def list(self, prefix: str) -> AsyncIterator[tuple[str, dt.datetime]]:
        """Yield the paths of objects below a prefix, and when each was written."""
        with self._reaching():
            async for some in obstore.list(self._store, prefix):
                for one in some:
                    yield one["path"], one["last_modified"]

    async def _read(self, path: str) -> tuple[bytes | None, str | None]:
        with self._reaching(), suppress(FileNotFoundError):
            found = await obstore.get_async(self._store, path)
            return bytes(await found.bytes_async()), found.meta["e_tag"]
        return None, None

    async def _put(self, path: str, content: bytes, mode: Any) -> None:
        headers = headers_of(path)
        await obstore.put_async(
            self._store,
            path,
            content,
            attributes={"Content-Type": headers.media_type, "Cache-Control": headers.caching},
            mode=mode,
            use_multipart=False,
        )

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Raise what goes wrong as `Unavailable`, in a sentence."""
        try:
            yield
        except (BaseError, OSError) as error:
            raise Unavailable(
                f"the store {self._address} is not reached, or refuses us: {_reason(error)}"
            ) from error


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some


def _reason(error: BaseException) -> str:
    """Return why a request failed: always the same words, without how long it took."""
    line = str(error).splitlines()[0]
    found = _REQUEST.search(line)
    return line if found is None else f"{found['reason']} ({found['method']})"
