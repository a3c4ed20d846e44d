"""The transparency log as files, c2sp.org/tlog-tiles: the paths any static host could serve.

Tiles, bundles and the checkpoint are read from disk; contents and proofs are made on request.
"""

from __future__ import annotations

import asyncio
import re

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from registry.api.request_context import ApiState
from registry.errors import NotFound
from registry.ledger.files import CHECKPOINT, read_checkpoint
from registry.ledger.proofs import (
    INCIDENTS,
    read_content,
    read_content_bundle,
    read_description,
    read_history,
    read_proof,
    site_made_from,
)
from registry.tlog.bundle import parse_bundle_path
from registry.tlog.tile import parse_tile_path

PREFIX = "/log/"

_TEXT = "text/plain"
_BINARY = "application/octet-stream"
_JSON = "application/json"
_JSON_LINES = "application/jsonl"
_LASTING = "public, max-age=31536000, immutable"
_CHANGING = "no-cache"
_CONTENT = re.compile(r"content/(0|[1-9][0-9]{0,17})\.json")
_CONTENTS = re.compile(r"content/bundle/(0|[1-9][0-9]{0,15})")
_PROOF = re.compile(r"proof/(0|[1-9][0-9]{0,17})\.tlog-proof")


@get("/log/{path:path}", include_in_schema=False)
async def get_log_file(path: FromPath[str], state: ApiState) -> Response[bytes]:
    """Read a file of the log."""
    settings = state.settings
    path = path.removeprefix("/")
    if path == CHECKPOINT:
        checkpoint = await asyncio.to_thread(read_checkpoint, settings.log_dir)
        if checkpoint is None:
            raise NotFound("no checkpoint is published yet; the background runner does that")
        return _answer(checkpoint, _TEXT, _CHANGING)
    if path.startswith("tile/"):
        try:
            # Nothing but the one way to write its path leads to a file.
            (parse_bundle_path if path.startswith("tile/entries/") else parse_tile_path)(path)
            tile = await asyncio.to_thread((settings.log_dir / path).read_bytes)
        except (ValueError, FileNotFoundError) as error:
            raise NotFound(f"the log has no file {path}") from error
        return _answer(tile, _BINARY, _LASTING)
    if path in {INCIDENTS, "log.json"}:
        describe = read_history if path == INCIDENTS else read_description
        async with state.context.database.connection() as connection:
            return _json(await describe(connection))
    made = await _made(path, state)
    if made is None:
        raise NotFound(f"the log has no file {path}")
    return made


async def _made(path: str, state: ApiState) -> Response[bytes] | None:
    """Make a file of the log that is not on disk; None where there is none of that name."""
    settings = state.settings
    if path == "site.json":
        made_from = await asyncio.to_thread(site_made_from, settings.site_dir)
        return None if made_from is None else _json(made_from)
    async with state.context.database.snapshot() as connection:
        if (match := _CONTENT.fullmatch(path)) is not None:
            return _answer(await read_content(connection, int(match[1])), _JSON, _CHANGING)
        if (match := _CONTENTS.fullmatch(path)) is not None:
            contents = await read_content_bundle(connection, settings.log_dir, int(match[1]))
            return _answer(contents, _JSON_LINES, _CHANGING)
        if (match := _PROOF.fullmatch(path)) is not None:
            proof = await read_proof(connection, settings.log_dir, int(match[1]))
            return _answer(proof, _TEXT, _CHANGING)
    return None


def _json(value: object) -> Response[bytes]:
    return _answer(msgspec.json.encode(value), _JSON, _CHANGING)


def _answer(content: bytes, media_type: str, caching: str) -> Response[bytes]:
    return Response(content=content, media_type=media_type, headers={"cache-control": caching})
