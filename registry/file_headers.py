"""How files of the log and the site are served, by whichever host: media type and caching."""

from __future__ import annotations

import mimetypes
from pathlib import PurePosixPath

import msgspec

LASTING = "public, max-age=31536000, immutable"
CHANGING = "no-cache"
LOG = "log/"
"""The beginning of the paths of the log's files."""

_BINARY = "application/octet-stream"
_TEXT = "text/plain; charset=utf-8"
_LASTING_FOLDERS = ("assets/", "log/tile/", "log/key/")
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ico": "image/x-icon",
    ".png": "image/png",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".txt": _TEXT,
    ".xml": "application/xml",
    # Chromium shows what is called Atom as its source.
    ".atom": "application/xml",
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
}


class FileHeaders(msgspec.Struct, frozen=True):
    """The headers `Content-Type` and `Cache-Control` of a file."""

    media_type: str
    caching: str


def address_of(path: str) -> str:
    """Return where a file of the site is read, below the base address: `fr/about`, not `.html`."""
    return path.removesuffix("index.html").removesuffix(".html")


def headers_of(path: str) -> FileHeaders:
    """Return the headers of a file by its path: `log/…` for the log, any other for the site."""
    caching = LASTING if path.startswith(_LASTING_FOLDERS) else CHANGING
    return FileHeaders(_log_type(path) if path.startswith(LOG) else _site_type(path), caching)


def _log_type(path: str) -> str:
    if path.startswith("log/tile/"):
        return _BINARY
    if path.startswith("log/content/bundle/"):
        return "application/jsonl"
    return "application/json" if path.endswith(".json") else _TEXT


def _site_type(path: str) -> str:
    known = _TYPES.get(PurePosixPath(path).suffix)
    return known or mimetypes.guess_type(path)[0] or "text/plain"
