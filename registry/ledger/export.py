"""Publishing the log as files for any static host: to a folder, or to a store of objects.

All is made from the database, so that any host can do it: what is new first, the checkpoint last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from registry.errors import Unavailable
from registry.file_headers import LOG
from registry.ledger.proofs import (
    join_contents,
    read_content_files,
    read_history,
    read_kept_file,
    read_record_proofs,
)
from registry.ledger.published_log import LogTree, read_bundles, read_keys
from registry.ledger.targets import FileTarget
from registry.log.blob import bundle_of_contents, content_path
from registry.log.files import (
    CHECKPOINT,
    INCIDENTS,
    POLICY,
    TEMPORARY,
    WITNESSED,
    LogRefused,
    describe,
    proof_path,
    write_volatile,
)
from registry.log.key_chain import key_path
from registry.store import checkpoints, log, published_files
from registry.store.database import Database
from registry.store.published_files import PublishedLog, read_published
from registry.tlog.checkpoint import stated
from registry.tlog.tile import WIDTH, edge_of, grow

_AT_ONCE = 500


class CopiedLog(msgspec.Struct, frozen=True, kw_only=True):
    """The log as a target has it; what was erased and given up since is not in it.

    `erasures` and `discards` count how often contents were erased and entries given up.
    """

    size: int = 0
    erasures: int = 0
    discards: int = 0


async def export_log(
    database: Database,
    target: FileTarget,
    *,
    site: Mapping[str, Any] | None,
    progress: Callable[[int, int], None],
) -> int:
    """Write all of the published log to a target, with the proof of each entry; return its size.

    `site` says of which log a site was made that goes with it. Raises `Unavailable` while nothing
    is published.
    """
    tree = LogTree()
    async with database.snapshot() as connection:
        size = (await read_published(connection)).size
    for start in range(0, size, _AT_ONCE):
        entries = range(start, min(start + _AT_ONCE, size))
        async with database.snapshot() as connection:
            proofs = await tree.prove(connection, await read_published(connection), entries)
        await target.write((LOG + proof_path(one.index), one.to_bytes()) for one in proofs)
    copied = await copy_log(database, target, tree, CopiedLog(), progress=progress)
    if site is not None and site["size"] <= copied.size:
        await target.write([(LOG + "site.json", msgspec.json.encode(site))])
    return copied.size


async def copy_log(
    database: Database,
    target: FileTarget,
    tree: LogTree,
    there: CopiedLog,
    *,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> CopiedLog:
    """Bring the log in a target up to what is published, from what is `there`; the checkpoint last.

    Raises `Unavailable` while nothing is published, and `LogRefused` where the target has another
    log, or more of it than is published here.
    """
    note = await target.read(LOG + CHECKPOINT)
    async with database.snapshot() as connection:
        served = await read_published(connection)
        state = await log.read_state(connection)
        if served.checkpoint is None:
            raise Unavailable("the log has not been published yet; run: registry log publish")
        is_discarded = served.discards != there.discards and there.size > 0
        if note is not None and not is_discarded:
            await _check_goes_on(connection, target, tree, served, note)
        if await tree.root(connection, served, served.size) != stated(served.checkpoint).root:
            raise LogRefused("the entries in the database are not those that were signed")
        erased = (
            await published_files.read_erased(connection) if state.erasures > there.erasures else []
        )
    start = 0 if is_discarded or note is None else min(there.size, stated(note).size)
    if start < served.size:
        await _copy_entries(database, target, tree, served, start=start, progress=progress)
    for number in sorted({entry // WIDTH for entry in erased if entry < start}):
        entries = range(number * WIDTH, min((number + 1) * WIDTH, served.size))
        await _copy_contents(database, target, entries)
    await _copy_notes(database, target, served, may_shrink=is_discarded)
    return CopiedLog(size=served.size, erasures=state.erasures, discards=served.discards)


async def _check_goes_on(
    connection: Any, target: FileTarget, tree: LogTree, served: PublishedLog, note: bytes
) -> None:
    """Raise `LogRefused` unless the published log goes on from a checkpoint in the target."""
    said = stated(note)
    if said.size > served.size:
        raise LogRefused(
            f"{target.name} has a checkpoint of {said.size} entries, and {served.size} are "
            "published here: an older state of the database was restored, or it is another log's"
        )
    before = msgspec.structs.replace(served, size=said.size)
    if await tree.root(connection, before, before.size) != said.root:
        raise LogRefused(f"{target.name} has a checkpoint of another log; nothing is overwritten")


async def _copy_entries(
    database: Database,
    target: FileTarget,
    tree: LogTree,
    served: PublishedLog,
    *,
    start: int,
    progress: Callable[[int, int], None],
) -> None:
    """Copy bundles and contents from a size on, then the tiles that come to be."""
    leaves: list[bytes] = []
    async for entries, bundles in read_bundles(database, start, served.size):
        await target.write((LOG + path, content) for path, content in bundles)
        indexes = [entry.index for entry in entries]
        await _copy_contents(database, target, indexes, new_from=start)
        leaves += [entry.leaf for entry in entries if entry.index >= start]
        progress(indexes[-1] + 1, served.size)
    async with database.snapshot() as connection:
        edge = {
            tile: await tree.read_tile(connection, served, tile) for tile in edge_of(start) if tile
        }
    tiles = grow(start, edge.__getitem__, leaves)
    await target.write((LOG + tile.path, content) for tile, content in tiles)


async def _copy_contents(
    database: Database, target: FileTarget, entries: Sequence[int], *, new_from: int = 0
) -> None:
    """Copy the contents of entries: bundles, which are theirs alone, and a file for each entry."""
    async with database.snapshot() as connection:
        found = await read_content_files(connection, entries)
    files = [(content_path(index), found[index]) for index in entries if index >= new_from]
    files += [
        (
            bundle_of_contents(entries[cut] // WIDTH),
            join_contents(found[index] for index in entries[cut : cut + WIDTH]),
        )
        for cut in range(0, len(entries), WIDTH)
    ]
    await target.write((LOG + path, content) for path, content in files)


async def _copy_notes(
    database: Database, target: FileTarget, served: PublishedLog, *, may_shrink: bool
) -> None:
    """Copy what is said of the log beside its entries, and then its checkpoint."""
    async with database.snapshot() as connection:
        chain = await read_keys(connection, served.size)
        at = await checkpoints.read_time(connection, served.size)
        files = {
            key_path(number): await read_kept_file(connection, key_path(number))
            for number in range(1, len(chain.keys))
        }
        history = await read_history(connection)
    files["log.json"] = msgspec.json.encode(describe(chain, at, served.policy))
    if served.policy is not None:
        files[POLICY] = served.policy.encode()
    if history.incidents:
        files[INCIDENTS] = msgspec.json.encode(history)
    await target.write((LOG + path, content) for path, content in files.items())

    def put_last(note: bytes | None) -> bytes | None:
        # Somebody else may have published more meanwhile.
        is_older = note is not None and stated(note).size > served.size
        return None if is_older and not may_shrink else served.checkpoint

    await target.update(LOG + CHECKPOINT, put_last)
    if served.witnessed is None:
        await target.remove([LOG + WITNESSED])
    else:
        await target.write([(LOG + WITNESSED, served.witnessed)])


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
