"""Entry bundles, c2sp.org/tlog-tiles § Log entries: up to 256 entries, each behind its length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from registry.tlog.tile import WIDTH, numbered, parse_tile_path

MAX_ENTRY_BYTES = 0xFFFF
_LENGTH_BYTES = 2
_FOLDER = "tile/entries/"


def bundle_path(index: int, width: int = WIDTH) -> str:
    """Return the path of a bundle, relative to the log's prefix."""
    return _FOLDER + numbered(index, width)


def parse_bundle_path(path: str) -> tuple[int, int]:
    """Return (index, number of entries) of a bundle's path. Raises `ValueError` for any other."""
    _, separator, number = path.partition(_FOLDER)
    tile = parse_tile_path(f"tile/0/{number}")
    if not separator or bundle_path(tile.index, tile.width) != path:
        raise ValueError(f"{path!r} is no path of a bundle")
    return tile.index, tile.width


def bundles_of(size: int) -> Iterator[tuple[int, int]]:
    """Yield (index, number of entries) of every bundle of a log."""
    for index in range(size // WIDTH):
        yield index, WIDTH
    if size % WIDTH:
        yield size // WIDTH, size % WIDTH


def write_bundle(entries: Iterable[bytes]) -> bytes:
    """Return the bundle of entries. Raises `ValueError` for one that is too long."""
    return b"".join(_framed(entry) for entry in entries)


def parse_bundle(content: bytes, width: int) -> list[bytes]:
    """Return the `width` entries of a bundle. Raises `ValueError` if it has not that many."""
    entries: list[bytes] = []
    at = 0
    while at < len(content):
        start = at + _LENGTH_BYTES
        end = start + int.from_bytes(content[at:start], "big")
        if start > len(content) or end > len(content):
            raise ValueError(f"entry {len(entries)} of the bundle is cut off")
        entries.append(content[start:end])
        at = end
    if len(entries) != width:
        raise ValueError(f"the bundle has {len(entries)} entries, not {width}")
    return entries


def _framed(entry: bytes) -> bytes:
    if len(entry) > MAX_ENTRY_BYTES:
        raise ValueError(f"an entry has at most {MAX_ENTRY_BYTES:,} bytes, not {len(entry):,}")
    return len(entry).to_bytes(_LENGTH_BYTES, "big") + entry
