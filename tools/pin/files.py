"""The files of a register: its log, and its site with the text that readers see."""

from __future__ import annotations

import html
import json
import os
import re
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from hashlib import sha256
from pathlib import Path

from tools.pin.recording import Part, compressed

_AT_ONCE = 2
_CHUNK = 500
# What people or programs are told by attributes; it is left in the text.
_TELLING = re.compile(
    r'\s(?:href|src|alt|title|aria-label|placeholder|content|value|action)="([^"]*)"'
)
_TAGS = re.compile(r"<[^>]*>")
_FOREIGN = re.compile(r"/(us|nl)\.[^/]")
_VERSIONED = re.compile(r"\.[0-9a-f]{12}\.(?=css|js|svg|png|woff2)")


def record_log(data: Path, log: Part) -> None:
    """Write down each file of the log, and of its key's folder."""
    for folder in ("keys", "log"):
        for path in _files(data / folder):
            log.add(f"{folder}/{path}", _log_text(path, (data / folder / path).read_bytes()))


def record_site(data: Path, digests: Part, texts: Part, sources: Part) -> None:
    """Write down each file of the site: digest and text, and of a sample the source too."""
    root = (data / "site").resolve()
    with ProcessPoolExecutor(_AT_ONCE) as pool:
        paths = _files(root)
        chunks = [paths[start : start + _CHUNK] for start in range(0, len(paths), _CHUNK)]
        for chunk in pool.map(partial(_chunk, root), chunks):
            for part, blocks in zip((digests, texts, sources), chunk, strict=True):
                part.append(blocks)


def visible_text(source: str) -> str:
    """Return the text of an HTML or XML document, a line for each piece between tags."""
    told = _TAGS.sub("\0", _TELLING.sub(r">\1<", _VERSIONED.sub(".", source)))
    pieces = (" ".join(piece.split()) for piece in told.split("\0"))
    return html.unescape("\n".join(piece for piece in pieces if piece))


def _chunk(root: Path, paths: list[str]) -> tuple[bytes, bytes, bytes]:
    digests, texts, sources = [], [], []
    for path in paths:
        content = (root / path).read_bytes()
        digests.append((path, sha256(content).hexdigest()))
        if path.endswith((".png", ".woff2", ".ico")):
            continue
        source = content.decode()
        texts.append((path, _site_text(path, source)))
        if _is_sample(path):
            sources.append((path, source))
    return compressed(digests), compressed(texts), compressed(sources)


def _site_text(path: str, source: str) -> str:
    if path.endswith(".json"):
        return json.dumps(json.loads(source), ensure_ascii=False, indent=1)
    return visible_text(source) if path.endswith((".html", ".atom", ".xml")) else source


def _is_sample(path: str) -> bool:
    """Return whether a file is of no imported record and no foreign agency."""
    return _FOREIGN.search(path) is None


def _log_text(path: str, content: bytes) -> str:
    """Return a bundle's entries, a line each, a tile's hashes, or the text of another file."""
    if path.startswith("tile/entries/"):
        lines = []
        while content:
            end = 2 + int.from_bytes(content[:2], "big")
            lines.append(content[2:end].decode())
            content = content[end:]
        return "\n".join(lines)
    if path.startswith("tile/"):
        return "\n".join(content[start : start + 32].hex() for start in range(0, len(content), 32))
    return content.decode()


def _files(folder: Path) -> list[str]:
    """Return the paths of all files in a folder, in order."""
    return sorted(
        f"{where}/{name}".removeprefix(f"{folder}/")
        for where, _, names in os.walk(folder)
        for name in names
    )
