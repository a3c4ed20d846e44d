"""The transparency log as files, c2sp.org/tlog-tiles: the paths any static host could serve.

All is made from the database, so that any host serves it, whichever publishes.
"""

from __future__ import annotations

import re

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from registry.api.request_context import ApiState
from registry.errors import NotFound
from registry.ledger.files import CHECKPOINT, POLICY, WITNESSED
from registry.ledger.key_chain import parse_key_path
from registry.ledger.proofs import (
    INCIDENTS,
    read_content,
    read_content_bundle,
    read_description,
    read_history,
    read_kept_file,
    read_proof,
    site_made_from,
)
from registry.ledger.published_log import LogTree, read_bundle, read_published
from registry.store.database import Connection
from registry.store.published import read_file
from registry.tlog.bundle import parse_bundle_path
from registry.tlog.tile import parse_tile_path
from registry.work import in_thread

PREFIX = "/log/"

_TEXT = "text/plain"
_BINARY = "application/octet-stream"
_JSON = "application/json"
_JSON_LINES = "application/jsonl"
_LASTING = "public, max-age=31536000, immutable"
_CHANGING = "no-cache"
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
    if path == "site.json":
        made_from = await in_thread(site_made_from, state.settings.site_dir)
        if made_from is None:
            raise NotFound(f"the log has no file {path}")
        return _json(made_from)
    async with state.context.database.snapshot() as connection:
        if path in _ABSENT:
            content = await read_file(connection, path)
            if content is None:
                raise NotFound(_ABSENT[path])
            return _answer(content, _TEXT, _CHANGING)
        try:
            return await _make_file(connection, state.tree, path)
        except ValueError as error:
            raise NotFound(f"the log has no file {path}") from error


async def _make_file(connection: Connection, tree: LogTree, path: str) -> Response[bytes]:
    """Make a file from the database; raises `NotFound` or `ValueError` where there is none."""
    if path.startswith(("tile/", "key/")):
        # Nothing but the one way to write its path leads to a file.
        return await _make_lasting(connection, tree, path)
    if path == INCIDENTS:
        return _json(await read_history(connection))
    if path == "log.json":
        return _json(await read_description(connection))
    if (match := _CONTENT.fullmatch(path)) is not None:
        return _answer(await read_content(connection, int(match[1])), _JSON, _CHANGING)
    if (match := _CONTENTS.fullmatch(path)) is not None:
        size = (await read_published(connection)).size
        contents = await read_content_bundle(connection, int(match[1]), size)
        return _answer(contents, _JSON_LINES, _CHANGING)
    if (match := _PROOF.fullmatch(path)) is not None:
        return _answer(await read_proof(connection, tree, int(match[1])), _TEXT, _CHANGING)
    raise NotFound(f"the log has no file {path}")


async def _make_lasting(connection: Connection, tree: LogTree, path: str) -> Response[bytes]:
    if path.startswith("key/"):
        parse_key_path(path)
        return _answer(await read_kept_file(connection, path), _TEXT, _LASTING)
    log = await read_published(connection)
    if path.startswith("tile/entries/"):
        content = await read_bundle(connection, log, *parse_bundle_path(path))
    else:
        content = await tree.read_tile(connection, log, parse_tile_path(path))
    return _answer(content, _BINARY, _LASTING)


def _json(value: object) -> Response[bytes]:
    return _answer(msgspec.json.encode(value), _JSON, _CHANGING)


def _answer(content: bytes, media_type: str, caching: str) -> Response[bytes]:
    return Response(content=content, media_type=media_type, headers={"cache-control": caching})
