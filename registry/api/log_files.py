"""The transparency log as files, c2sp.org/tlog-tiles: the paths any static host could serve.

All is made from the database, so that any host serves it, whichever publishes.
"""

from __future__ import annotations

import re

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from registry.api.request import ApiState
from registry.errors import NotFound
from registry.file_headers import LOG, headers_of
from registry.ledger.proofs import (
    read_content,
    read_content_bundle,
    read_description,
    read_history,
    read_kept_file,
    read_proof,
    site_made_from,
)
from registry.ledger.published_log import LogTree, read_bundle
from registry.log.files import CHECKPOINT, INCIDENTS, POLICY, WITNESSED
from registry.log.key_chain import parse_key_path
from registry.store.database import Connection
from registry.store.published_files import read_file, read_published
from registry.tlog.bundle import parse_bundle_path
from registry.tlog.tile import parse_tile_path
from registry.work import in_thread

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
