"""Content files: what entries commit to, on disk as it is in the database.

They are made anew whenever that changes, by a redaction, and so are not synced.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from registry.ledger.files import write_volatile
from registry.record.content_file import content_file
from registry.store import checkpoints
from registry.store.database import Connection, Database

_AT_ONCE = 500


def content_path(index: int) -> str:
    """Return the path of an entry's content, relative to the log's prefix."""
    return f"content/{index}.json"


def bundle_of_contents(number: int) -> str:
    """Return the path of the contents of 256 consecutive entries, relative to the log's prefix.

    It has the file of each on a line of its own, as far as the log is published.
    """
    return f"content/bundle/{number}"


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
