"""The built site, served from its folder as any static host would.

A flat file `fr/about.html` answers `/fr/about`, a folder's `index.html` answers `/fr/`. The page of
a withdrawn record says in its first element that it is answered with 410: `data-status="410"`.
Every page has a policy of its own beside the header's: only those with a search box, letters, and
those of records and their versions, run a script.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec
from litestar.types import Receive, Send

from registry.api.problems import problem_messages
from registry.api.request import request_context
from registry.errors import MethodNotAllowed, NotFound, RegistryError, Unavailable
from registry.file_headers import CHANGING, LOG, headers_of
from registry.ledger.targets import ObjectStore
from registry.work import in_thread

_GONE = re.compile(rb'<!doctype html>\s*<html [^>]*data-status="410"')
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; "
    "img-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""The content security policy of every page and file of the site but those of `EMBEDDED`."""

EMBEDDED = re.compile(r"[a-z]+/(records/[^/]+/[^/]+|statistics/[^/]+)/embed\.html")
"""The files that others may show in a frame; they have no form and no script."""

_AWAY = "pages come from a store, which does not answer; try again in a moment"
_SECURITY = [(b"content-security-policy", CONTENT_POLICY.encode())]
_FRAMED_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors *"
)
_FRAMED = [(b"content-security-policy", _FRAMED_POLICY.encode())]


class SitePage(msgspec.Struct, frozen=True):
    """A file of the site by its path, with its content and, where it has one, its tag."""

    path: str
    content: bytes
    tag: str | None = None


class StaticSite:
    """Serves a folder, which may be a link that moves, or a store where there is no such folder.

    Ours, because litestar's static files know no flat pages, no page that is answered with 410, and
    no folder that is switched while it serves.
    """

    def __init__(self, folder: Path, store: ObjectStore | None = None) -> None:
        """Take the folder, which need not be there yet."""
        self._folder = folder
        self._store = store

    async def __call__(self, scope: Any, _receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return
        if scope["method"] != "GET":
            await _problem(scope, send, MethodNotAllowed(f"{scope['method']} is not possible here"))
            return
        try:
            found = await self._find(scope["path"])
            if isinstance(found, str):
                headers = [(b"location", found.encode()), (b"content-length", b"0"), *_SECURITY]
                await _send(send, 308, headers, b"")
            elif found is None:
                await self._not_found(scope, send)
            else:
                await _file(send, found, 200)
        except Unavailable as error:
            await _problem(scope, send, error)

    async def _find(self, path: str) -> SitePage | str | None:
        """Return the file of an address; a text is where the address should have gone."""
        places = _places(path)
        if places is None:
            return None
        for file, leads_to in places:
            if (page := await self._read(file)) is not None:
                return leads_to or page
        return None

    async def _read(self, file: str) -> SitePage | None:
        if self._store is None or await in_thread((self._folder / "index.html").is_file):
            return await in_thread(_read_file, self._folder, file)
        if file.startswith((".", LOG)):
            return None
        try:
            content = await self._store.read(file)
        except Unavailable as error:
            raise Unavailable(_AWAY) from error
        return None if content is None else SitePage(file, content)

    async def _not_found(self, scope: Any, send: Send) -> None:
        wants = dict(scope["headers"]).get(b"accept", b"")
        page = await self._read("404.html")
        if b"text/html" in wants and page is not None:
            await _file(send, page, 404)
            return
        why = f"there is no page {scope['path']}"
        if page is None:
            why = "the site is not built yet; it is there in a moment, or run: registry site build"
        await _problem(scope, send, NotFound(why))


def _places(path: str) -> list[tuple[str, str | None]] | None:
    """List the files that an address may mean, with the address that it should have gone to.

    One slash too many or too few: a folder's page ends in one, a flat page does not.
    """
    parts = unquote(path).split("/")[1:]
    if (
        not parts
        or "" in parts[:-1]
        or any(part in {".", ".."} or "\\" in part or "\x00" in part for part in parts)
    ):
        return None
    here = "/".join(parts)
    if parts[-1]:
        return [(here, None), (f"{here}.html", None), (f"{here}/index.html", path + "/")]
    flat = [] if here == "" else [(f"{here[:-1]}.html", path[:-1])]
    return [(f"{here}index.html", None), *flat]


def _read_file(folder: Path, file: str) -> SitePage | None:
    path = folder / file
    try:
        if not path.is_file():
            return None
        content, stat = path.read_bytes(), path.stat()
    except OSError:
        # It is gone: the site was switched under us. Or its name is longer than a name can be.
        return None
    return SitePage(file, content, f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"')


async def _file(send: Send, page: SitePage, status: int) -> None:
    media_type, caching = msgspec.structs.astuple(headers_of(page.path))
    if _GONE.match(page.content):
        status = 410
    headers = [
        (b"content-type", media_type.encode()),
        (b"content-length", str(len(page.content)).encode()),
        (b"cache-control", (caching if status == 200 else CHANGING).encode()),  # noqa: PLR2004
        *(_FRAMED if EMBEDDED.fullmatch(page.path) else _SECURITY),
    ]
    if status == 200 and page.tag is not None:  # noqa: PLR2004
        headers.append((b"etag", page.tag.encode()))
    await _send(send, status, headers, page.content)


async def _problem(scope: Any, send: Send, error: RegistryError) -> None:
    allow = {"allow": "GET, HEAD"} if isinstance(error, MethodNotAllowed) else {}
    start, body = problem_messages(error, request_context(scope).id, allow)
    start["headers"] += _SECURITY
    await send(start)
    await send(body)


async def send_page(send: Send, content: bytes, status: int = 200) -> None:
    """Send a page that was rendered for this request."""
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"no-cache"),
        *_SECURITY,
    ]
    await _send(send, status, headers, content)


async def send_redirect(send: Send, location: str, *, vary: str = "") -> None:
    """Lead to another address, which may be another one next time (303)."""
    headers = [
        (b"location", location.encode()),
        (b"content-length", b"0"),
        (b"cache-control", b"no-cache"),
        *_SECURITY,
    ]
    if vary:
        headers.append((b"vary", vary.encode()))
    await _send(send, 303, headers, b"")


async def _send(send: Send, status: int, headers: Any, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
