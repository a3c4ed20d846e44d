"""A register at its address, asked by several questions at once and as slowly as it wants."""

from __future__ import annotations

import asyncio
import re
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from registry.errors import Unavailable
from registry.http_client import BoundedClient, HttpAnswer
from registry.log.blob import bundle_of_contents, content_path
from registry.log.files import write_volatile
from registry.tlog.tile import WIDTH
from registry.verify.log import ReadFile
from registry.verify.remote_register import fetch, open_client
from registry.web.in_process import Answer

CONNECTIONS = 4
"""How many questions are asked at once."""

_MOST_BYTES = 2 << 30
"""Of one answer: a whole export of some hundred thousand records."""
_MOST_WAIT = 120.0
_TRIES = 20
_TOO_MANY, _BUSY = 429, 503
_PATIENCE = 900.0
"""Seconds that all questions together wait for what is busy: a damaged server says so for ever."""
_PLAIN: Mapping[str, str] = {}
_CONTENT = re.compile(r"content/([0-9]+)\.json")
_LASTING = re.compile(r"tile/(?!.*\.p/).*")
"""Full tiles and bundles never change."""


class RemoteRegister:
    """A register at an address; a context manager, which closes its connections."""

    def __init__(
        self,
        url: str,
        *,
        connections: int = CONNECTIONS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the address that its paths begin after."""
        self.url = url.rstrip("/")
        self._clients: list[BoundedClient] = []
        self._own = threading.local()
        self._sleep = sleep
        self._until = 0.0
        self._patience = _PATIENCE
        self._pool = ThreadPoolExecutor(connections, thread_name_prefix="asking")
        open_client(self.url).close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ask nothing more."""
        self._pool.shutdown(cancel_futures=True)
        for client in self._clients:
            client.close()

    def get(
        self, path: str, headers: Mapping[str, str] = _PLAIN, body: bytes | None = None
    ) -> Answer:
        """Ask at a path, which begins with a slash; with a body by POST. Raises `Unavailable`."""
        method = "GET" if body is None else "POST"
        address = f"{self.url}{path}"
        for attempt in range(_TRIES):
            # The register counts all questions together.
            if (left := self._until - time.monotonic()) > 0:
                self._sleep(left)
            answer = fetch(self._client(), address, method, headers=headers, content=body)
            if answer.status not in {_TOO_MANY, _BUSY}:
                return Answer(
                    status=answer.status,
                    media_type=answer.headers.get("content-type", ""),
                    content=_decoded(answer, address),
                    headers=dict(answer.headers),
                )
            if answer.status == _BUSY and self._patience <= 0:
                break
            later = answer.headers.get("retry-after", "")
            seconds = min(float(later) if later.isdecimal() else 2.0**attempt, _MOST_WAIT)
            if answer.status == _BUSY:
                self._patience -= seconds
            self._until = max(self._until, time.monotonic() + seconds)
        raise Unavailable(f"{address} answers {answer.status}, {attempt + 1} times in turn")

    async def ask(
        self, path: str, headers: Mapping[str, str] = _PLAIN, body: bytes | None = None
    ) -> Answer:
        """Ask as `get` does, in a thread."""
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, self.get, path, headers, body
        )

    def _client(self) -> BoundedClient:
        known: BoundedClient | None = getattr(self._own, "client", None)
        if known is None:
            known = self._own.client = open_client(self.url, most=_MOST_BYTES)
            self._clients.append(known)
        return known


def _decoded(answer: HttpAnswer, address: str) -> bytes:
    """Return the content of an answer, of one that is compressed what was. Raises `Unavailable`."""
    coding = answer.headers.get("content-encoding", "identity").lower()
    if coding == "identity":
        return answer.content
    press = zlib.decompressobj(zlib.MAX_WBITS | 32)
    with suppress(zlib.error):
        content = press.decompress(answer.content, _MOST_BYTES)
        if coding == "gzip" and press.eof and not press.unused_data:
            return content
    raise Unavailable(f"{address} cannot be read: its content is not what {coding} makes")


class Mirror:
    """Reads the files of a log, and keeps each in a folder.

    Contents are read 256 at a time where the log has them so. `has_changed` says whether a content
    is another than was kept before, as after a redaction.
    """

    def __init__(self, read: ReadFile, folder: Path) -> None:
        """Take what reads the log's files, and the folder, which may have an earlier state."""
        self.has_changed = False
        self._read = read
        self._folder = folder
        self._bundle = -1
        self._contents: list[bytes] = []

    def __call__(self, path: str) -> bytes:
        """Return a file; raises as what reads the log's files."""
        kept = self._folder / path
        if _LASTING.fullmatch(path) and kept.exists():
            return kept.read_bytes()
        match = _CONTENT.fullmatch(path)
        content = self._read(path) if match is None else self._content(int(match[1]))
        if match is not None and kept.exists() and kept.read_bytes() != content:
            self.has_changed = True
        write_volatile(self._folder, path, content)
        return content

    def _content(self, index: int) -> bytes:
        if index // WIDTH != self._bundle:
            self._bundle, self._contents = index // WIDTH, []
            with suppress(FileNotFoundError):
                self._contents = self._read(bundle_of_contents(self._bundle)).split(b"\n")
        at = index % WIDTH
        # The last line is followed by a newline; a bundle that ends before it has not all of them.
        if at + 1 < len(self._contents):
            return self._contents[at]
        return self._read(content_path(index))
