"""Exporting the log: everything that is published of it, as files for any static host."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from registry.errors import Unavailable
from registry.ledger.content_files import bundle_of_contents, write_contents
from registry.ledger.files import (
    CHECKPOINT,
    POLICY,
    TEMPORARY,
    WITNESSED,
    read_checkpoint,
    read_witnessed,
    write_volatile,
)
from registry.ledger.key_chain import read_keys
from registry.ledger.proofs import (
    INCIDENTS,
    describe,
    proof_path,
    prover,
    read_content_bundle,
    read_history,
    read_record_proofs,
    site_made_from,
)
from registry.ledger.published_log import LogTree, read_published
from registry.settings import Settings
from registry.store import checkpoints, log
from registry.store.database import Database
from registry.tlog.checkpoint import stated
from registry.tlog.tile import WIDTH

_AT_ONCE = 500


async def export_log(
    database: Database,
    settings: Settings,
    folder: Path,
    *,
    progress: Callable[[int, int], None],
) -> int:
    """Write the published log to a folder, and give its size; the checkpoint comes last.

    Raises `Unavailable` while nothing is published.
    """
    checkpoint = await asyncio.to_thread(read_checkpoint, settings.log_dir)
    if checkpoint is None:
        raise Unavailable("the log has not been published yet; run: registry log publish")
    size = stated(checkpoint).size
    await asyncio.to_thread(_copy_tiles, settings.log_dir, folder)
    witnessed = await asyncio.to_thread(read_witnessed, settings.log_dir)
    if witnessed is not None and stated(witnessed).size > size:
        witnessed = None
    prove = prover(settings.log_dir, checkpoint, witnessed)
    for start in range(0, size, _AT_ONCE):
        entries = range(start, min(start + _AT_ONCE, size))
        await write_contents(database, folder, entries)
        for index in entries:
            write_volatile(folder, proof_path(index), prove(index).to_bytes())
        progress(entries.stop, size)
    for number in range(-(-size // WIDTH)):
        async with database.snapshot() as connection:
            content = await read_content_bundle(connection, number, size)
        write_volatile(folder, bundle_of_contents(number), content)
    async with database.connection() as connection:
        policy = await log.read_policy(connection, size)
        description = describe(
            await read_keys(connection, size), await checkpoints.read_time(connection, size), policy
        )
        history = await read_history(connection)
    write_volatile(folder, "log.json", msgspec.json.encode(description))
    if policy is not None:
        write_volatile(folder, POLICY, policy.encode())
    if history.incidents:
        write_volatile(folder, INCIDENTS, msgspec.json.encode(history))
    made_from = await asyncio.to_thread(site_made_from, settings.site_dir)
    if made_from is not None and made_from["size"] <= size:
        write_volatile(folder, "site.json", msgspec.json.encode(made_from))
    if witnessed is not None:
        write_volatile(folder, WITNESSED, witnessed)
    write_volatile(folder, CHECKPOINT, checkpoint)
    (folder / TEMPORARY).rmdir()
    return size


async def export_record_proofs(
    database: Database, folder: Path, *, progress: Callable[[int, int], None]
) -> int:
    """Write the proof of each published version to a copy of the site; return how many.

    They lie in `proofs/<agency>/<slug>/<version>.json`, where pages expect them.
    """
    tree = LogTree()
    async with database.snapshot() as connection:
        size = (await read_published(connection)).size
    count = 0
    for start in range(0, size, _AT_ONCE):
        end = min(start + _AT_ONCE, size)
        async with database.snapshot() as connection:
            proofs = await read_record_proofs(connection, tree, start, end)
        for proof in proofs:
            path = f"proofs/{proof.id}/{proof.version}.json"
            write_volatile(folder, path, msgspec.json.encode(proof))
        count += len(proofs)
        progress(end, size)
    with suppress(FileNotFoundError):
        (folder / TEMPORARY).rmdir()
    return count


def _copy_tiles(source: Path, target: Path) -> None:
    """Copy what is not there yet: a tile, bundle or key's proof never changes."""
    for path in sorted([*(source / "tile").rglob("*"), *(source / "key").rglob("*")]):
        place = target / path.relative_to(source)
        if path.is_file() and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
