"""The built site, served from its folder as any static host would.

A flat file `fr/about.html` answers `/fr/about`, a folder's `index.html` answers `/fr/`. The page of
a withdrawn record says in its first element that it is answered with 410: `data-status="410"`.
Every page has a policy of its own beside the header's: only those with a search box, and those of
records and their versions, run a script.
"""

from __future__ import annotations

import mimetypes
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from litestar.types import Receive, Send

from registry.api.problems import problem_messages
from registry.api.request_context import request_context
from registry.errors import MethodNotAllowed, NotFound
from registry.work import in_thread

_HASHED = "/assets/"
_GONE = re.compile(rb'<!doctype html>\s*<html [^>]*data-status="410"')
_YEAR = "public, max-age=31536000, immutable"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ico": "image/x-icon",
    ".png": "image/png",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
    ".xml": "application/xml",
    ".atom": "application/atom+xml",
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
}
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; "
    "img-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""The content security policy of every page and file of the site."""

_SECURITY = [(b"content-security-policy", POLICY.encode())]


class StaticSite:
    """Serves a folder, which may be a link that moves.

    Ours, because litestar's static files know no flat pages, no page that is answered with 410, and
    no folder that is switched while it serves.
    """

    def __init__(self, folder: Path) -> None:
        """Take the folder, which need not be there yet."""
        self._folder = folder

    async def __call__(self, scope: Any, _receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return
        if scope["method"] != "GET":
            await _problem(scope, send, MethodNotAllowed(f"{scope['method']} is not possible here"))
            return
        found = await in_thread(_find, self._folder, scope["path"])
        if isinstance(found, str):
            headers = [(b"location", found.encode()), (b"content-length", b"0"), *_SECURITY]
            await _send(send, 308, headers, b"")
        elif found is None:
            await _not_found(self._folder, scope, send)
        else:
            await _file(scope, send, found, 200)


def _find(folder: Path, path: str) -> Path | str | None:
    """Return the file of an address; a text is where the address should have gone."""
    parts = unquote(path).split("/")[1:]
    if (
        not parts
        or "" in parts[:-1]
        or any(part in {".", ".."} or "\\" in part or "\x00" in part for part in parts)
    ):
        return None
    *above, name = parts
    here = folder.joinpath(*above)
    files = [here / name, here / f"{name}.html"] if name else [here / "index.html"]
    try:
        for file in files:
            if file.is_file():
                return file
        # One slash too many or too few: a folder's page ends in one, a flat page does not.
        if name and (here / name / "index.html").is_file():
            return path + "/"
        if not name and here.with_name(f"{here.name}.html").is_file():
            return path[:-1]
    except OSError:
        # A name longer than the file system takes is of no page of ours.
        return None
    return None


async def _file(scope: Any, send: Send, path: Path, status: int) -> None:
    try:
        content, stat = await in_thread(lambda: (path.read_bytes(), path.stat()))
    except FileNotFoundError:
        # The site was switched under us; the next request finds the new one.
        await _problem(scope, send, NotFound("this page has just moved; try again"))
        return
    lasting = status == 200 and scope["path"].startswith(_HASHED)  # noqa: PLR2004
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "text/plain"
    if _GONE.match(content):
        status = 410
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", (_YEAR if lasting else "no-cache").encode()),
        *_SECURITY,
    ]
    if status == 200:  # noqa: PLR2004
        headers.append((b"etag", f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'.encode()))
    await _send(send, status, headers, content)


async def _not_found(folder: Path, scope: Any, send: Send) -> None:
    wants = dict(scope["headers"]).get(b"accept", b"")
    page = folder / "404.html"
    if b"text/html" in wants and page.is_file():
        await _file(scope, send, page, 404)
        return
    if not (folder / "index.html").is_file():
        await _problem(
            scope,
            send,
            NotFound(
                "the site is not built yet; it is there in a moment, or run: registry site build"
            ),
        )
        return
    await _problem(scope, send, NotFound(f"there is no page {scope['path']}"))


async def _problem(scope: Any, send: Send, error: NotFound | MethodNotAllowed) -> None:
    allow = {"allow": "GET, HEAD"} if isinstance(error, MethodNotAllowed) else {}
    start, body = problem_messages(error, request_context(scope).id, allow)
    start["headers"] += _SECURITY
    await send(start)
    await send(body)


async def send_page(send: Send, content: bytes, status: int = 200) -> None:
    """Send a page that was rendered for this request."""
    headers = [
        (b"content-type", _TYPES[".html"].encode()),
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
