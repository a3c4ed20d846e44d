"""Content files: what entries commit to, on disk as it is in the database.

They are made anew whenever that changes, by a redaction, and so are not synced.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from registry.log.blob import content_file, content_path
from registry.log.files import write_volatile
from registry.store import checkpoints
from registry.store.database import Connection, Database

_AT_ONCE = 500


async def read_content_files(connection: Connection, entries: Sequence[int]) -> dict[int, bytes]:
    """Make the files of what entries commit to."""
    found = await checkpoints.read_contents(connection, entries)
    verdicts = await checkpoints.read_verdicts(connection, entries)
    return {
        index: content_file(index, sections, verdicts.get(index))
        for index, sections in found.items()
    }


def join_contents(contents: Iterable[bytes]) -> bytes:
    """Put the contents of consecutive entries together, as in a bundle."""
    return b"".join(content + b"\n" for content in contents)


async def write_contents(database: Database, folder: Path, entries: Sequence[int]) -> None:
    """Write the content files of entries, over those that may be there."""
    for start in range(0, len(entries), _AT_ONCE):
        async with database.snapshot() as connection:
            found = await read_content_files(connection, entries[start : start + _AT_ONCE])
        await asyncio.to_thread(_write, folder, found)


def _write(folder: Path, contents: Mapping[int, bytes]) -> None:
    for index, content in contents.items():
        write_volatile(folder, content_path(index), content)
