"""Content files: what entries commit to, on disk as it is in the database.

They are made anew whenever that changes, by a redaction, and so are not synced.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from registry.ledger.files import write_volatile
from registry.record.content_file import KeptSection, content_file
from registry.record.kept_verdict import KeptVerdict
from registry.store import checkpoints
from registry.store.database import Database

_AT_ONCE = 500


def content_path(index: int) -> str:
    """Return the path of an entry's content, relative to the log's prefix."""
    return f"content/{index}.json"


def bundle_of_contents(number: int) -> str:
    """Return the path of the contents of 256 consecutive entries, relative to the log's prefix.

    It has the file of each on a line of its own, as far as the log is published.
    """
    return f"content/bundle/{number}"


async def write_contents(database: Database, folder: Path, entries: Sequence[int]) -> None:
    """Write the content files of entries, over those that may be there."""
    for start in range(0, len(entries), _AT_ONCE):
        async with database.snapshot() as connection:
            part = entries[start : start + _AT_ONCE]
            found = await checkpoints.read_contents(connection, part)
            verdicts = await checkpoints.read_verdicts(connection, part)
        await asyncio.to_thread(_write, folder, found, verdicts)


def _write(
    folder: Path, contents: dict[int, list[KeptSection]], verdicts: dict[int, KeptVerdict]
) -> None:
    for index, sections in contents.items():
        content = content_file(index, sections, verdicts.get(index))
        write_volatile(folder, content_path(index), content)
