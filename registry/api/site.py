"""Files as a static host serves them: of the built site, and of the log (c2sp.org/tlog-tiles)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec
from litestar import Response, get
from litestar.params import FromPath
from litestar.types import Receive, Send

from registry.api.problems import problem_messages
from registry.api.request import ApiState, request_context
from registry.errors import MethodNotAllowed, NotFound, RegistryError, Unavailable
from registry.file_headers import CHANGING, LOG, headers_of
from registry.ledger.proofs import (
    read_content,
    read_content_bundle,
    read_description,
    read_history,
    read_kept_file,
    read_proof,
    site_made_from,
)
from registry.ledger.publish_files import ObjectStore
from registry.ledger.published_log import LogTree, read_bundle, read_published
from registry.log.files import CHECKPOINT, INCIDENTS, POLICY, WITNESSED
from registry.log.key_chain import parse_key_path
from registry.store.checkpoints import read_file
from registry.store.database import Connection
from registry.tlog.bundle import parse_bundle_path
from registry.tlog.tile import parse_tile_path
from registry.work import in_thread

_GONE = re.compile(rb'<!doctype html>\s*<html [^>]*data-status="410"')
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; "
    "img-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""The content security policy of every page and file of the site."""

_AWAY = "pages come from a store, which does not answer; try again in a moment"
_SECURITY = [(b"content-security-policy", CONTENT_POLICY.encode())]


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
        *_SECURITY,
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


PREFIX = "/log/"

_CONTENT = re.compile(r"content/(0|[1-9][0-9]{0,17})\.json")
_ABSENT = {
    CHECKPOINT: "no checkpoint is published yet; the background runner does that",
    POLICY: "no policy of witnesses is published",
    WITNESSED: "no checkpoint satisfies a policy of witnesses",
}
"""Files of text that the publisher writes and replaces, and what is said where there is none."""
_CONTENTS = re.compile(r"content/bundle/(0|[1-9][0-9]{0,15})")
_PROOF = re.compile(r"proof/(0|[1-9][0-9]{0,17})\.tlog-proof")


@get("/log/{path:path}", include_in_schema=False)
async def get_log_file(path: FromPath[str], state: ApiState) -> Response[bytes]:
    """Read a file of the log."""
    path = path.removeprefix("/")
    try:
        if path == "site.json":
            content = await _site_file(state)
        else:
            async with state.reads.snapshot() as connection:
                content = await _make_file(connection, state.tree, path)
    except ValueError as error:
        raise NotFound(f"the log has no file {path}") from error
    headers = headers_of(LOG + path)
    return Response(
        content=content,
        headers={"content-type": headers.media_type, "cache-control": headers.caching},
    )


async def _site_file(state: ApiState) -> bytes:
    made_from = await in_thread(site_made_from, state.settings.site_dir)
    content = None if made_from is None else msgspec.json.encode(made_from)
    if content is None and state.store is not None:
        content = await state.store.read(LOG + "site.json")
    if content is None:
        raise NotFound("the log has no file site.json")
    return content


async def _make_file(connection: Connection, tree: LogTree, path: str) -> bytes:
    """Make a file from the database; raises `NotFound` or `ValueError` where there is none."""
    if path.startswith(("tile/", "key/")):
        # Nothing but the one way to write its path leads to a file.
        return await _make_lasting(connection, tree, path)
    if path in _ABSENT:
        if path == CHECKPOINT:
            content = (await read_published(connection)).checkpoint
        else:
            content = await read_file(connection, path)
        if content is None:
            raise NotFound(_ABSENT[path])
        return content
    if path == INCIDENTS:
        return msgspec.json.encode(await read_history(connection))
    if path == "log.json":
        return msgspec.json.encode(await read_description(connection))
    return await _make_of_entries(connection, tree, path)


async def _make_of_entries(connection: Connection, tree: LogTree, path: str) -> bytes:
    if (match := _CONTENT.fullmatch(path)) is not None:
        return await read_content(connection, int(match[1]))
    if (match := _CONTENTS.fullmatch(path)) is not None:
        size = (await read_published(connection)).size
        return await read_content_bundle(connection, int(match[1]), size)
    if (match := _PROOF.fullmatch(path)) is not None:
        return await read_proof(connection, tree, int(match[1]))
    raise ValueError(path)


async def _make_lasting(connection: Connection, tree: LogTree, path: str) -> bytes:
    if path.startswith("key/"):
        parse_key_path(path)
        return await read_kept_file(connection, path)
    log = await read_published(connection)
    if path.startswith("tile/entries/"):
        return await read_bundle(connection, log, *parse_bundle_path(path))
    return await tree.read_tile(connection, log, parse_tile_path(path))
